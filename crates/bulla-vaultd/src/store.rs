//! Where records lie: small byte strings, changed by compare-and-swap only.
//!
//! | store | for |
//! |---|---|
//! | [`Embedded`] | one node: redb, every transaction on the disk before it returns |
//! | [`Etcd`] | several data centres: etcd, through its JSON gateway |
//!
//! What a caller may rely on: a read sees every transaction that returned before it began; a
//! transaction changes all or nothing; a record's revision is different after each change. A
//! transaction whose outcome is not known says so, and a later read tells.

#[cfg(feature = "server")]
mod embedded;
pub(crate) mod etcd;
pub(crate) mod gateway;

use std::fmt;

#[cfg(feature = "server")]
pub use embedded::Embedded;
pub use etcd::{Etcd, EtcdOptions};

use crate::record::{Account, RegId};

/// The name of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An account's counter.
    Counter(Account),
    /// What is sealed for a registration.
    Sealed(Account, RegId),
    /// The newest counter of an account that an evaluator has seen.
    Mark(Account),
}

/// The kinds of records of which an account has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Counters.
    Counter,
    /// Marks.
    Mark,
}

/// What lies under a name, and since which change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The bytes.
    pub value: Vec<u8>,
    /// The change that put them there.
    pub revision: u64,
}

/// What a transaction makes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These bytes lie there.
    Put(Vec<u8>),
    /// Nothing lies there.
    Delete,
}

/// All the changes, if all the records are as they were read; else none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// The revisions that the records must have, none for a record that must not be there.
    pub unchanged: Vec<(Key, Option<u64>)>,
    /// The changes.
    pub changes: Vec<(Key, Change)>,
}

impl Transaction {
    /// Adds a record that must be as it was read.
    pub fn unless_changed(mut self, key: Key, read: Option<&Versioned>) -> Transaction {
        self.unchanged.push((key, read.map(|read| read.revision)));
        self
    }

    /// Adds a change.
    pub fn put(mut self, key: Key, value: Vec<u8>) -> Transaction {
        self.changes.push((key, Change::Put(value)));
        self
    }

    /// Adds a deletion.
    pub fn delete(mut self, key: Key) -> Transaction {
        self.changes.push((key, Change::Delete));
        self
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// Done. Every record that was put has this revision.
    Done {
        /// The revision.
        revision: u64,
    },
    /// A record was not as it was read. Nothing changed.
    Changed,
}

/// What members hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Enough of them hold exactly this value of this revision.
    Enough,
    /// A newer one is on the way to them or there: read again.
    Newer,
}

/// Why a store did not do what it was asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// It may have been done or not: read what is there.
    Unknown(String),
    /// Nothing was done: no quorum, no network, no disk.
    Unavailable(String),
    /// Too few members hold what was committed.
    TooFew {
        /// Members that hold it.
        held: usize,
        /// Members that must.
        needed: usize,
    },
    /// What lies there is no record, or the store answers what it cannot.
    Damaged(String),
}

/// A place for records.
pub trait Store: Send + Sync {
    /// The records of these names, all as of one moment, with every transaction in it that was done
    /// before.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    fn read(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError>;

    /// Does a transaction. When it says that it is done, it is on enough disks to outlive any one
    /// of them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unknown`] if it may have been done.
    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError>;

    /// Asks the members one by one whether they hold this, and counts those that do: enough of them
    /// that one member may be set back to an older state, and still no majority forgets it.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooFew`].
    fn confirm(&self, key: &Key, held: &Versioned) -> Result<Held, StoreError>;

    /// The accounts that have a record of this kind, after this account in ascending order, at most
    /// so many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    fn accounts(
        &self,
        kind: Kind,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError>;
}

impl Kind {
    /// The names after this account's, up to where another kind begins.
    fn range(self, after: Option<&Account>) -> (Vec<u8>, u8) {
        let letter = match self {
            Kind::Counter => b'c',
            Kind::Mark => b'm',
        };
        let mut from = vec![letter];
        if let Some(after) = after {
            from.extend_from_slice(after);
            // The next name in order: one byte longer.
            from.push(0);
        }
        (from, letter + 1)
    }
}

impl Key {
    /// Its bytes: a letter, the account, the registration.
    pub fn encode(&self) -> Vec<u8> {
        let (letter, account, reg_id) = match self {
            Key::Counter(account) => (b'c', account, None),
            Key::Sealed(account, reg_id) => (b's', account, Some(reg_id)),
            Key::Mark(account) => (b'm', account, None),
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
                write!(f, "store did not say whether the change was made: {why}")
            }
            StoreError::Unavailable(why) => write!(f, "store is not available: {why}"),
            StoreError::TooFew { held, needed } => {
                write!(
                    f,
                    "{held} members hold the change, and {needed} must: one may be down or behind"
                )
            }
            StoreError::Damaged(why) => write!(f, "store holds or answers what it cannot: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}
