//! Deletions, and what an account may know of its registrations.

use super::turns::{Turns, generation};
use super::{Vault, VaultError};
use crate::audit::Event;
use crate::evaluator::{DeleteCall, Deleted};
use crate::record::{Account, COUNTER_BODY_LEN, Counter, RegId, decode_counter};
use crate::store::{Key, Transaction, Versioned};

/// What became of the wish to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing is there any more, if it ever was.
    Done,
    /// It may be deleted from this time on, in seconds since 1970.
    NotBefore(u64),
}

impl Vault {
    /// Deletes a registration.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn delete(
        &self,
        account: &Account,
        reg_id: &RegId,
        grant: Option<&[u8]>,
    ) -> Result<Deletion, VaultError> {
        let key = Key::Counter(*account);
        let mut turns = Turns::default();
        loop {
            turns.next()?;
            let Some(counter) = self.read_one(key)? else { return Ok(Deletion::Done) };
            let call = DeleteCall {
                account: *account,
                counter: counter.value.clone(),
                reg_id: *reg_id,
                grant: grant.map(<[u8]>::to_vec),
            };
            let answer = self.evaluator.delete(&call);
            let Some(deleted) = turns.settle(generation(&counter.value), answer)? else { continue };
            let unless_changed = Transaction::default().unless_changed(key, Some(&counter));
            let (transaction, value, outcome, event) = match deleted {
                Deleted::Gone => return Ok(Deletion::Done),
                Deleted::Waits(due) => return Ok(Deletion::NotBefore(due)),
                Deleted::Deleted(stored) => {
                    let transaction = unless_changed
                        .put(key, stored.clone())
                        .delete(Key::Sealed(*account, *reg_id));
                    (transaction, stored, Deletion::Done, Event::Deleted)
                }
                Deleted::Announced(stored, due) => {
                    let transaction = unless_changed.put(key, stored.clone());
                    (transaction, stored, Deletion::NotBefore(due), Event::Announced)
                }
            };
            let Some(revision) = self.commit(&transaction)? else { continue };
            self.record(account, event, &value);
            let held = Versioned { value, revision };
            self.confirm(account, &held)?;
            self.observe(account, &held)?;
            return Ok(outcome);
        }
    }

    /// An account's counter, for its owner to look at.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn status(&self, account: &Account) -> Result<Option<Counter>, VaultError> {
        let Some(counter) = self.read_one(Key::Counter(*account))? else { return Ok(None) };
        let body = counter.value.get(..COUNTER_BODY_LEN).ok_or(VaultError::Tampered)?;
        decode_counter(body).map(Some).map_err(|_| VaultError::Tampered)
    }
}
