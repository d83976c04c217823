//! What the client derives: the password's input to OPAQUE, and the key that wraps the backup key.

use bulla_key::Passphrase;
use opaque_ke::errors::{InternalError, ProtocolError};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Result};
use crate::protocol::reply::WRAPPED_KEY_LEN;
use crate::protocol::suite::EXPORT_KEY_LEN;
use crate::protocol::wire::Fixed;
use crate::protocol::{AccountHash, RegId};

/// What OPAQUE takes for the password: 64 bytes that follow from the password and the pepper
/// (V-3.4). Without either of the two no guess can be tested.
pub(crate) struct PasswordInput(Zeroizing<[u8; 64]>);

/// The client's export key of one registration.
pub(crate) struct ExportKey(Zeroizing<[u8; EXPORT_KEY_LEN]>);

/// 64 bytes out of HKDF.
struct Len64;

impl hkdf::KeyType for Len64 {
    fn len(&self) -> usize {
        64
    }
}

impl PasswordInput {
    pub(crate) fn new(password: &Passphrase, pepper: &[u8; 32]) -> Result<PasswordInput> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA512, pepper).extract(password.expose());
        let mut input = Zeroizing::new([0; 64]);
        let expanded = prk.expand(&[b"bulla v1 vault password"], Len64);
        expanded.and_then(|okm| okm.fill(&mut input[..])).map_err(|_| Error::Internal)?;
        Ok(PasswordInput(input))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0[..]
    }
}

impl ExportKey {
    /// Takes the key out of where `opaque-ke` left it, and wipes it there.
    pub(crate) fn take(from: &mut [u8]) -> Result<ExportKey> {
        let key = take_64(from)?;
        Ok(ExportKey(key))
    }

    /// The backup key, wrapped (V-3.5).
    pub(crate) fn wrap(
        &self,
        key: &bulla::Key,
        account: &AccountHash,
        reg_id: &RegId,
    ) -> Result<[u8; WRAPPED_KEY_LEN]> {
        let mut wrapped = Zeroizing::new([0; WRAPPED_KEY_LEN]);
        wrapped[..32].copy_from_slice(key.expose());
        let (cipher, aad) = (self.wrapping_key(reg_id)?, associated_data(account, reg_id));
        let tag = cipher
            .seal_in_place_separate_tag(zero_nonce(), Aad::from(aad), &mut wrapped[..32])
            .map_err(|_| Error::Internal)?;
        wrapped[32..].copy_from_slice(tag.as_ref());
        Ok(*wrapped)
    }

    /// The backup key in a wrapped one, if this wrapped it for this registration.
    pub(crate) fn unwrap(
        &self,
        wrapped: &[u8; WRAPPED_KEY_LEN],
        account: &AccountHash,
        reg_id: &RegId,
    ) -> Result<bulla::Key> {
        let mut content = Zeroizing::new(*wrapped);
        let (cipher, aad) = (self.wrapping_key(reg_id)?, associated_data(account, reg_id));
        let opened =
            cipher.open_in_place(zero_nonce(), Aad::from(aad), &mut content[..]).map_err(|_| {
                Error::ProtocolViolation { what: "the wrapped key is not this registration's" }
            })?;
        let bytes = opened.first_chunk().ok_or(Error::Internal)?;
        Ok(bulla::Key::from_bytes(bytes))
    }

    /// The export key is a pseudorandom key already (RFC 9807, 6.4): only HKDF-Expand.
    fn wrapping_key(&self, reg_id: &RegId) -> Result<LessSafeKey> {
        let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA512, &self.0[..]);
        let info: [&[u8]; 2] = [b"bulla v1 vault wrap", reg_id.as_bytes()];
        let key = prk.expand(&info, &AES_256_GCM).map_err(|_| Error::Internal)?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// Each registration, and each try at one, has an export key of its own, as OPAQUE's envelope has a
/// random nonce: a wrapping key wraps once.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// Account, registration, version.
fn associated_data(account: &AccountHash, reg_id: &RegId) -> [u8; 65] {
    let mut data = [1; 65];
    data[..32].copy_from_slice(account.as_bytes());
    data[32..64].copy_from_slice(reg_id.as_bytes());
    data
}

/// 64 secret bytes, moved out of where they were.
pub(crate) fn take_64(from: &mut [u8]) -> Result<Zeroizing<[u8; 64]>> {
    let mut taken = Zeroizing::new([0; 64]);
    let right_length = from.len() == taken.len();
    if right_length {
        taken.copy_from_slice(from);
    }
    from.zeroize();
    if right_length { Ok(taken) } else { Err(Error::Internal) }
}

/// A message of OPAQUE, for the wire.
pub(crate) fn message_bytes<const N: usize>(message: &[u8]) -> Result<Fixed<N>> {
    Fixed::new(message).ok_or(Error::Internal)
}

/// What an error of `opaque-ke` means to the client. `left` is what the vault said of the guesses.
pub(crate) fn opaque_error(error: ProtocolError, left: Option<u32>) -> Error {
    match error {
        ProtocolError::InvalidLoginError => Error::WrongPassword { left },
        ProtocolError::SerializationError | ProtocolError::SizeError { .. } => {
            Error::ProtocolViolation { what: "an element is none" }
        }
        ProtocolError::ReflectedValueError => {
            Error::ProtocolViolation { what: "it sent back what it was sent" }
        }
        ProtocolError::LibraryError(InternalError::KsfError) => Error::OutOfMemory,
        ProtocolError::LibraryError(
            InternalError::OprfError(_) | InternalError::OprfInternalError(_),
        ) => Error::ProtocolViolation { what: "an element is none" },
        _ => Error::Internal,
    }
}

#[cfg(test)]
mod tests {
    use bulla_testkit::vectors::vault::derivations;

    use super::*;

    /// V-3.4, V-3.5
    #[test]
    fn vectors() {
        for vector in derivations() {
            let password = Passphrase::new(&vector.password).unwrap();
            let input =
                PasswordInput::new(&password, vector.pepper[..].try_into().unwrap()).unwrap();
            assert_eq!(input.as_bytes(), &vector.input[..], "{}", vector.name);

            let account = AccountHash::of(&vector.iss, &vector.sub);
            let reg_id = RegId::from_bytes(vector.registration[..].try_into().unwrap());
            let mut left_there = vector.export_key.0.clone();
            let export_key = ExportKey::take(&mut left_there).unwrap();
            assert!(left_there.iter().all(|&byte| byte == 0), "it is wiped where it was");
            let key = bulla::Key::from_bytes(vector.key[..].try_into().unwrap());
            let wrapped = export_key.wrap(&key, &account, &reg_id).unwrap();
            assert_eq!(wrapped[..], vector.wrapped_key[..], "{}", vector.name);
            assert_eq!(
                export_key.unwrap(&wrapped, &account, &reg_id).unwrap().expose(),
                key.expose()
            );

            let (other_account, other_id) = (AccountHash::of("", ""), RegId::from_bytes([0; 32]));
            assert!(export_key.unwrap(&wrapped, &other_account, &reg_id).is_err());
            assert!(export_key.unwrap(&wrapped, &account, &other_id).is_err());
        }
    }
}
