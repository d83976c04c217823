//! What an operator has the vault do: rotate epochs, and go on after the store was set back.

use std::time::Duration;

use super::turns::{Turns, generation};
use super::{Vault, VaultError};
use crate::audit::Event;
use crate::evaluator::{ClampCall, EpochCall, Epochs, MarkedCall, Refusal, ResealCall};
use crate::record::{Account, COUNTER_BODY_LEN, decode_counter};
use crate::store::{Key, Kind, Transaction};

/// Accounts that are named at a time.
const PAGE: usize = 500;

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The epoch that records are sealed under from now on. The keys of all before it are
    /// destroyed.
    pub epoch: u32,
    /// Accounts whose records were sealed anew.
    pub resealed: u64,
}

/// What clamping did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clamping {
    /// Accounts whose counter was set back and is clamped now.
    pub clamped: u64,
    /// Registrations that were lost by that.
    pub lost: u64,
}

impl Vault {
    /// Begins a new epoch, seals every live record under its key, and destroys the keys before it.
    /// `settling` is how long a call may take that began before the new key was there, on any
    /// server.
    ///
    /// # Errors
    ///
    /// [`VaultError`]. Then no key was destroyed; it may be begun again.
    pub fn rotate(&self, settling: Duration) -> Result<Rotation, VaultError> {
        let Epochs(epochs) = self.evaluator.epoch(&EpochCall::Begin)?;
        let epoch = epochs.last().copied().unwrap_or(0);
        let mut resealed = self.reseal_all()?;
        loop {
            // A registration that was sealed under the old key may still be on its way to the
            // store.
            std::thread::sleep(settling);
            match self.reseal_all()? {
                0 => break,
                more => resealed += more,
            }
        }
        self.evaluator.epoch(&EpochCall::RetireBefore(epoch))?;
        self.record(&[0; 32], Event::Rotated, &[]);
        Ok(Rotation { epoch, resealed })
    }

    fn reseal_all(&self) -> Result<u64, VaultError> {
        let mut resealed = 0;
        let mut last = None;
        loop {
            let page = self.store.accounts(Kind::Counter, last.as_ref(), PAGE)?;
            for account in &page {
                resealed += u64::from(self.reseal(account)?);
            }
            last = match page.last() {
                Some(account) => Some(*account),
                None => return Ok(resealed),
            };
        }
    }

    fn reseal(&self, account: &Account) -> Result<bool, VaultError> {
        let key = Key::Counter(*account);
        let mut turns = Turns::default();
        loop {
            turns.next()?;
            let Some(counter) = self.read_one(key)? else { return Ok(false) };
            let body = counter.value.get(..COUNTER_BODY_LEN).ok_or(VaultError::Tampered)?;
            let decoded = decode_counter(body).map_err(|_| VaultError::Tampered)?;
            let named = decoded.live.iter().chain(&decoded.pending);
            let keys: Vec<_> = named.map(|slot| Key::Sealed(*account, slot.reg_id)).collect();
            let read = self.store.read(&keys)?;
            let sealed = keys.iter().zip(read).filter_map(|(key, read)| match (key, read) {
                (Key::Sealed(_, reg_id), Some(read)) => Some((*reg_id, read.value)),
                _ => None,
            });
            let call = ResealCall {
                account: *account,
                counter: counter.value.clone(),
                sealed: sealed.collect(),
            };
            let answer = self.evaluator.reseal(&call);
            // The two reads are of two moments; if a login came between them, the records do not
            // fit and are read again.
            let answer = match answer {
                Err(Refusal::Tampered) if self.read_one(key)?.as_ref() != Some(&counter) => {
                    continue;
                }
                answer => answer,
            };
            let Some(resealed) = turns.settle(generation(&counter.value), answer)? else {
                continue;
            };
            let Some((stored, records)) = resealed.change else { return Ok(false) };
            let mut transaction =
                Transaction::default().unless_changed(key, Some(&counter)).put(key, stored);
            for (reg_id, record) in records {
                transaction = transaction.put(Key::Sealed(*account, reg_id), record);
            }
            if self.commit(&transaction)?.is_some() {
                return Ok(true);
            }
        }
    }

    /// Goes on after the store was set back: each counter that is older than its mark is replaced
    /// by one that allows no more than either. What the store has lost, an account loses; no
    /// guess comes back.
    ///
    /// # Errors
    ///
    /// [`VaultError`]. It may be begun again.
    pub fn clamp(&self) -> Result<Clamping, VaultError> {
        let mut done = Clamping::default();
        let mut after = None;
        loop {
            let page = self.evaluator.marked(&MarkedCall { after })?.0;
            for account in &page {
                if let Some(lost) = self.clamp_one(account)? {
                    done.clamped += 1;
                    done.lost += lost;
                }
            }
            after = match page.last() {
                Some(account) => Some(*account),
                None => return Ok(done),
            };
        }
    }

    fn clamp_one(&self, account: &Account) -> Result<Option<u64>, VaultError> {
        let key = Key::Counter(*account);
        let mut turns = Turns::default();
        loop {
            turns.next()?;
            let counter = self.read_one(key)?;
            let call =
                ClampCall { account: *account, counter: counter.as_ref().map(|c| c.value.clone()) };
            let Some((stored, lost)) = self.evaluator.clamp(&call)?.change else { return Ok(None) };
            let mut transaction = Transaction::default()
                .unless_changed(key, counter.as_ref())
                .put(key, stored.clone());
            for reg_id in &lost {
                transaction = transaction.delete(Key::Sealed(*account, *reg_id));
            }
            if self.commit(&transaction)?.is_some() {
                self.record(account, Event::Clamped, &stored);
                return Ok(Some(lost.len() as u64));
            }
        }
    }
}
