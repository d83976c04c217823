//! The vault: what its calls do to the records, step by step. It carries records between the store,
//! which keeps them, and the evaluator, which alone can make them; the order of its steps is what
//! the limit on guesses hangs on.

mod deleting;
mod login;
mod operating;
mod registering;
mod turns;
mod view;

use std::fmt;
use std::sync::Arc;

use crate::audit::{Audit, Event};
use crate::evaluator::{Evaluator, ObserveCall, Refusal};
use crate::record::{Account, Digest};
use crate::store::{Commit, Held, Key, Store, StoreError, Transaction, Versioned};

pub use deleting::Deletion;
pub use login::Login;
pub use operating::{Clamping, Rotation};

/// A vault.
pub struct Vault {
    store: Arc<dyn Store>,
    evaluator: Arc<dyn Evaluator>,
    audit: Option<Arc<Audit>>,
}

/// Why a vault says no.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultError {
    /// A message of OPAQUE is none, or a number is out of its bounds.
    Malformed,
    /// The password is wrong.
    WrongPassword {
        /// Guesses left.
        left: u8,
    },
    /// The call contradicts one before it.
    Conflict,
    /// The guesses ran out.
    Locked,
    /// Not before so many seconds.
    Wait {
        /// Seconds.
        seconds: u64,
        /// Guesses left.
        left: u8,
    },
    /// The store is older than what was seen of it: an operator has to look at it.
    Frozen,
    /// A record was changed or moved by somebody without the keys.
    Tampered,
    /// The store, the HSM or the evaluator cannot be reached, or too few members hold a change.
    Unavailable(String),
}

impl Vault {
    /// A vault over this store and evaluator.
    pub fn new(
        store: Arc<dyn Store>,
        evaluator: Arc<dyn Evaluator>,
        audit: Option<Arc<Audit>>,
    ) -> Vault {
        Vault { store, evaluator, audit }
    }

    /// The evaluator.
    pub fn evaluator(&self) -> &Arc<dyn Evaluator> {
        &self.evaluator
    }

    fn read_one(&self, key: Key) -> Result<Option<Versioned>, VaultError> {
        Ok(self.store.read(&[key])?.pop().flatten())
    }

    /// Does a transaction. No revision if something changed since it was read, or if nobody knows
    /// what became of it: then what is there has to be read again, and tells.
    fn commit(&self, transaction: &Transaction) -> Result<Option<u64>, VaultError> {
        match self.store.commit(transaction) {
            Ok(Commit::Done { revision }) => Ok(Some(revision)),
            Ok(Commit::Changed) | Err(StoreError::Unknown(_)) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Whether enough members hold this counter. If not because there is a newer one, it has to be
    /// read again.
    fn confirm(&self, account: &Account, counter: &Versioned) -> Result<bool, VaultError> {
        Ok(self.store.confirm(&Key::Counter(*account), counter)? == Held::Enough)
    }

    /// Tells the evaluator of a stored counter.
    fn observe(&self, account: &Account, counter: &Versioned) -> Result<(), VaultError> {
        let call = ObserveCall { account: *account, counter: counter.value.clone() };
        self.evaluator.observe(&call)?;
        Ok(())
    }

    fn record(&self, account: &Account, event: Event, counter: &[u8]) {
        if let Some(audit) = &self.audit {
            audit.record(event, account, turns::generation(counter));
        }
    }
}

/// SHA-256.
fn sha256(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultError::Malformed => f.write_str("message is none of the protocol's"),
            VaultError::WrongPassword { left } => write!(f, "wrong password, {left} guesses left"),
            VaultError::Conflict => f.write_str("call contradicts an earlier one"),
            VaultError::Locked => f.write_str("guesses ran out"),
            VaultError::Wait { seconds, .. } => write!(f, "not before {seconds} seconds"),
            VaultError::Frozen => f.write_str(
                "store is older than what was seen of it: it was set back, and an operator has to clamp it",
            ),
            VaultError::Tampered => f.write_str("a record was changed or moved by somebody without the keys"),
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
            // What is not there is answered by a stand-in; a registration that vanished between two
            // steps contradicts them.
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
