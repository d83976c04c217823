//! The keys that guard records, and what may be done with them. They never leave.
//!
//! | key | for |
//! |---|---|
//! | seal, one per epoch: AES-256 | sealed records |
//! | counter: HMAC-SHA-256 | counters, grants |
//! | OPRF: HMAC-SHA-512 | the OPRF key of each registration |
//! | derivation: HMAC-SHA-512 | the vault's OPAQUE key pair, the keys of login tokens, the random numbers of stand-ins |
//!
//! | HSM | for |
//! |---|---|
//! | [`Pkcs11`] | a hardware security module, or SoftHSM2 |
//! | [`KeyFile`] | development: the keys lie in a file |
//!
//! Both do the same, byte for byte.

mod key_file;
#[cfg(feature = "server")]
mod pkcs11;

use std::fmt;

use zeroize::Zeroizing;

pub use key_file::KeyFile;
pub(crate) use key_file::rewritten;
#[cfg(feature = "server")]
pub use pkcs11::{Pkcs11, Pkcs11Options};

/// Keys behind a boundary.
pub trait Hsm: Send + Sync {
    /// The epochs whose seal key exists, ascending. The last one is the one to seal under.
    ///
    /// # Errors
    ///
    /// [`HsmError`].
    fn epochs(&self) -> Result<Vec<u32>, HsmError>;

    /// Seals by AES-256-GCM; the tag follows the ciphertext. The associated data must not be empty:
    /// SoftHSM2 cannot bear that.
    ///
    /// # Errors
    ///
    /// [`HsmError`].
    fn seal(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        associated_data: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HsmError>;

    /// Opens what [`seal`](Self::seal) sealed.
    ///
    /// # Errors
    ///
    /// [`HsmError::NotAuthentic`], [`HsmError::NoSuchEpoch`] if the epoch's key was destroyed.
    fn open(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        associated_data: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError>;

    /// HMAC-SHA-256 under the counter key.
    ///
    /// # Errors
    ///
    /// [`HsmError`].
    fn mac(&self, message: &[u8]) -> Result<[u8; 32], HsmError>;

    /// HMAC-SHA-512 under the OPRF key.
    ///
    /// # Errors
    ///
    /// [`HsmError`].
    fn oprf(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError>;

    /// HMAC-SHA-512 under the derivation key.
    ///
    /// # Errors
    ///
    /// [`HsmError`].
    fn derive(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError>;

    /// Makes the seal key of a new epoch and says its number.
    ///
    /// # Errors
    ///
    /// [`HsmError`].
    fn new_epoch(&self) -> Result<u32, HsmError>;

    /// Destroys the seal key of an epoch: what is sealed under it is gone.
    ///
    /// # Errors
    ///
    /// [`HsmError::NoSuchEpoch`]; [`HsmError::LastEpoch`].
    fn destroy_epoch(&self, epoch: u32) -> Result<(), HsmError>;
}

/// Why an HSM did not do what it was asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum HsmError {
    /// The ciphertext, its name or its epoch were changed, or it is sealed under another key.
    NotAuthentic,
    /// There is no seal key of this epoch: it was destroyed.
    NoSuchEpoch(u32),
    /// The newest epoch's key is not destroyed.
    LastEpoch,
    /// There are no keys here yet.
    NotInitialized,
    /// There are keys here already.
    AlreadyInitialized,
    /// The keys are there, but one could be taken out of the module.
    Exposed(&'static str),
    /// The module, its token or the key file cannot be used.
    Unavailable(String),
}

impl fmt::Display for HsmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HsmError::NotAuthentic => {
                f.write_str("sealed record does not open: it was changed, or moved")
            }
            HsmError::NoSuchEpoch(epoch) => {
                write!(f, "the key of epoch {epoch} is not there: it was destroyed")
            }
            HsmError::LastEpoch => f.write_str("the newest epoch's key is not to be destroyed"),
            HsmError::NotInitialized => {
                f.write_str("no vault keys are there yet: run `bulla-vaultd init`")
            }
            HsmError::AlreadyInitialized => f.write_str("vault keys are there already"),
            HsmError::Exposed(key) => {
                write!(f, "the {key} key can be taken out of the module: it is no vault key")
            }
            HsmError::Unavailable(why) => write!(f, "HSM cannot be used: {why}"),
        }
    }
}

impl std::error::Error for HsmError {}
