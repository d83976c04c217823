//! Counts evaluated guesses. Tests check the guess limit against this count, because it is taken
//! where evaluation happens and is independent of the counters.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::{Account, Digest, RegId};

/// Maximum number of registrations remembered. When it is reached, all are forgotten, and the
/// totals become upper bounds.
const MAX_REMEMBERED: usize = 100_000;

/// The evaluations since this process started.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    evaluations: u64,
    distinct: u64,
    /// For each registration, the generation of its last correct guess, and the KE1 messages
    /// evaluated since then.
    since_proof: HashMap<(Account, RegId), (u64, HashSet<Digest>)>,
}

impl Ledger {
    /// Counts an evaluation. `last_proof` is the generation of the registration's last correct
    /// guess.
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

    /// Returns the number of all evaluations, and of those whose KE1 was new since the last correct
    /// guess.
    pub(super) fn totals(&self) -> (u64, u64) {
        let counts = self.counts();
        (counts.evaluations, counts.distinct)
    }

    /// Returns the number of distinct KE1 messages evaluated for a registration since its last
    /// correct guess.
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
