//! The contents of a counter.

use super::{Account, AttemptId, Digest, RegId};

/// An account's counter. It records at most one live registration and at most one pending one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The account.
    pub account: Account,
    /// Incremented by every change. Never decreases.
    pub generation: u64,
    /// Failed guesses for the live registration over the account's lifetime.
    pub failures: u32,
    /// The registration that is ACTIVE or LOCKED.
    pub live: Option<Registration>,
    /// The registration that no login has proven yet, or that waits to replace the live one.
    pub pending: Option<Registration>,
    /// The registration that was begun most recently.
    pub draft: Option<RegistrationDraft>,
}

/// A registration that was begun but not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationDraft {
    /// The registration.
    pub reg_id: RegId,
    /// SHA-256 digest of the registration request.
    pub request: Digest,
    /// The registration's random number, sealed by the HSM.
    pub rk: [u8; 64],
}

/// Bytes in a sealed random number: epoch, nonce, ciphertext, tag.
pub(super) const DRAFT_RK_LEN: usize = 4 + 12 + 32 + 16;

/// A registration's state.
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
    /// SHA-256 digest of the sealed record.
    pub sealed: Digest,
    /// SHA-256 digest of what the client registered, used to recognise a repeated request.
    pub content: Digest,
    /// Number of guesses that a login restores.
    pub max: u8,
    /// Guesses left.
    pub left: u8,
    /// Failed guesses while the registration is PENDING. They are added to the account's failures
    /// when it becomes ACTIVE. They are counted separately until then, so that someone who has
    /// stolen only a token cannot exhaust the account's lifetime cap.
    pub failures: u32,
    /// Unix time of the last guess.
    pub last_grant: u64,
    /// If the registration is ACTIVE, the Unix time from which its announced deletion may be
    /// carried out. If it is PENDING, the Unix time from which it may replace the active
    /// registration, or `None` if it may do so immediately.
    pub due: Option<u64>,
    /// The guesses since the last login.
    pub attempts: Vec<Attempt>,
    /// The last login.
    pub finished: Option<Finished>,
}

/// A guess that was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The attempt's identity, chosen by the client.
    pub id: AttemptId,
    /// SHA-256 digest of the attempt's KE1.
    pub ke1: Digest,
    /// The counter's generation when the guess was spent.
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
    /// Creates the counter for an account without registrations.
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

    /// Returns a mutable reference to the number that
    /// [`lifetime_failures`](Self::lifetime_failures) returns.
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
