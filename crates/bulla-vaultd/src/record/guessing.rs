//! What a guess does to a counter. Nothing here reads a clock, a store or a key.

use super::{Attempt, AttemptId, Counter, Digest, Finished, Policy, RegId, State};

/// What becomes of a login's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// The same attempt with the same KE1: paid already.
    Again,
    /// One guess less. May be evaluated once this counter is stored, and not before.
    Granted(Counter),
    /// No guess was left: the registration is LOCKED, and its sealed record is to be deleted in the
    /// same transaction.
    Locks(Counter),
    /// It was LOCKED before.
    Locked,
    /// There is no such registration.
    Unknown,
    /// The attempt's name was used with another KE1, or is of a login that succeeded.
    Conflict,
    /// Not before so many seconds.
    Wait {
        /// Seconds.
        seconds: u64,
        /// Guesses left.
        left: u8,
    },
}

/// What becomes of a login whose password was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It was proven before.
    Again(Finished),
    /// The guesses are full again.
    Proven {
        /// The counter to be stored.
        counter: Box<Counter>,
        /// The success, as it is remembered.
        finished: Finished,
        /// The registration whose place this one took.
        replaced: Option<RegId>,
    },
    /// Its registration is LOCKED.
    Locked,
    /// There is no such registration.
    Unknown,
    /// The attempt was never granted, or another one succeeded since.
    Conflict,
}

impl Counter {
    /// Asks for a guess.
    pub fn grant(
        &self,
        policy: &Policy,
        reg_id: &RegId,
        id: &AttemptId,
        ke1: &Digest,
        now: u64,
    ) -> Grant {
        let Some(slot) = self.slot(reg_id) else { return Grant::Unknown };
        if slot.state == State::Locked {
            return Grant::Locked;
        }
        if let Some(attempt) = slot.attempt(id) {
            return if attempt.ke1 == *ke1 { Grant::Again } else { Grant::Conflict };
        }
        if slot.finished.is_some_and(|finished| finished.attempt.id == *id) {
            return Grant::Conflict;
        }
        let exhausted = slot.left == 0 || self.lifetime(slot) >= policy.lifetime_failures;
        let used = usize::from(slot.max - slot.left);
        let delay = if exhausted { policy.grace } else { policy.delays[used] };
        if let Some(seconds) = Policy::wait(slot.last_grant, delay, now) {
            return Grant::Wait { seconds, left: slot.left };
        }
        let mut counter = self.next();
        let generation = counter.generation;
        let lifetime = counter.lifetime_mut(reg_id);
        *lifetime = lifetime.saturating_add((!exhausted).into());
        let Some(slot) = counter.slot_mut(reg_id) else { return Grant::Unknown };
        if exhausted {
            slot.lock();
            return Grant::Locks(counter);
        }
        slot.left -= 1;
        slot.last_grant = now;
        slot.attempts.push(Attempt { id: *id, ke1: *ke1, generation });
        Grant::Granted(counter)
    }

    /// Gives the guesses back: the password of this attempt was proven.
    ///
    /// A PENDING registration becomes the live one, unless an ACTIVE one is there that it may not
    /// replace yet; then its own guesses are full again and nothing else changes. A login to
    /// the ACTIVE one calls off its announced deletion, and begins the delay of an announced
    /// replacement anew: whoever knows the password speaks against whoever has the token only.
    pub fn prove(&self, policy: &Policy, reg_id: &RegId, id: &AttemptId, now: u64) -> Proof {
        let Some(slot) = self.slot(reg_id) else { return Proof::Unknown };
        if slot.state == State::Locked {
            return Proof::Locked;
        }
        if let Some(finished) = slot.finished.filter(|finished| finished.attempt.id == *id) {
            return Proof::Again(finished);
        }
        let Some(attempt) = slot.attempt(id).copied() else { return Proof::Conflict };

        let finished = Finished {
            attempt,
            failures: u32::from(slot.max - slot.left).saturating_sub(1),
            at: now,
        };
        let mut counter = self.next();
        let lifetime = counter.lifetime_mut(reg_id);
        *lifetime = lifetime.saturating_sub(1);
        let Some(slot) = counter.slot_mut(reg_id) else { return Proof::Unknown };
        slot.left = slot.max;
        slot.attempts.clear();
        slot.finished = Some(finished);

        let replaced = match slot.state {
            State::Pending => counter.promote(now),
            State::Active | State::Locked => {
                slot.due = None;
                if let Some(due) = counter.pending.as_mut().and_then(|pending| pending.due.as_mut())
                {
                    *due = now.saturating_add(policy.announced).max(*due);
                }
                None
            }
        };
        Proof::Proven { counter: Box::new(counter), finished, replaced }
    }

    /// Makes the PENDING registration the live one if it may be. Says whose place it took.
    fn promote(&mut self, now: u64) -> Option<RegId> {
        let over_active = self.live.as_ref().is_some_and(|live| live.state == State::Active);
        let may = |due: Option<u64>| !over_active || due.is_none_or(|due| due <= now);
        let mut pending = self.pending.take_if(|pending| may(pending.due))?;
        pending.state = State::Active;
        pending.due = None;
        self.failures = self.failures.saturating_add(std::mem::take(&mut pending.failures));
        self.live.replace(pending).map(|replaced| replaced.reg_id)
    }
}
