//! The keys that protect records, and the operations that use them. The keys never leave the HSM.
//!
//! | key | for |
//! |---|---|
//! | seal, one per epoch: AES-256 | sealed records |
//! | counter: HMAC-SHA-256 | counters, grants |
//! | OPRF: HMAC-SHA-512 | each registration's OPRF key |
//! | derivation: HMAC-SHA-512 | the OPAQUE key pair, login token keys, stand-ins' random numbers |
//!
//! | HSM | for |
//! |---|---|
//! | [`Pkcs11`] | a hardware security module, or SoftHSM2 |
//! | [`KeyFile`] | development: the keys are in a file |
//!
//! Given identical keys, both produce identical bytes.

mod key_file;
#[cfg(feature = "server")]
mod pkcs11;

use std::fmt;

use zeroize::Zeroizing;

pub use key_file::KeyFile;
#[cfg(feature = "oracles")]
pub(crate) use key_file::rewrite;
#[cfg(feature = "server")]
pub use pkcs11::{Pkcs11, Pkcs11Options};

/// Keys that can be used but not read.
pub trait Hsm: Send + Sync {
    /// Returns the epochs whose seal keys exist, in ascending order. New records are sealed under
    /// the last epoch's key.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError`] if the HSM fails.
    fn epochs(&self) -> Result<Vec<u32>, HsmError>;

    /// Seals with AES-256-GCM and returns the ciphertext and the tag. The associated data must not
    /// be empty, because SoftHSM2 does not support empty associated data.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError`] if the HSM fails.
    fn seal(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        associated_data: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HsmError>;

    /// Opens the output of [`seal`](Self::seal).
    ///
    /// # Errors
    ///
    /// Returns [`HsmError::NotAuthentic`] if the input does not authenticate, or
    /// [`HsmError::NoSuchEpoch`] if the key was destroyed.
    fn open(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError>;

    /// Returns the HMAC-SHA-256 of `message` under the counter key.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError`] if the HSM fails.
    fn mac(&self, message: &[u8]) -> Result<[u8; 32], HsmError>;

    /// Returns the HMAC-SHA-512 of `message` under the OPRF key.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError`] if the HSM fails.
    fn oprf(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError>;

    /// Returns the HMAC-SHA-512 of `message` under the derivation key.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError`] if the HSM fails.
    fn derive(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError>;

    /// Creates a seal key for a new epoch and returns the epoch's number.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError`] if the HSM fails.
    fn new_epoch(&self) -> Result<u32, HsmError>;

    /// Destroys an epoch's seal key. Nothing that was sealed under it can be opened after that.
    ///
    /// # Errors
    ///
    /// Returns [`HsmError::NoSuchEpoch`] if the epoch has no key, or [`HsmError::LastEpoch`] for
    /// the newest epoch.
    fn destroy_epoch(&self, epoch: u32) -> Result<(), HsmError>;
}

/// An error from an HSM.
#[derive(Debug)]
#[non_exhaustive]
pub enum HsmError {
    /// The ciphertext, its associated data or its epoch was modified, or it was sealed under
    /// another key.
    NotAuthentic,
    /// The epoch has no seal key, because the key was destroyed.
    NoSuchEpoch(u32),
    /// The newest epoch's key must not be destroyed.
    LastEpoch,
    /// The HSM has no vault keys yet.
    NotInitialized,
    /// The HSM already has vault keys.
    AlreadyInitialized,
    /// A vault key can be extracted from the module.
    Exposed(&'static str),
    /// The module, its token or the key file failed.
    Unavailable(String),
}

impl fmt::Display for HsmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HsmError::NotAuthentic => f.write_str("sealed record: modified or moved"),
            HsmError::NoSuchEpoch(epoch) => write!(f, "epoch {epoch}: its key was destroyed"),
            HsmError::LastEpoch => f.write_str("newest epoch: its key cannot be destroyed"),
            HsmError::NotInitialized => {
                f.write_str("HSM: no vault keys found; run `bulla-vaultd init`")
            }
            HsmError::AlreadyInitialized => f.write_str("HSM: vault keys already exist"),
            HsmError::Exposed(key) => {
                write!(f, "HSM: the {key} key can be extracted; vault keys must not be extractable")
            }
            HsmError::Unavailable(why) => write!(f, "HSM: {why}"),
        }
    }
}

impl std::error::Error for HsmError {}
