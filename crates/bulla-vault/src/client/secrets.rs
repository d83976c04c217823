//! The client's secrets: the OPAQUE password input, and the export key, which wraps the backup key.

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

/// The OPAQUE password input: 64 bytes derived from the password and the pepper (V-3.4). Without
/// the pepper, no guess can be tested.
pub(crate) struct PasswordInput(Zeroizing<[u8; 64]>);

/// The OPAQUE export key of one registration, which only the client learns.
pub(crate) struct ExportKey(Zeroizing<[u8; EXPORT_KEY_LEN]>);

/// A 64-byte output length for HKDF-Expand.
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
    /// Moves the key out of an `opaque-ke` buffer, and wipes the buffer.
    pub(crate) fn take(from: &mut [u8]) -> Result<ExportKey> {
        let key = take_64(from)?;
        Ok(ExportKey(key))
    }

    /// Wraps the backup key (V-3.5).
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

    /// Unwraps a backup key that was wrapped for this account and registration (V-3.5).
    ///
    /// # Errors
    ///
    /// Returns [`Error::ProtocolViolation`] if the key was not wrapped for this account and
    /// registration.
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
                Error::ProtocolViolation { what: "wrapped key belongs to another registration" }
            })?;
        let bytes = opened.first_chunk().ok_or(Error::Internal)?;
        Ok(bulla::Key::from_bytes(bytes))
    }

    /// Derives the wrapping key (V-3.5). The export key is pseudorandom (RFC 9807, 6.4), so
    /// HKDF-Extract is not needed.
    fn wrapping_key(&self, reg_id: &RegId) -> Result<LessSafeKey> {
        let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA512, &self.0[..]);
        let info: [&[u8]; 2] = [b"bulla v1 vault wrap", reg_id.as_bytes()];
        let key = prk.expand(&info, &AES_256_GCM).map_err(|_| Error::Internal)?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// Returns the constant nonce for wrapping keys. The OPAQUE envelope has a random nonce, so each
/// registration attempt has a different export key, and a wrapping key encrypts only once.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// Returns a wrapped key's associated data: the account, the registration and the version (V-3.5).
fn associated_data(account: &AccountHash, reg_id: &RegId) -> [u8; 65] {
    let mut data = [1; 65];
    data[..32].copy_from_slice(account.as_bytes());
    data[32..64].copy_from_slice(reg_id.as_bytes());
    data
}

/// Moves 64 secret bytes out of a buffer, and wipes the buffer.
pub(crate) fn take_64(from: &mut [u8]) -> Result<Zeroizing<[u8; 64]>> {
    let mut taken = Zeroizing::new([0; 64]);
    let right_length = from.len() == taken.len();
    if right_length {
        taken.copy_from_slice(from);
    }
    from.zeroize();
    if right_length { Ok(taken) } else { Err(Error::Internal) }
}

/// Converts a fixed-length OPAQUE message for the wire.
pub(crate) fn message_bytes<const N: usize>(message: &[u8]) -> Result<Fixed<N>> {
    Fixed::new(message).ok_or(Error::Internal)
}

/// Converts an `opaque-ke` error. `left` is the number of guesses left, as reported by the vault.
pub(crate) fn opaque_error(error: ProtocolError, left: Option<u32>) -> Error {
    match error {
        ProtocolError::InvalidLoginError => Error::WrongPassword { left },
        ProtocolError::SerializationError | ProtocolError::SizeError { .. } => {
            Error::ProtocolViolation { what: "invalid group element" }
        }
        ProtocolError::ReflectedValueError => {
            Error::ProtocolViolation { what: "response reflects the request" }
        }
        ProtocolError::LibraryError(InternalError::KsfError) => Error::OutOfMemory,
        ProtocolError::LibraryError(
            InternalError::OprfError(_) | InternalError::OprfInternalError(_),
        ) => Error::ProtocolViolation { what: "invalid group element" },
        _ => Error::Internal,
    }
}

#[cfg(test)]
mod tests {
    use bulla_testkit::vectors::vault::derivations;

    use super::*;

    /// V-3.4, V-3.5
    #[test]
    fn derivations_match_the_vectors() {
        for vector in derivations() {
            let password = Passphrase::new(&vector.password).unwrap();
            let input =
                PasswordInput::new(&password, vector.pepper[..].try_into().unwrap()).unwrap();
            assert_eq!(input.as_bytes(), &vector.input[..], "{}", vector.name);

            let account = AccountHash::of(&vector.iss, &vector.sub);
            let reg_id = RegId::from_bytes(vector.registration[..].try_into().unwrap());
            let mut source = vector.export_key.0.clone();
            let export_key = ExportKey::take(&mut source).unwrap();
            assert!(source.iter().all(|&byte| byte == 0), "the source is wiped");
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
