//! The contents of a counter.

use super::{Account, AttemptId, Digest, RegId};

/// The counter of an account: one registration that can be recovered, and at most one that no login
/// has proven yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The account.
    pub account: Account,
    /// Incremented by every change. Never decreases.
    pub generation: u64,
    /// Failed guesses at the live registration over the lifetime of the account.
    pub failures: u32,
    /// The registration that is ACTIVE or LOCKED.
    pub live: Option<Registration>,
    /// The registration that no login has proven yet, or that waits to replace the live one.
    pub pending: Option<Registration>,
    /// The registration that was begun last.
    pub draft: Option<RegistrationDraft>,
}

/// A registration that was begun and is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationDraft {
    /// The registration.
    pub reg_id: RegId,
    /// SHA-256 digest of its request.
    pub request: Digest,
    /// The random number of the registration, sealed by the HSM.
    pub rk: [u8; 64],
}

/// Bytes in a sealed random number: epoch, nonce, ciphertext, tag.
pub(super) const DRAFT_RK_LEN: usize = 4 + 12 + 32 + 16;

/// The state of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationState {
    /// Registered. Its first login makes it ACTIVE.
    Pending,
    /// Proven by a login.
    Active,
    /// Out of guesses. This state is final (V-8.3).
    Locked,
}

/// A registration, as its counter records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The registration.
    pub reg_id: RegId,
    /// Its state.
    pub state: RegistrationState,
    /// SHA-256 digest of its sealed record.
    pub sealed: Digest,
    /// SHA-256 digest of what the client registered, by which a repeated request is recognised.
    pub content: Digest,
    /// Guesses that a login restores.
    pub max: u8,
    /// Guesses left.
    pub left: u8,
    /// Failed guesses while it is PENDING. They are added to the account's when it becomes ACTIVE.
    /// Until then a thief of the token alone cannot exhaust the account's lifetime cap.
    pub failures: u32,
    /// Unix time of the last guess.
    pub last_grant: u64,
    /// ACTIVE: Unix time from which the announced deletion may be carried out. PENDING: Unix time
    /// from which it may replace the active registration; `None` if it may do so immediately.
    pub due: Option<u64>,
    /// The guesses since the last login.
    pub attempts: Vec<Attempt>,
    /// The last login.
    pub finished: Option<Finished>,
}

/// A guess that was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The client's identity for it.
    pub id: AttemptId,
    /// SHA-256 digest of its KE1.
    pub ke1: Digest,
    /// Generation of the counter in which the guess was spent.
    pub generation: u64,
}

/// A correct guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// The attempt.
    pub attempt: Attempt,
    /// Failed guesses since the previous login.
    pub failures: u32,
    /// Unix time of the login.
    pub at: u64,
}

impl Counter {
    /// Creates the counter of an account without registrations.
    pub fn new(account: Account) -> Counter {
        Counter { account, generation: 0, failures: 0, live: None, pending: None, draft: None }
    }

    /// Returns the registration with this identity.
    pub fn registration(&self, reg_id: &RegId) -> Option<&Registration> {
        self.live.iter().chain(&self.pending).find(|registration| registration.reg_id == *reg_id)
    }

    pub(super) fn registration_mut(&mut self, reg_id: &RegId) -> Option<&mut Registration> {
        self.live
            .iter_mut()
            .chain(&mut self.pending)
            .find(|registration| registration.reg_id == *reg_id)
    }

    /// Returns the failures that count towards this registration's lifetime cap.
    pub(super) fn lifetime_failures(&self, registration: &Registration) -> u32 {
        if registration.state == RegistrationState::Pending {
            registration.failures
        } else {
            self.failures
        }
    }

    /// Returns the same number for a change.
    pub(super) fn lifetime_failures_mut(&mut self, reg_id: &RegId) -> &mut u32 {
        match &mut self.pending {
            Some(pending) if pending.reg_id == *reg_id => &mut pending.failures,
            _ => &mut self.failures,
        }
    }

    /// Returns a copy with the next generation.
    pub(super) fn next(&self) -> Counter {
        Counter { generation: self.generation + 1, ..self.clone() }
    }
}

impl Registration {
    /// Creates a PENDING registration with all its guesses.
    pub fn new(reg_id: RegId, sealed: Digest, content: Digest, max: u8) -> Registration {
        Registration {
            reg_id,
            state: RegistrationState::Pending,
            sealed,
            content,
            max,
            left: max,
            failures: 0,
            last_grant: 0,
            due: None,
            attempts: Vec::new(),
            finished: None,
        }
    }

    /// Returns the attempt with this identity.
    pub fn attempt(&self, id: &AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == *id)
    }

    /// Locks the registration. Earlier attempts can no longer be finished.
    pub(super) fn lock(&mut self) {
        self.state = RegistrationState::Locked;
        self.left = 0;
        self.failures = 0;
        self.due = None;
        self.attempts.clear();
        self.finished = None;
    }
}
