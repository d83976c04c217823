//! Registrations.

use super::turns::{Turns, generation};
use super::{Vault, VaultError};
use crate::audit::Event;
use crate::evaluator::{BeginCall, PlaceCall, Placed};
use crate::record::{Account, RegId};
use crate::store::{Key, Transaction, Versioned};

impl Vault {
    /// Begins a registration: OPAQUE's response to its request.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn register_start(
        &self,
        account: &Account,
        reg_id: &RegId,
        request: &[u8; 32],
    ) -> Result<Vec<u8>, VaultError> {
        let key = Key::Counter(*account);
        let mut turns = Turns::default();
        loop {
            turns.next()?;
            let counter = self.read_one(key)?;
            let call = BeginCall {
                account: *account,
                counter: counter.as_ref().map(|counter| counter.value.clone()),
                reg_id: *reg_id,
                request: *request,
            };
            let answer = self.evaluator.begin(&call);
            let Some(begun) = turns.settle(read_generation(counter.as_ref()), answer)? else {
                continue;
            };
            if let Some(stored) = begun.counter {
                let transaction = Transaction::default()
                    .unless_changed(key, counter.as_ref())
                    .put(key, stored.clone());
                if self.commit(&transaction)?.is_none() {
                    continue;
                }
                self.record(account, Event::Begun, &stored);
            }
            return Ok(begun.response);
        }
    }

    /// Ends a registration. Said again with the same content it changes nothing.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn register_finish(&self, mut call: PlaceCall) -> Result<Placed, VaultError> {
        let key = Key::Counter(call.account);
        let sealed_key = Key::Sealed(call.account, call.reg_id);
        let mut turns = Turns::default();
        loop {
            turns.next()?;
            let counter = self.read_one(key)?;
            call.counter = counter.as_ref().map(|counter| counter.value.clone());
            let answer = self.evaluator.place(&call);
            let Some(placed) = turns.settle(read_generation(counter.as_ref()), answer)? else {
                continue;
            };
            let held = match (&placed.change, counter) {
                (None, Some(counter)) => counter,
                (None, None) => return Err(VaultError::Conflict),
                (Some(change), counter) => {
                    let mut transaction = Transaction::default()
                        .unless_changed(key, counter.as_ref())
                        .unless_changed(sealed_key, None)
                        .put(key, change.counter.clone())
                        .put(sealed_key, change.sealed.clone());
                    if let Some(replaced) = change.replaced {
                        transaction = transaction.delete(Key::Sealed(call.account, replaced));
                    }
                    let Some(revision) = self.commit(&transaction)? else { continue };
                    self.record(&call.account, Event::Registered, &change.counter);
                    Versioned { value: change.counter.clone(), revision }
                }
            };
            if self.confirm(&call.account, &held)? {
                self.observe(&call.account, &held)?;
                return Ok(placed);
            }
        }
    }
}

/// No counter is generation zero.
fn read_generation(counter: Option<&Versioned>) -> u64 {
    counter.map_or(0, |counter| generation(&counter.value))
}
