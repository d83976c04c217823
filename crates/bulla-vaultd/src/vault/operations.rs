//! Operator tasks: rotating epochs, and clamping counters after the store was rolled back.

use std::time::Duration;

use super::retries::{Retries, generation};
use super::{Vault, VaultError};
use crate::audit::AuditEvent;
use crate::evaluator::{ClampCall, EpochCall, Epochs, Refusal, ResealCall, WatermarkedCall};
use crate::record::{Account, COUNTER_BODY_LEN, decode_counter};
use crate::store::{RecordKey, RecordKind, Transaction};

/// Number of accounts listed at a time.
const PAGE: usize = 500;

/// The result of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The new epoch. The keys of all earlier epochs have been destroyed.
    pub epoch: u32,
    /// Number of accounts whose records were resealed.
    pub resealed: u64,
}

/// The result of clamping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clamping {
    /// Number of accounts whose counter had been rolled back and is now clamped.
    pub clamped: u64,
    /// Number of registrations lost in the rollback.
    pub lost: u64,
}

impl Vault {
    /// Begins a new epoch, reseals every live record under its key, and destroys the older keys.
    /// `settling` is the longest time that any server may still spend on a call that began before
    /// the new key existed.
    ///
    /// # Errors
    ///
    /// Returns [`VaultError`] if a step fails. All live records can still be opened, and the
    /// rotation can be started again.
    pub fn rotate(&self, settling: Duration) -> Result<Rotation, VaultError> {
        let Epochs(epochs) = self.evaluator.epoch(&EpochCall::Begin)?;
        let epoch = epochs.last().copied().unwrap_or(0);
        let mut resealed = self.reseal_all()?;
        loop {
            // A registration sealed under the old key may not have reached the store yet.
            std::thread::sleep(settling);
            match self.reseal_all()? {
                0 => break,
                more => resealed += more,
            }
        }
        self.evaluator.epoch(&EpochCall::RetireBefore(epoch))?;
        self.record(&[0; 32], AuditEvent::Rotated, &[]);
        Ok(Rotation { epoch, resealed })
    }

    fn reseal_all(&self) -> Result<u64, VaultError> {
        let mut resealed = 0;
        let mut last = None;
        loop {
            let page = self.store.accounts(RecordKind::Counter, last.as_ref(), PAGE)?;
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
        let key = RecordKey::Counter(*account);
        let mut retries = Retries::default();
        loop {
            retries.next()?;
            let Some(counter) = self.read_one(key)? else { return Ok(false) };
            let body = counter.value.get(..COUNTER_BODY_LEN).ok_or(VaultError::Tampered)?;
            let decoded = decode_counter(body).map_err(|_| VaultError::Tampered)?;
            let named = decoded.live.iter().chain(&decoded.pending);
            let keys: Vec<_> = named
                .map(|registration| RecordKey::Sealed(*account, registration.reg_id))
                .collect();
            let read = self.store.read(&keys)?;
            let sealed = keys.iter().zip(read).filter_map(|(key, read)| match (key, read) {
                (RecordKey::Sealed(_, reg_id), Some(read)) => Some((*reg_id, read.value)),
                _ => None,
            });
            let call = ResealCall {
                account: *account,
                counter: counter.value.clone(),
                sealed: sealed.collect(),
            };
            let response = self.evaluator.reseal(&call);
            // The counter and the sealed records are read in two steps. If a login changed them in
            // between, they do not match and have to be read again.
            let response = match response {
                Err(Refusal::Tampered) if self.read_one(key)?.as_ref() != Some(&counter) => {
                    continue;
                }
                response => response,
            };
            let Some(resealed) = retries.unless_stale(generation(&counter.value), response)? else {
                continue;
            };
            let Some((stored, records)) = resealed.change else { return Ok(false) };
            let mut transaction =
                Transaction::default().unless_changed(key, Some(&counter)).put(key, stored);
            for (reg_id, record) in records {
                transaction = transaction.put(RecordKey::Sealed(*account, reg_id), record);
            }
            if self.commit(&transaction)?.is_some() {
                return Ok(true);
            }
        }
    }

    /// Makes a rolled-back store usable again. It replaces each counter that is older than its
    /// watermark with one that allows no more guesses than either, so that no spent guess is
    /// restored (V-8.6). Registrations that the store has lost stay lost.
    ///
    /// # Errors
    ///
    /// Returns [`VaultError`] if a step fails. Clamping can be started again.
    pub fn clamp(&self) -> Result<Clamping, VaultError> {
        let mut done = Clamping::default();
        let mut after = None;
        loop {
            let page = self.evaluator.watermarked(&WatermarkedCall { after })?.0;
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
        let key = RecordKey::Counter(*account);
        let mut retries = Retries::default();
        loop {
            retries.next()?;
            let counter = self.read_one(key)?;
            let call =
                ClampCall { account: *account, counter: counter.as_ref().map(|c| c.value.clone()) };
            let Some((stored, lost)) = self.evaluator.clamp(&call)?.change else { return Ok(None) };
            let mut transaction = Transaction::default()
                .unless_changed(key, counter.as_ref())
                .put(key, stored.clone());
            for reg_id in &lost {
                transaction = transaction.delete(RecordKey::Sealed(*account, *reg_id));
            }
            if self.commit(&transaction)?.is_some() {
                self.record(account, AuditEvent::Clamped, &stored);
                return Ok(Some(lost.len() as u64));
            }
        }
    }
}
