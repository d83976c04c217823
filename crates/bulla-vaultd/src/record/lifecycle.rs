//! Registrations begin, are placed, and are deleted; and what becomes of a counter that was
//! restored from a backup.

use super::{Counter, Digest, Draft, Policy, RegId, Slot, State};

/// What becomes of the beginning of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drafting {
    /// It was begun with the same request before.
    Again,
    /// The counter to be stored, with the draft in it.
    Drafted(Box<Counter>),
    /// The registration was ended before.
    Conflict,
    /// The account has failed too often over its life.
    Locked,
}

/// What becomes of the end of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// The same was registered before. Nothing changes, its guesses least of all.
    Again,
    /// The counter to be stored.
    Placed {
        /// The counter.
        counter: Box<Counter>,
        /// The PENDING registration whose place this one took.
        replaced: Option<RegId>,
    },
    /// It was not begun, or something else was registered under this name.
    Conflict,
}

/// What becomes of a wish to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// There is nothing under this name that could be deleted.
    Gone,
    /// The counter to be stored; the sealed record is to be deleted in the same transaction.
    Deleted(Counter),
    /// The counter to be stored; the deletion may be done from this time on.
    Announced(Counter, u64),
    /// Announced before, for this time.
    Waits(u64),
}

impl Counter {
    /// Begins a registration. A draft never outlives the next one: what the random number of a
    /// draft was used for is one request only.
    pub fn draft(&self, policy: &Policy, draft: Draft) -> Drafting {
        if self.slot(&draft.reg_id).is_some() {
            return Drafting::Conflict;
        }
        if self.failures >= policy.lifetime_failures {
            return Drafting::Locked;
        }
        let same = |old: &Draft| old.reg_id == draft.reg_id && old.request == draft.request;
        if self.draft.as_ref().is_some_and(same) {
            return Drafting::Again;
        }
        let mut counter = self.next();
        counter.draft = Some(draft);
        Drafting::Drafted(Box::new(counter))
    }

    /// Ends a registration: it is PENDING, in the place of an earlier PENDING one. `fresh` says
    /// that a login to the ACTIVE one speaks for it; without, it has to wait.
    pub fn place(&self, policy: &Policy, mut slot: Slot, fresh: bool, now: u64) -> Placement {
        if let Some(old) = self.slot(&slot.reg_id) {
            return if old.content == slot.content {
                Placement::Again
            } else {
                Placement::Conflict
            };
        }
        if self.draft.as_ref().is_none_or(|draft| draft.reg_id != slot.reg_id) {
            return Placement::Conflict;
        }
        let mut counter = self.next();
        counter.draft = None;
        let over_active = self.live.as_ref().is_some_and(|live| live.state == State::Active);
        slot.due = (over_active && !fresh).then(|| now.saturating_add(policy.announced));
        let replaced = counter.pending.replace(slot).map(|replaced| replaced.reg_id);
        Placement::Placed { counter: Box::new(counter), replaced }
    }

    /// Whether this registration's content is the one that lies here already.
    pub fn holds(&self, reg_id: &RegId, content: &Digest) -> bool {
        self.slot(reg_id).is_some_and(|slot| slot.content == *content)
    }

    /// Deletes a registration. One that is ACTIVE needs a fresh login to it that speaks for that,
    /// or an announcement and its delay. One that is LOCKED stays: nothing of its sealed record
    /// is left.
    pub fn delete(&self, policy: &Policy, reg_id: &RegId, fresh: bool, now: u64) -> Deletion {
        let Some(slot) = self.slot(reg_id) else { return Deletion::Gone };
        let mut counter = self.next();
        match (slot.state, slot.due) {
            (State::Locked, _) => Deletion::Gone,
            (State::Pending, _) => {
                counter.pending = None;
                Deletion::Deleted(counter)
            }
            (State::Active, Some(due)) if !fresh && now < due => Deletion::Waits(due),
            (State::Active, None) if !fresh => {
                let due = now.saturating_add(policy.announced);
                counter.live.iter_mut().for_each(|live| live.due = Some(due));
                Deletion::Announced(counter, due)
            }
            (State::Active, _) => {
                counter.live = None;
                Deletion::Deleted(counter)
            }
        }
    }
}

/// The counter to go on with when the store came back older than the newest counter that was seen:
/// its generation passes the newest, and what it lets anybody do is no more than either of the two
/// did. The second value names the registrations that are lost by that.
///
/// A registration goes on only if the newest counter still has it. One that was made or deleted
/// after the backup is gone.
pub fn clamp(restored: &Counter, newest: &Counter) -> (Counter, Vec<RegId>) {
    let mut lost = Vec::new();
    let mut keep = |slot: &Slot| {
        let Some(latest) = newest.slot(&slot.reg_id).filter(|latest| latest.state != State::Locked)
        else {
            lost.push(slot.reg_id);
            return None;
        };
        let mut slot = slot.clone();
        slot.left = slot.left.min(latest.left);
        slot.last_grant = slot.last_grant.max(latest.last_grant);
        // What was granted since cannot be told from what was not: neither can be finished.
        slot.attempts.clear();
        slot.finished = None;
        slot.due = match slot.state {
            State::Pending => slot.due.max(latest.due),
            State::Active | State::Locked => None,
        };
        // The account's own are set below.
        if slot.state == State::Pending {
            slot.failures = slot.failures.max(latest.failures);
        }
        Some(slot)
    };
    let counter = Counter {
        account: restored.account,
        generation: restored.generation.max(newest.generation) + 1,
        failures: restored.failures.max(newest.failures),
        live: restored.live.as_ref().and_then(&mut keep),
        pending: restored.pending.as_ref().and_then(&mut keep),
        draft: None,
    };
    (counter, lost)
}
