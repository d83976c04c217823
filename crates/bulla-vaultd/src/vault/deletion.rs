//! Deletion, and account status.

use super::retries::{Retries, generation};
use super::{Vault, VaultError};
use crate::audit::AuditEvent;
use crate::evaluator::{DeleteCall, Deleted};
use crate::record::{Account, COUNTER_BODY_LEN, Counter, RegId, decode_counter};
use crate::store::{RecordKey, Transaction, Versioned};

/// The result of a deletion request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The registration does not exist, or no longer exists.
    Done,
    /// The registration may be deleted from this Unix time onwards.
    NotBefore(u64),
}

impl Vault {
    /// Deletes a registration, or announces its deletion.
    ///
    /// # Errors
    ///
    /// Returns [`VaultError`] if the vault refuses the call or fails.
    pub fn delete(
        &self,
        account: &Account,
        reg_id: &RegId,
        grant: Option<&[u8]>,
    ) -> Result<Deletion, VaultError> {
        let key = RecordKey::Counter(*account);
        let mut retries = Retries::default();
        loop {
            retries.next()?;
            let Some(counter) = self.read_one(key)? else { return Ok(Deletion::Done) };
            let call = DeleteCall {
                account: *account,
                counter: counter.value.clone(),
                reg_id: *reg_id,
                grant: grant.map(<[u8]>::to_vec),
            };
            let response = self.evaluator.delete(&call);
            let Some(deleted) = retries.unless_stale(generation(&counter.value), response)? else {
                continue;
            };
            let unless_changed = Transaction::default().unless_changed(key, Some(&counter));
            let (transaction, value, outcome, event) = match deleted {
                Deleted::Gone => return Ok(Deletion::Done),
                Deleted::Waits(due) => return Ok(Deletion::NotBefore(due)),
                Deleted::Deleted(stored) => {
                    let transaction = unless_changed
                        .put(key, stored.clone())
                        .delete(RecordKey::Sealed(*account, *reg_id));
                    (transaction, stored, Deletion::Done, AuditEvent::Deleted)
                }
                Deleted::Announced(stored, due) => {
                    let transaction = unless_changed.put(key, stored.clone());
                    (transaction, stored, Deletion::NotBefore(due), AuditEvent::Announced)
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

    /// Returns an account's counter, so that it can be shown to the account's owner. The counter is
    /// not authenticated.
    ///
    /// # Errors
    ///
    /// Returns [`VaultError::Tampered`] if the stored bytes are not a counter.
    pub fn status(&self, account: &Account) -> Result<Option<Counter>, VaultError> {
        let Some(counter) = self.read_one(RecordKey::Counter(*account))? else { return Ok(None) };
        let body = counter.value.get(..COUNTER_BODY_LEN).ok_or(VaultError::Tampered)?;
        decode_counter(body).map(Some).map_err(|_| VaultError::Tampered)
    }
}
