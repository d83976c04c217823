//! The records that a login works on, including stand-ins for unknown registrations.
//!
//! A stand-in has a counter and a sealed record. Because all keys are hashes, only the vault can
//! tell the stand-in's keys from any others. The registration's records and the stand-in's are
//! always read together, so that known and unknown registrations cause the same reads (V-8.5).

use super::retries::{Retries, generation};
use super::{Vault, VaultError, sha256};
use crate::evaluator::StandInCall;
use crate::record::{Account, COUNTER_BODY_LEN, RegId, decode_counter};
use crate::store::{RecordKey, Transaction, Versioned};

/// The records that a login works on.
pub(super) struct View {
    pub(super) account: Account,
    pub(super) reg_id: RegId,
    pub(super) counter: Versioned,
    pub(super) sealed: Option<Versioned>,
}

impl View {
    pub(super) fn generation(&self) -> u64 {
        generation(&self.counter.value)
    }

    pub(super) fn counter_key(&self) -> RecordKey {
        RecordKey::Counter(self.account)
    }

    pub(super) fn sealed_key(&self) -> RecordKey {
        RecordKey::Sealed(self.account, self.reg_id)
    }

    /// Starts a transaction that does nothing if either record has changed.
    pub(super) fn unless_changed(&self) -> Transaction {
        Transaction::default()
            .unless_changed(self.counter_key(), Some(&self.counter))
            .unless_changed(self.sealed_key(), self.sealed.as_ref())
    }

    /// Returns the sealed record's bytes. If the record is missing, the result is empty, and the
    /// evaluator rejects it as it would a wrong record.
    pub(super) fn sealed_bytes(&self) -> Vec<u8> {
        self.sealed.as_ref().map_or_else(Vec::new, |sealed| sealed.value.clone())
    }
}

impl Vault {
    /// Reads a registration's records, or its stand-in's. The stand-in is created if necessary.
    pub(super) fn view(
        &self,
        retries: &mut Retries,
        account: &Account,
        reg_id: &RegId,
    ) -> Result<View, VaultError> {
        let stand_in = sha256(&[b"bulla v1 vault stand-in account\0", &account[..]].concat());
        let stand_in_reg_id =
            sha256(&[b"bulla v1 vault stand-in registration\0", &account[..]].concat());
        loop {
            retries.next()?;
            let keys = [
                RecordKey::Counter(*account),
                RecordKey::Sealed(*account, *reg_id),
                RecordKey::Counter(stand_in),
                RecordKey::Sealed(stand_in, stand_in_reg_id),
            ];
            let read: [Option<Versioned>; 4] =
                self.store.read(&keys)?.try_into().map_err(|_| {
                    VaultError::Unavailable("store: wrong number of records".to_owned())
                })?;
            let [counter, sealed, stand_in_counter, stand_in_sealed] = read;
            if let Some(counter) = counter.filter(|counter| names(&counter.value, reg_id)) {
                return Ok(View { account: *account, reg_id: *reg_id, counter, sealed });
            }
            if let Some(counter) = stand_in_counter {
                return Ok(View {
                    account: stand_in,
                    reg_id: stand_in_reg_id,
                    counter,
                    sealed: stand_in_sealed,
                });
            }
            let response = self
                .evaluator
                .stand_in(&StandInCall { account: stand_in, reg_id: stand_in_reg_id });
            if let Some(made) = retries.unless_stale(0, response)? {
                let transaction = Transaction::default()
                    .unless_changed(keys[2], None)
                    .unless_changed(keys[3], None)
                    .put(keys[2], made.counter)
                    .put(keys[3], made.sealed);
                self.commit(&transaction)?;
            }
        }
    }
}

/// Returns whether a counter names a registration. The evaluator checks the MAC later. Malformed
/// bytes count as naming the registration, so that the evaluator rejects them instead of a stand-in
/// hiding them.
fn names(counter: &[u8], reg_id: &RegId) -> bool {
    let decoded = counter.get(..COUNTER_BODY_LEN).map(decode_counter);
    !matches!(decoded, Some(Ok(counter)) if counter.registration(reg_id).is_none())
}
