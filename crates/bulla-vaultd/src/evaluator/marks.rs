//! The newest counter of each account that was evaluated with, kept apart from the store of
//! records: in a file beside the evaluator, or in a cluster that several evaluators share. A store
//! that was set back shows older counters than these.

use std::sync::Arc;

use super::Refusal;
use super::guard::Guard;
use crate::record::{Account, Counter};
use crate::store::{Commit, Key, Kind, Store, StoreError, Transaction, Versioned};

/// The marks.
pub(super) struct Marks(pub(super) Arc<dyn Store>);

impl Marks {
    /// Refuses a counter that is older than the mark, or another one of its generation.
    pub(super) fn check(
        &self,
        guard: &Guard<'_>,
        counter: &Counter,
        stored: &[u8],
    ) -> Result<(), Refusal> {
        self.compare(guard, counter, stored).map(|_| ())
    }

    /// The same, and makes it the mark. On the disk when this returns.
    pub(super) fn raise(
        &self,
        guard: &Guard<'_>,
        counter: &Counter,
        stored: &[u8],
    ) -> Result<(), Refusal> {
        let key = Key::Mark(counter.account);
        // Ends: each turn another one has raised the mark, and it can rise only to the counter's
        // generation.
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

    /// The mark of an account.
    pub(super) fn mark(
        &self,
        guard: &Guard<'_>,
        account: &Account,
    ) -> Result<Option<Counter>, Refusal> {
        self.read(account)?.map(|found| guard.counter(account, &found.value)).transpose()
    }

    /// Accounts that have a mark.
    pub(super) fn accounts(&self, after: Option<&Account>) -> Result<Vec<Account>, Refusal> {
        self.0.accounts(Kind::Mark, after, 500).map_err(|e| unavailable(&e))
    }

    /// The mark, and whether the counter is newer.
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
        let mark = guard.counter(&counter.account, &found.value)?;
        match counter.generation > mark.generation {
            true => Ok((Some(found), true)),
            false => Err(Refusal::Stale { newest: mark.generation }),
        }
    }

    fn read(&self, account: &Account) -> Result<Option<Versioned>, Refusal> {
        let mut found = self.0.read(&[Key::Mark(*account)]).map_err(|e| unavailable(&e))?;
        Ok(found.pop().flatten())
    }
}

fn unavailable(error: &StoreError) -> Refusal {
    Refusal::Unavailable(format!("marks: {error}"))
}
