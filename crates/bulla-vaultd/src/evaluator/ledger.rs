//! How many guesses were evaluated. Tests hold the promise of a limited number of guesses to this
//! count: it is taken where the evaluation happens, and knows nothing of counters.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::{Account, Digest, RegId};

/// Registrations that are remembered at a time. Beyond that all are forgotten: the totals stay
/// right as upper bounds.
const MAX_REMEMBERED: usize = 100_000;

/// What was evaluated since this process started.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    evaluations: u64,
    distinct: u64,
    /// By registration: the generation of its last right guess, and what was evaluated since.
    since_proof: HashMap<(Account, RegId), (u64, HashSet<Digest>)>,
}

impl Ledger {
    /// Counts an evaluation with a counter that says that the last right guess was paid for at this
    /// generation.
    pub(super) fn evaluated(
        &self,
        account: &Account,
        reg_id: &RegId,
        last_proof: u64,
        ke1: &Digest,
    ) {
        let mut counts = self.counts();
        counts.evaluations += 1;
        if counts.since_proof.len() >= MAX_REMEMBERED {
            counts.since_proof.clear();
        }
        let (proof, evaluated) = counts.since_proof.entry((*account, *reg_id)).or_default();
        if *proof != last_proof {
            *proof = last_proof;
            evaluated.clear();
        }
        let new = evaluated.insert(*ke1);
        counts.distinct += u64::from(new);
    }

    /// All evaluations, and those of a KE1 that was new since the last right guess.
    pub(super) fn totals(&self) -> (u64, u64) {
        let counts = self.counts();
        (counts.evaluations, counts.distinct)
    }

    /// Distinct KE1 evaluated for a registration since the last right guess.
    pub(super) fn since_proof(&self, account: &Account, reg_id: &RegId) -> usize {
        self.counts()
            .since_proof
            .get(&(*account, *reg_id))
            .map_or(0, |(_, evaluated)| evaluated.len())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
