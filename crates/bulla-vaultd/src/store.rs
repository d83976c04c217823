//! Storage of records: small byte strings that change only by compare-and-swap.
//!
//! | store | for |
//! |---|---|
//! | [`Embedded`] | one node: redb, with every transaction on the disk before it returns |
//! | [`Etcd`] | several data centres: etcd, through its JSON gateway |
//!
//! All stores guarantee that a read sees every transaction that returned before the read began,
//! that a transaction applies all its changes or none, and that each change gives a record a new
//! revision. If the outcome of a transaction is unknown, it returns [`StoreError::Unknown`], and a
//! later read shows the outcome.

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
    /// The sealed record of a registration.
    Sealed(Account, RegId),
    /// The watermark of an account: the newest counter that an evaluator has seen.
    Watermark(Account),
}

/// The kinds of records of which each account has at most one.
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

/// A transaction. It applies all changes if all conditions hold, otherwise none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Conditions: the revision that each record must have, or `None` if it must not exist.
    pub unchanged: Vec<(RecordKey, Option<u64>)>,
    /// The changes.
    pub changes: Vec<(RecordKey, Change)>,
}

impl Transaction {
    /// Adds the condition that a record is as it was read.
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
        /// The revision of every record that was written.
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
    /// At least one member has a newer revision. Read again.
    Newer,
}

/// An error of a store.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The outcome of a transaction is unknown. A read shows it.
    Unknown(String),
    /// Nothing was done, for lack of a quorum, a network or a disk.
    Unavailable(String),
    /// Too few members hold the value.
    TooFew {
        /// Members that hold it.
        held: usize,
        /// Members required.
        needed: usize,
    },
    /// The store contains or returns something invalid.
    Damaged(String),
}

/// A store of records.
pub trait Store: Send + Sync {
    /// Reads records as of one moment, which includes every transaction that returned before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError>;

    /// Commits a transaction. When this returns [`Commit::Done`], the changes survive the loss of
    /// any one disk of a cluster.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unknown`] if the transaction may have been applied.
    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError>;

    /// Asks each member whether it holds this value and revision, and waits until enough do. Then
    /// the value survives even if one member is restored from an old state.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooFew`] if too few members hold it.
    fn confirm(&self, key: &RecordKey, held: &Versioned) -> Result<Held, StoreError>;

    /// Lists the accounts with a record of this kind, in ascending order after `after`, at most
    /// `limit` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot be read.
    fn accounts(
        &self,
        kind: RecordKind,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError>;
}

impl RecordKind {
    /// Returns the first encoded key after `after`, and the first byte of the keys beyond.
    fn range(self, after: Option<&Account>) -> (Vec<u8>, u8) {
        let letter = match self {
            RecordKind::Counter => b'c',
            RecordKind::Watermark => b'm',
        };
        let mut from = vec![letter];
        if let Some(after) = after {
            from.extend_from_slice(after);
            // The next key in order is one byte longer.
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
                write!(f, "store: outcome of a change unknown: {why}")
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
