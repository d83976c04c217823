//! What is read of an account before a login, and what stands in for a registration that is not
//! there.
//!
//! A stand-in has a counter and a sealed record of its own, under names that only the vault can
//! tell from others' (they are hashes, as all names). Both are always read together, so that a
//! store is asked the same in either case.

use super::turns::{Turns, generation};
use super::{Vault, VaultError, sha256};
use crate::evaluator::StandInCall;
use crate::record::{Account, COUNTER_BODY_LEN, RegId, decode_counter};
use crate::store::{Key, Transaction, Versioned};

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

    pub(super) fn counter_key(&self) -> Key {
        Key::Counter(self.account)
    }

    pub(super) fn sealed_key(&self) -> Key {
        Key::Sealed(self.account, self.reg_id)
    }

    /// A transaction that does nothing if either record was changed.
    pub(super) fn unless_changed(&self) -> Transaction {
        Transaction::default()
            .unless_changed(self.counter_key(), Some(&self.counter))
            .unless_changed(self.sealed_key(), self.sealed.as_ref())
    }

    /// The sealed record's bytes; none is as wrong as any other.
    pub(super) fn sealed_bytes(&self) -> Vec<u8> {
        self.sealed.as_ref().map_or_else(Vec::new, |sealed| sealed.value.clone())
    }
}

impl Vault {
    /// What lies there for a registration, or stands in for it.
    pub(super) fn view(
        &self,
        turns: &mut Turns,
        account: &Account,
        reg_id: &RegId,
    ) -> Result<View, VaultError> {
        let shade = sha256(&[b"bulla v1 vault stand-in account\0", &account[..]].concat());
        let shade_reg_id =
            sha256(&[b"bulla v1 vault stand-in registration\0", &account[..]].concat());
        loop {
            turns.next()?;
            let keys = [
                Key::Counter(*account),
                Key::Sealed(*account, *reg_id),
                Key::Counter(shade),
                Key::Sealed(shade, shade_reg_id),
            ];
            let read: [Option<Versioned>; 4] =
                self.store.read(&keys)?.try_into().map_err(|_| {
                    VaultError::Unavailable("store answers something else".to_owned())
                })?;
            let [counter, sealed, shade_counter, shade_sealed] = read;
            if let Some(counter) = counter.filter(|counter| names(&counter.value, reg_id)) {
                return Ok(View { account: *account, reg_id: *reg_id, counter, sealed });
            }
            if let Some(counter) = shade_counter {
                return Ok(View {
                    account: shade,
                    reg_id: shade_reg_id,
                    counter,
                    sealed: shade_sealed,
                });
            }
            let answer =
                self.evaluator.stand_in(&StandInCall { account: shade, reg_id: shade_reg_id });
            if let Some(made) = turns.settle(0, answer)? {
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

/// Whether a counter names a registration. Its MAC is the evaluator's to check; what is no counter
/// at all is passed on to it too, rather than passed over as if nothing were there.
fn names(counter: &[u8], reg_id: &RegId) -> bool {
    let decoded = counter.get(..COUNTER_BODY_LEN).map(decode_counter);
    !matches!(decoded, Some(Ok(counter)) if counter.slot(reg_id).is_none())
}
