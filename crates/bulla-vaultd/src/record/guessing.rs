//! How a guess changes a counter. Nothing in this module reads a clock, a store or a key.

use super::{Attempt, AttemptId, Counter, Digest, Finished, Policy, RegId, RegistrationState};

/// The result of requesting a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantOutcome {
    /// The attempt has already spent a guess with the same KE1.
    Repeated,
    /// A guess is spent. It may be evaluated only once this counter is stored.
    Granted(Counter),
    /// No guesses were left. The registration is LOCKED, and its sealed record must be deleted in
    /// the same transaction.
    Locks(Counter),
    /// The registration was LOCKED before.
    Locked,
    /// The registration does not exist.
    Unknown,
    /// The attempt was used with another KE1, or belongs to a finished login.
    Conflict,
    /// The next guess is not allowed yet.
    Wait {
        /// Seconds to wait.
        seconds: u64,
        /// Guesses left.
        left: u8,
    },
}

/// The result of proving a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofOutcome {
    /// The guess was proven before.
    Repeated(Finished),
    /// The guesses are restored.
    Proven {
        /// The counter to store.
        counter: Box<Counter>,
        /// The login, as the counter records it.
        finished: Finished,
        /// The registration that the proven one replaced.
        replaced: Option<RegId>,
    },
    /// The registration is LOCKED.
    Locked,
    /// The registration does not exist.
    Unknown,
    /// The attempt has spent no guess, or another attempt has been proven since then.
    Conflict,
}

impl Counter {
    /// Requests a guess.
    pub fn grant(
        &self,
        policy: &Policy,
        reg_id: &RegId,
        id: &AttemptId,
        ke1: &Digest,
        now: u64,
    ) -> GrantOutcome {
        let Some(registration) = self.registration(reg_id) else { return GrantOutcome::Unknown };
        if registration.state == RegistrationState::Locked {
            return GrantOutcome::Locked;
        }
        if let Some(attempt) = registration.attempt(id) {
            return if attempt.ke1 == *ke1 {
                GrantOutcome::Repeated
            } else {
                GrantOutcome::Conflict
            };
        }
        if registration.finished.is_some_and(|finished| finished.attempt.id == *id) {
            return GrantOutcome::Conflict;
        }
        let exhausted = registration.left == 0
            || self.lifetime_failures(registration) >= policy.lifetime_failures;
        let used = usize::from(registration.max - registration.left);
        let delay = if exhausted { policy.grace } else { policy.delays[used] };
        if let Some(seconds) = Policy::wait(registration.last_grant, delay, now) {
            return GrantOutcome::Wait { seconds, left: registration.left };
        }
        let mut counter = self.next();
        let generation = counter.generation;
        let failures = counter.lifetime_failures_mut(reg_id);
        *failures = failures.saturating_add((!exhausted).into());
        let Some(registration) = counter.registration_mut(reg_id) else {
            return GrantOutcome::Unknown;
        };
        if exhausted {
            registration.lock();
            return GrantOutcome::Locks(counter);
        }
        registration.left -= 1;
        registration.last_grant = now;
        registration.attempts.push(Attempt { id: *id, ke1: *ke1, generation });
        GrantOutcome::Granted(counter)
    }

    /// Restores the guesses after this attempt has proven the password.
    ///
    /// A PENDING registration becomes the live one, unless it may not yet replace an ACTIVE one. In
    /// that case, its own guesses are restored and nothing else changes. A login to the ACTIVE
    /// registration cancels its announced deletion and restarts the delay of an announced
    /// replacement, because the password outweighs a token alone (V-4.6).
    pub fn prove(&self, policy: &Policy, reg_id: &RegId, id: &AttemptId, now: u64) -> ProofOutcome {
        let Some(registration) = self.registration(reg_id) else { return ProofOutcome::Unknown };
        if registration.state == RegistrationState::Locked {
            return ProofOutcome::Locked;
        }
        if let Some(finished) = registration.finished.filter(|finished| finished.attempt.id == *id)
        {
            return ProofOutcome::Repeated(finished);
        }
        let Some(attempt) = registration.attempt(id).copied() else {
            return ProofOutcome::Conflict;
        };

        let finished = Finished {
            attempt,
            failures: u32::from(registration.max - registration.left).saturating_sub(1),
            at: now,
        };
        let mut counter = self.next();
        let failures = counter.lifetime_failures_mut(reg_id);
        *failures = failures.saturating_sub(1);
        let Some(registration) = counter.registration_mut(reg_id) else {
            return ProofOutcome::Unknown;
        };
        registration.left = registration.max;
        registration.attempts.clear();
        registration.finished = Some(finished);

        let replaced = match registration.state {
            RegistrationState::Pending => counter.promote(now),
            RegistrationState::Active | RegistrationState::Locked => {
                registration.due = None;
                if let Some(due) = counter.pending.as_mut().and_then(|pending| pending.due.as_mut())
                {
                    *due = now.saturating_add(policy.announced).max(*due);
                }
                None
            }
        };
        ProofOutcome::Proven { counter: Box::new(counter), finished, replaced }
    }

    /// Makes the PENDING registration the live one if that is allowed yet. Returns the registration
    /// that it replaced.
    fn promote(&mut self, now: u64) -> Option<RegId> {
        let over_active =
            self.live.as_ref().is_some_and(|live| live.state == RegistrationState::Active);
        let may = |due: Option<u64>| !over_active || due.is_none_or(|due| due <= now);
        let mut pending = self.pending.take_if(|pending| may(pending.due))?;
        pending.state = RegistrationState::Active;
        pending.due = None;
        self.failures = self.failures.saturating_add(std::mem::take(&mut pending.failures));
        self.live.replace(pending).map(|replaced| replaced.reg_id)
    }
}
