//! Watermarks: for each account, the newest counter that a guess was evaluated with. Watermarks
//! reveal that the record store was rolled back. They are stored separately from the records,
//! either in a file next to the evaluator or in a cluster that several evaluators share.

use std::sync::Arc;

use super::Refusal;
use super::guard::Guard;
use crate::record::{Account, Counter};
use crate::store::{Commit, RecordKey, RecordKind, Store, StoreError, Transaction, Versioned};

/// All accounts' watermarks.
pub(super) struct Watermarks(pub(super) Arc<dyn Store>);

impl Watermarks {
    /// Refuses a counter that is older than the watermark, or has the same generation but differs
    /// from it.
    pub(super) fn check(
        &self,
        guard: &Guard<'_>,
        counter: &Counter,
        stored: &[u8],
    ) -> Result<(), Refusal> {
        self.compare(guard, counter, stored).map(|_| ())
    }

    /// Does the same as [`check`](Self::check), then durably raises the watermark to this counter.
    pub(super) fn raise(
        &self,
        guard: &Guard<'_>,
        counter: &Counter,
        stored: &[u8],
    ) -> Result<(), Refusal> {
        let key = RecordKey::Watermark(counter.account);
        // This terminates, because each additional iteration means that another call has raised the
        // watermark, which can rise only up to the counter's generation.
        loop {
            let (found, newer) = self.compare(guard, counter, stored)?;
            if !newer {
                return Ok(());
            }
            let transaction = Transaction::default()
                .unless_changed(key, found.as_ref())
                .put(key, stored.to_vec());
            match self.0.commit(&transaction) {
                Ok(Commit::Done { .. }) => return Ok(()),
                Ok(Commit::Changed) | Err(StoreError::Unknown(_)) => {}
                Err(e) => return Err(unavailable(&e)),
            }
        }
    }

    /// Returns an account's watermark.
    pub(super) fn get(
        &self,
        guard: &Guard<'_>,
        account: &Account,
    ) -> Result<Option<Counter>, Refusal> {
        self.read(account)?.map(|found| guard.counter(account, &found.value)).transpose()
    }

    /// Returns accounts after `after` that have a watermark, in ascending order.
    pub(super) fn accounts(&self, after: Option<&Account>) -> Result<Vec<Account>, Refusal> {
        self.0.accounts(RecordKind::Watermark, after, 500).map_err(|e| unavailable(&e))
    }

    /// Returns the watermark, and whether the counter is newer.
    fn compare(
        &self,
        guard: &Guard<'_>,
        counter: &Counter,
        stored: &[u8],
    ) -> Result<(Option<Versioned>, bool), Refusal> {
        let Some(found) = self.read(&counter.account)? else { return Ok((None, true)) };
        if found.value == stored {
            return Ok((Some(found), false));
        }
        let watermark = guard.counter(&counter.account, &found.value)?;
        match counter.generation > watermark.generation {
            true => Ok((Some(found), true)),
            false => Err(Refusal::Stale { newest: watermark.generation }),
        }
    }

    fn read(&self, account: &Account) -> Result<Option<Versioned>, Refusal> {
        let mut found =
            self.0.read(&[RecordKey::Watermark(*account)]).map_err(|e| unavailable(&e))?;
        Ok(found.pop().flatten())
    }
}

fn unavailable(error: &StoreError) -> Refusal {
    Refusal::Unavailable(format!("watermarks: {error}"))
}
