//! A registration's life cycle (begun, registered, deleted), and clamping of a counter that was
//! restored from a backup.

use super::{Counter, Policy, RegId, Registration, RegistrationDraft, RegistrationState};

/// The result of beginning a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftOutcome {
    /// The same request has already begun the registration.
    Repeated,
    /// The counter to store, with the draft in it.
    Drafted(Box<Counter>),
    /// The registration is already complete.
    Conflict,
    /// The account has reached its lifetime cap on failures.
    Locked,
}

/// The result of completing a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// The same content was registered before. Nothing changes, not even its guesses.
    Repeated,
    /// The registration is PENDING.
    Registered {
        /// The counter to store.
        counter: Box<Counter>,
        /// The PENDING registration that this one replaces.
        replaced: Option<RegId>,
    },
    /// The registration was not begun, or was completed with different content.
    Conflict,
}

/// The result of a deletion request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// There is nothing to delete.
    Gone,
    /// The counter to store. The sealed record must be deleted in the same transaction.
    Deleted(Counter),
    /// The counter to store, and the Unix time from which the deletion may be carried out.
    Announced(Counter, u64),
    /// The deletion was already announced for this Unix time.
    Waits(u64),
}

impl Counter {
    /// Begins a registration. A new draft replaces the previous one, so that each draft's random
    /// number answers only one request.
    pub fn draft(&self, policy: &Policy, draft: RegistrationDraft) -> DraftOutcome {
        if self.registration(&draft.reg_id).is_some() {
            return DraftOutcome::Conflict;
        }
        if self.failures >= policy.lifetime_failures {
            return DraftOutcome::Locked;
        }
        let same =
            |old: &RegistrationDraft| old.reg_id == draft.reg_id && old.request == draft.request;
        if self.draft.as_ref().is_some_and(same) {
            return DraftOutcome::Repeated;
        }
        let mut counter = self.next();
        counter.draft = Some(draft);
        DraftOutcome::Drafted(Box::new(counter))
    }

    /// Completes a registration. It becomes PENDING and replaces any earlier PENDING one. `fresh`
    /// says whether a recent login to the ACTIVE registration authorizes this. Without such a
    /// login, the replacement has to wait.
    pub fn register(
        &self,
        policy: &Policy,
        mut registration: Registration,
        fresh: bool,
        now: u64,
    ) -> RegisterOutcome {
        if let Some(old) = self.registration(&registration.reg_id) {
            return if old.content == registration.content {
                RegisterOutcome::Repeated
            } else {
                RegisterOutcome::Conflict
            };
        }
        if self.draft.as_ref().is_none_or(|draft| draft.reg_id != registration.reg_id) {
            return RegisterOutcome::Conflict;
        }
        let mut counter = self.next();
        counter.draft = None;
        let over_active =
            self.live.as_ref().is_some_and(|live| live.state == RegistrationState::Active);
        registration.due = (over_active && !fresh).then(|| now.saturating_add(policy.announced));
        let replaced = counter.pending.replace(registration).map(|replaced| replaced.reg_id);
        RegisterOutcome::Registered { counter: Box::new(counter), replaced }
    }

    /// Deletes a registration. Deleting an ACTIVE one requires a fresh login to it, or an
    /// announcement whose delay has passed. A LOCKED one stays, because its sealed record is
    /// already gone.
    pub fn delete(&self, policy: &Policy, reg_id: &RegId, fresh: bool, now: u64) -> DeleteOutcome {
        let Some(registration) = self.registration(reg_id) else { return DeleteOutcome::Gone };
        let mut counter = self.next();
        match (registration.state, registration.due) {
            (RegistrationState::Locked, _) => DeleteOutcome::Gone,
            (RegistrationState::Pending, _) => {
                counter.pending = None;
                DeleteOutcome::Deleted(counter)
            }
            (RegistrationState::Active, Some(due)) if !fresh && now < due => {
                DeleteOutcome::Waits(due)
            }
            (RegistrationState::Active, None) if !fresh => {
                let due = now.saturating_add(policy.announced);
                counter.live.iter_mut().for_each(|live| live.due = Some(due));
                DeleteOutcome::Announced(counter, due)
            }
            (RegistrationState::Active, _) => {
                counter.live = None;
                DeleteOutcome::Deleted(counter)
            }
        }
    }
}

/// Returns the counter to use after the store was rolled back, and the registrations lost in the
/// rollback.
///
/// The new counter's generation is higher than those of both given counters, and it allows no more
/// guesses than either of them. A registration survives only if `newest` still has it. One that was
/// created or deleted after the backup is gone.
pub fn clamp(restored: &Counter, newest: &Counter) -> (Counter, Vec<RegId>) {
    let mut lost = Vec::new();
    let mut keep = |registration: &Registration| {
        let Some(latest) = newest
            .registration(&registration.reg_id)
            .filter(|latest| latest.state != RegistrationState::Locked)
        else {
            lost.push(registration.reg_id);
            return None;
        };
        let mut registration = registration.clone();
        registration.left = registration.left.min(latest.left);
        registration.last_grant = registration.last_grant.max(latest.last_grant);
        // Attempts since the backup are unknown, so no earlier attempt may be finished.
        registration.attempts.clear();
        registration.finished = None;
        registration.due = match registration.state {
            RegistrationState::Pending => registration.due.max(latest.due),
            RegistrationState::Active | RegistrationState::Locked => None,
        };
        // An ACTIVE registration's failures are counted for the account, below.
        if registration.state == RegistrationState::Pending {
            registration.failures = registration.failures.max(latest.failures);
        }
        Some(registration)
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
