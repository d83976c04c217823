//! Registration.

use super::retries::{Retries, generation};
use super::{Vault, VaultError};
use crate::audit::AuditEvent;
use crate::evaluator::{BeginCall, RegisterCall, Registered};
use crate::record::{Account, RegId};
use crate::store::{RecordKey, Transaction, Versioned};

impl Vault {
    /// Begins a registration and returns the OPAQUE registration response.
    ///
    /// # Errors
    ///
    /// Returns [`VaultError`] if the vault refuses the call or fails.
    pub fn register_start(
        &self,
        account: &Account,
        reg_id: &RegId,
        request: &[u8; 32],
    ) -> Result<Vec<u8>, VaultError> {
        let key = RecordKey::Counter(*account);
        let mut retries = Retries::default();
        loop {
            retries.next()?;
            let counter = self.read_one(key)?;
            let call = BeginCall {
                account: *account,
                counter: counter.as_ref().map(|counter| counter.value.clone()),
                reg_id: *reg_id,
                request: *request,
            };
            let response = self.evaluator.begin(&call);
            let Some(begun) = retries.unless_stale(read_generation(counter.as_ref()), response)?
            else {
                continue;
            };
            if let Some(stored) = begun.counter {
                let transaction = Transaction::default()
                    .unless_changed(key, counter.as_ref())
                    .put(key, stored.clone());
                if self.commit(&transaction)?.is_none() {
                    continue;
                }
                self.record(account, AuditEvent::Begun, &stored);
            }
            return Ok(begun.response);
        }
    }

    /// Completes a registration. Repeating the call with the same content changes nothing (V-4.2).
    ///
    /// # Errors
    ///
    /// Returns [`VaultError`] if the vault refuses the call or fails.
    pub fn register_finish(&self, mut call: RegisterCall) -> Result<Registered, VaultError> {
        let key = RecordKey::Counter(call.account);
        let sealed_key = RecordKey::Sealed(call.account, call.reg_id);
        let mut retries = Retries::default();
        loop {
            retries.next()?;
            let counter = self.read_one(key)?;
            call.counter = counter.as_ref().map(|counter| counter.value.clone());
            let response = self.evaluator.register(&call);
            let Some(registered) =
                retries.unless_stale(read_generation(counter.as_ref()), response)?
            else {
                continue;
            };
            let held = match (&registered.change, counter) {
                (None, Some(counter)) => counter,
                (None, None) => return Err(VaultError::Conflict),
                (Some(change), counter) => {
                    let mut transaction = Transaction::default()
                        .unless_changed(key, counter.as_ref())
                        .unless_changed(sealed_key, None)
                        .put(key, change.counter.clone())
                        .put(sealed_key, change.sealed.clone());
                    if let Some(replaced) = change.replaced {
                        transaction = transaction.delete(RecordKey::Sealed(call.account, replaced));
                    }
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    self.record(&call.account, AuditEvent::Registered, &change.counter);
                    Versioned { value: change.counter.clone(), revision }
                }
            };
            if self.confirm(&call.account, &held)? {
                self.observe(&call.account, &held)?;
                return Ok(registered);
            }
        }
    }
}

/// Returns a counter's generation, or zero if the counter is missing.
fn read_generation(counter: Option<&Versioned>) -> u64 {
    counter.map_or(0, |counter| generation(&counter.value))
}
