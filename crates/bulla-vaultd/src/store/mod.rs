//! Record storage. Records are small byte strings that change only by compare-and-swap.
//!
//! | store | for |
//! |---|---|
//! | [`Embedded`] | a single node: redb, which syncs each transaction to disk before it returns |
//! | [`Etcd`] | several data centres: etcd, through its JSON gateway |
//!
//! All stores guarantee that a read sees every transaction that returned before the read began,
//! that a transaction applies all its changes or none, and that each change gives a record a new
//! revision. If the outcome of a transaction is unknown, the store returns [`StoreError::Unknown`],
//! and a later read shows the outcome.

#[cfg(feature = "server")]
mod embedded;
pub(crate) mod etcd;

use std::fmt;

#[cfg(feature = "server")]
pub use embedded::Embedded;
pub use etcd::{Etcd, EtcdOptions};

use crate::record::{Account, RegId};

/// The key of a record in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    /// An account's counter.
    Counter(Account),
    /// A registration's sealed record.
    Sealed(Account, RegId),
    /// An account's watermark: the newest counter that an evaluator has seen.
    Watermark(Account),
}

/// The kinds of records that each account has at most one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Counters.
    Counter,
    /// Watermarks.
    Watermark,
}

/// A value with its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value.
    pub value: Vec<u8>,
    /// The revision of the transaction that wrote it.
    pub revision: u64,
}

/// A change to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Write these bytes.
    Put(Vec<u8>),
    /// Delete the record.
    Delete,
}

/// A transaction. It applies all changes if all conditions hold, and none otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Conditions: the revision that each record must have, or `None` if the record must not exist.
    pub unchanged: Vec<(RecordKey, Option<u64>)>,
    /// The changes.
    pub changes: Vec<(RecordKey, Change)>,
}

impl Transaction {
    /// Adds the condition that a record has not changed since it was read.
    pub fn unless_changed(mut self, key: RecordKey, read: Option<&Versioned>) -> Transaction {
        self.unchanged.push((key, read.map(|read| read.revision)));
        self
    }

    /// Adds a write.
    pub fn put(mut self, key: RecordKey, value: Vec<u8>) -> Transaction {
        self.changes.push((key, Change::Put(value)));
        self
    }

    /// Adds a deletion.
    pub fn delete(mut self, key: RecordKey) -> Transaction {
        self.changes.push((key, Change::Delete));
        self
    }
}

/// The result of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// The changes were applied.
    Done {
        /// The new revision of every record that was written.
        revision: u64,
    },
    /// A condition did not hold. Nothing changed.
    Changed,
}

/// The result of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Enough members hold exactly this value and revision.
    Enough,
    /// At least one member has a newer revision. The caller has to read again.
    Newer,
}

/// An error from a store.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The outcome of a transaction is unknown. A later read shows it.
    Unknown(String),
    /// Nothing was done, because a quorum, the network or a disk was unavailable.
    Unavailable(String),
    /// Too few members hold the value.
    TooFew {
        /// Members that hold it.
        held: usize,
        /// Members required.
        needed: usize,
    },
    /// The store contains or returned invalid data.
    Damaged(String),
}

/// A store of records.
pub trait Store: Send + Sync {
    /// Reads records as of a single point in time. The result reflects every transaction that
    /// returned before this call.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the store fails.
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError>;

    /// Commits a transaction. When this returns [`Commit::Done`], the changes survive the loss of
    /// any one disk in a cluster.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Unknown`] if the transaction may have been applied.
    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError>;

    /// Asks each member whether it holds this value and revision, and waits until enough members
    /// do. After that, the value survives even if one member is rolled back to an earlier state.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::TooFew`] if too few members hold it.
    fn confirm(&self, key: &RecordKey, held: &Versioned) -> Result<Held, StoreError>;

    /// Lists at most `limit` accounts after `after` that have a record of this kind, in ascending
    /// order.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the store cannot be read.
    fn accounts(
        &self,
        kind: RecordKind,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError>;
}

impl RecordKind {
    /// Returns the first possible encoded key after `after`, and the first byte of the keys beyond
    /// the range.
    fn range(self, after: Option<&Account>) -> (Vec<u8>, u8) {
        let letter = match self {
            RecordKind::Counter => b'c',
            RecordKind::Watermark => b'm',
        };
        let mut from = vec![letter];
        if let Some(after) = after {
            from.extend_from_slice(after);
            // The next key in order is longer by a zero byte.
            from.push(0);
        }
        (from, letter + 1)
    }
}

impl RecordKey {
    /// Encodes the key: a letter, the account, the registration.
    pub fn encode(&self) -> Vec<u8> {
        let (letter, account, reg_id) = match self {
            RecordKey::Counter(account) => (b'c', account, None),
            RecordKey::Sealed(account, reg_id) => (b's', account, Some(reg_id)),
            RecordKey::Watermark(account) => (b'm', account, None),
        };
        let mut bytes = vec![letter];
        bytes.extend_from_slice(account);
        reg_id.into_iter().for_each(|reg_id| bytes.extend_from_slice(reg_id));
        bytes
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Unknown(why) => {
                write!(f, "store: the outcome of a change is unknown: {why}")
            }
            StoreError::Unavailable(why) => write!(f, "store: {why}"),
            StoreError::TooFew { held, needed } => {
                write!(f, "store: {held} members hold the change, {needed} are required")
            }
            StoreError::Damaged(why) => write!(f, "store: invalid data: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}
