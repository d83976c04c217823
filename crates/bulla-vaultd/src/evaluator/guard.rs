//! Seals and authenticates counters, sealed records, drafts and grants with the HSM's keys.

use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Refusal;
use crate::hsm::{Hsm, HsmError};
use crate::record::sealed::{self, RecordContent, SealedRecord};
use crate::record::{
    Account, AttemptId, COUNTER_BODY_LEN, Counter, Digest, RegId, decode_counter, encode_counter,
};

/// Bytes in a counter's MAC (HMAC-SHA-256).
const MAC_LEN: usize = 32;
/// Bytes in a stored counter.
pub(super) const STORED_COUNTER_LEN: usize = COUNTER_BODY_LEN + MAC_LEN;
/// Bytes in a grant: time, attempt, generation, MAC.
const GRANT_LEN: usize = 64;

const COUNTER_LABEL: &[u8] = b"bulla v1 vault counter\0";
const GRANT_LABEL: &[u8] = b"bulla v1 vault grant\0";
const DRAFT_LABEL: &[u8] = b"bulla v1 vault draft\0";

/// The evaluator's record operations, which use an HSM.
pub(super) struct Guard<'a>(pub(super) &'a dyn Hsm);

impl Guard<'_> {
    /// Encodes a counter and appends its MAC.
    pub(super) fn authenticate(&self, counter: &Counter) -> Result<Vec<u8>, Refusal> {
        let mut stored = encode_counter(counter);
        let mac = self.0.mac(&[COUNTER_LABEL, &stored].concat())?;
        stored.extend_from_slice(&mac);
        Ok(stored)
    }

    /// Verifies and decodes a stored counter, which must belong to `account`.
    pub(super) fn counter(&self, account: &Account, stored: &[u8]) -> Result<Counter, Refusal> {
        if stored.len() != STORED_COUNTER_LEN {
            return Err(Refusal::Tampered);
        }
        let (body, mac) = stored.split_at(COUNTER_BODY_LEN);
        let expected = self.0.mac(&[COUNTER_LABEL, body].concat())?;
        if !bool::from(expected.ct_eq(mac)) {
            return Err(Refusal::Tampered);
        }
        let counter = decode_counter(body).map_err(|_| Refusal::Tampered)?;
        if counter.account == *account { Ok(counter) } else { Err(Refusal::Tampered) }
    }

    /// Returns the newest epoch.
    pub(super) fn newest_epoch(&self) -> Result<u32, Refusal> {
        self.0.epochs()?.last().copied().ok_or_else(|| Refusal::from(HsmError::NotInitialized))
    }

    /// Seals a record under the newest epoch's key.
    pub(super) fn seal(
        &self,
        account: &Account,
        reg_id: &RegId,
        content: &RecordContent,
    ) -> Result<Vec<u8>, Refusal> {
        let (epoch, nonce) = (self.newest_epoch()?, random()?);
        let associated_data = sealed::associated_data(epoch, account, reg_id);
        let ciphertext = self.0.seal(epoch, &nonce, &associated_data, &content.encode())?;
        Ok(SealedRecord { epoch, nonce, ciphertext }.encode())
    }

    /// Opens a sealed record, which must have the given digest. Returns its epoch and content.
    pub(super) fn open(
        &self,
        account: &Account,
        reg_id: &RegId,
        digest: &Digest,
        stored: &[u8],
    ) -> Result<(u32, RecordContent), Refusal> {
        if sha256(&[stored]) != *digest {
            return Err(Refusal::Tampered);
        }
        let stored = SealedRecord::decode(stored).map_err(|_| Refusal::Tampered)?;
        let associated_data = sealed::associated_data(stored.epoch, account, reg_id);
        let plain =
            self.0.open(stored.epoch, &stored.nonce, &associated_data, &stored.ciphertext)?;
        let content = RecordContent::decode(&plain).map_err(|_| Refusal::Tampered)?;
        Ok((stored.epoch, content))
    }

    /// Seals a draft's random number. Returns the epoch, the nonce, the ciphertext and the tag.
    pub(super) fn seal_rk(
        &self,
        account: &Account,
        reg_id: &RegId,
        rk: &[u8; 32],
    ) -> Result<[u8; 64], Refusal> {
        let (epoch, nonce) = (self.newest_epoch()?, random::<12>()?);
        let associated_data = [DRAFT_LABEL, account, reg_id].concat();
        let ciphertext = self.0.seal(epoch, &nonce, &associated_data, rk)?;
        let bytes = [&epoch.to_be_bytes(), &nonce[..], &ciphertext].concat();
        bytes
            .try_into()
            .map_err(|_| Refusal::Unavailable("HSM: wrong ciphertext length".to_owned()))
    }

    /// Opens a draft's random number. Returns [`Refusal::Conflict`] if the key that sealed the
    /// draft was destroyed.
    pub(super) fn open_rk(
        &self,
        account: &Account,
        reg_id: &RegId,
        sealed: &[u8; 64],
    ) -> Result<Zeroizing<[u8; 32]>, Refusal> {
        let associated_data = [DRAFT_LABEL, account, reg_id].concat();
        let [e0, e1, e2, e3, rest @ ..] = sealed;
        let epoch = u32::from_be_bytes([*e0, *e1, *e2, *e3]);
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(Refusal::Tampered)?;
        let rk = match self.0.open(epoch, nonce, &associated_data, ciphertext) {
            Err(HsmError::NoSuchEpoch(_)) => return Err(Refusal::Conflict),
            opened => opened?,
        };
        rk[..].try_into().map(Zeroizing::new).map_err(|_| Refusal::Tampered)
    }

    /// Returns a login's grant, which proves the login for the next few minutes (V-5.4).
    pub(super) fn login_grant(
        &self,
        account: &Account,
        reg_id: &RegId,
        login: &Proven,
    ) -> Result<[u8; GRANT_LEN], Refusal> {
        let claims =
            [&login.at.to_be_bytes(), &login.attempt_id[..], &login.generation.to_be_bytes()]
                .concat();
        let mac = self.0.mac(&[GRANT_LABEL, account, reg_id, &claims].concat())?;
        let mut grant = [0; GRANT_LEN];
        grant[..32].copy_from_slice(&claims);
        grant[32..].copy_from_slice(&mac);
        Ok(grant)
    }

    /// Returns whether `grant` is this login's grant.
    pub(super) fn is_login_grant(
        &self,
        grant: &[u8],
        account: &Account,
        reg_id: &RegId,
        login: &Proven,
    ) -> Result<bool, Refusal> {
        let expected = self.login_grant(account, reg_id, login)?;
        Ok(expected.ct_eq(grant).into())
    }
}

/// A successful login.
pub(super) struct Proven {
    pub(super) at: u64,
    pub(super) attempt_id: AttemptId,
    pub(super) generation: u64,
}

/// Returns the SHA-256 digest of the concatenated `parts`.
pub(super) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// Returns random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Refusal::Unavailable("operating system: no random numbers".to_owned()))?;
    Ok(bytes)
}

impl From<HsmError> for Refusal {
    fn from(error: HsmError) -> Refusal {
        match error {
            HsmError::NotAuthentic => Refusal::Tampered,
            // The key was destroyed, so the record can never be opened again.
            HsmError::NoSuchEpoch(_) => Refusal::Tampered,
            other => Refusal::Unavailable(other.to_string()),
        }
    }
}
