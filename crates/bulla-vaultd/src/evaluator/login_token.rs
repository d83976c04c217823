//! Login tokens. A login token contains the vault's state for a login. The client carries it from
//! the first call to the second, so that any server can answer the second call.
//!
//! ```text
//! 0 salt 32 | 32 ciphertext of OPAQUE's server state | tag 16
//! ```
//!
//! Each token has its own key, which the HSM derives from the salt, so the nonce is always zero.
//! The associated data consists of the account, the registration, the attempt, and the generation
//! at which the attempt's guess was spent.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::Refusal;
use super::guard::random;
use crate::hsm::Hsm;
use crate::record::{Account, Attempt, RegId};

const LABEL: &[u8] = b"bulla v1 vault login token\0";
const SALT_LEN: usize = 32;

/// Seals OPAQUE's server state.
pub(super) fn seal(
    hsm: &dyn Hsm,
    account: &Account,
    reg_id: &RegId,
    attempt: &Attempt,
    state: &[u8],
) -> Result<Vec<u8>, Refusal> {
    seal_with(random()?, hsm, account, reg_id, attempt, state)
}

/// Seals with a given salt. Fuzzing uses this to check the encoding.
pub(crate) fn seal_with(
    salt: [u8; SALT_LEN],
    hsm: &dyn Hsm,
    account: &Account,
    reg_id: &RegId,
    attempt: &Attempt,
    state: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let mut sealed = Zeroizing::new(state.to_vec());
    let tag = key(hsm, &salt)?
        .seal_in_place_separate_tag(
            zero_nonce(),
            associated_data(account, reg_id, attempt),
            &mut sealed,
        )
        .map_err(|_| Refusal::Unavailable("AES-256-GCM: operation failed".to_owned()))?;
    Ok([&salt, &sealed[..], tag.as_ref()].concat())
}

/// Opens a token. Returns [`Refusal::Conflict`] if the token belongs to another login.
pub(crate) fn open(
    hsm: &dyn Hsm,
    account: &Account,
    reg_id: &RegId,
    attempt: &Attempt,
    token: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let (salt, ciphertext) = token.split_first_chunk::<SALT_LEN>().ok_or(Refusal::Malformed)?;
    let mut state = Zeroizing::new(ciphertext.to_vec());
    let len = key(hsm, salt)?
        .open_in_place(zero_nonce(), associated_data(account, reg_id, attempt), &mut state)
        .map_err(|_| Refusal::Conflict)?
        .len();
    state.truncate(len);
    Ok(state)
}

fn key(hsm: &dyn Hsm, salt: &[u8; SALT_LEN]) -> Result<LessSafeKey, Refusal> {
    let derived = hsm.derive(&[LABEL, salt].concat())?;
    let key = UnboundKey::new(&AES_256_GCM, &derived[..32]);
    key.map(LessSafeKey::new)
        .map_err(|_| Refusal::Unavailable("AES-256-GCM: operation failed".to_owned()))
}

/// Returns the nonce used for all tokens. This is safe because each key seals only one token.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn associated_data(account: &Account, reg_id: &RegId, attempt: &Attempt) -> Aad<Vec<u8>> {
    Aad::from([&account[..], reg_id, &attempt.id, &attempt.generation.to_be_bytes()].concat())
}
