//! The vault's calls, step by step. The vault moves records between the store, which keeps them,
//! and the evaluator, which alone can create them. The guess limit depends on the order of these
//! steps.

mod retries;
mod view;
mod registration;
mod login;
mod deletion;
mod operations;

use std::fmt;
use std::sync::Arc;

use crate::audit::{AuditEvent, AuditLog};
use crate::evaluator::{Evaluator, ObserveCall, Refusal};
use crate::record::{Account, Digest};
use crate::store::{Commit, Held, RecordKey, Store, StoreError, Transaction, Versioned};

pub use deletion::Deletion;
pub use login::Login;
pub use operations::{Clamping, Rotation};

/// A vault over a store and an evaluator.
pub struct Vault {
    store: Arc<dyn Store>,
    evaluator: Arc<dyn Evaluator>,
    audit: Option<Arc<AuditLog>>,
}

/// An error from a call to the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultError {
    /// A message is not a valid OPAQUE message, or a number is out of range.
    Malformed,
    /// The password is wrong.
    WrongPassword {
        /// Guesses left.
        left: u8,
    },
    /// The call contradicts an earlier one.
    Conflict,
    /// The registration has no guesses left.
    Locked,
    /// The next guess is not allowed yet.
    Wait {
        /// Seconds to wait.
        seconds: u64,
        /// Guesses left.
        left: u8,
    },
    /// The store is older than the evaluator's watermark. An operator must clamp it (V-8.6).
    Frozen,
    /// A record was modified or moved by someone without the keys.
    Tampered,
    /// The store, the HSM or the evaluator is unreachable, or too few members hold a change.
    Unavailable(String),
}

impl Vault {
    /// Creates a vault over `store` and `evaluator`.
    pub fn new(
        store: Arc<dyn Store>,
        evaluator: Arc<dyn Evaluator>,
        audit: Option<Arc<AuditLog>>,
    ) -> Vault {
        Vault { store, evaluator, audit }
    }

    /// Returns the evaluator.
    pub fn evaluator(&self) -> &Arc<dyn Evaluator> {
        &self.evaluator
    }

    fn read_one(&self, key: RecordKey) -> Result<Option<Versioned>, VaultError> {
        Ok(self.store.read(&[key])?.pop().flatten())
    }

    /// Commits a transaction and returns its revision. Returns `None` if a record changed since it
    /// was read, or if the outcome is unknown. In both cases, the caller has to read again.
    fn commit(&self, transaction: &Transaction) -> Result<Option<u64>, VaultError> {
        match self.store.commit(transaction) {
            Ok(Commit::Done { revision }) => Ok(Some(revision)),
            Ok(Commit::Changed) | Err(StoreError::Unknown(_)) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Returns whether enough members hold this counter. If it returns `false`, a newer counter
    /// exists and the caller has to read again.
    fn confirm(&self, account: &Account, counter: &Versioned) -> Result<bool, VaultError> {
        Ok(self.store.confirm(&RecordKey::Counter(*account), counter)? == Held::Enough)
    }

    /// Passes a stored counter to the evaluator, which raises the account's watermark.
    fn observe(&self, account: &Account, counter: &Versioned) -> Result<(), VaultError> {
        let call = ObserveCall { account: *account, counter: counter.value.clone() };
        self.evaluator.observe(&call)?;
        Ok(())
    }

    fn record(&self, account: &Account, event: AuditEvent, counter: &[u8]) {
        if let Some(audit) = &self.audit {
            audit.record(event, account, retries::generation(counter));
        }
    }
}

/// Returns the SHA-256 digest of `bytes`.
fn sha256(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultError::Malformed => f.write_str("malformed message"),
            VaultError::WrongPassword { left } => write!(f, "wrong password; {left} guesses left"),
            VaultError::Conflict => f.write_str("request contradicts an earlier one"),
            VaultError::Locked => f.write_str("no guesses left"),
            VaultError::Wait { seconds, .. } => {
                write!(f, "too many guesses; try again in {seconds} seconds")
            }
            VaultError::Frozen => f.write_str(
                "store: rolled back to a state before the watermark; run `bulla-vaultd clamp`",
            ),
            VaultError::Tampered => f.write_str("stored record: modified or moved"),
            VaultError::Unavailable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for VaultError {}

impl From<Refusal> for VaultError {
    fn from(refusal: Refusal) -> VaultError {
        match refusal {
            Refusal::Malformed => VaultError::Malformed,
            Refusal::Tampered => VaultError::Tampered,
            Refusal::Stale { .. } => VaultError::Frozen,
            Refusal::Locked => VaultError::Locked,
            // A stand-in answers for an unknown registration, so `NoRecord` means that the
            // registration was removed between two steps.
            Refusal::NoRecord | Refusal::Conflict => VaultError::Conflict,
            Refusal::Wait { seconds, left } => VaultError::Wait { seconds, left },
            Refusal::WrongPassword { left } => VaultError::WrongPassword { left },
            Refusal::Unavailable(why) => VaultError::Unavailable(why),
        }
    }
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> VaultError {
        match error {
            StoreError::Damaged(_) => VaultError::Tampered,
            other => VaultError::Unavailable(other.to_string()),
        }
    }
}
