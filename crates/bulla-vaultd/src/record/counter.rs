//! What a counter record says.

use super::{Account, AttemptId, Digest, RegId};

/// The counter of an account: one registration that can be recovered, and beside it at most one
/// that is still to be proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Whose it is.
    pub account: Account,
    /// Raised by every change. Never goes back.
    pub generation: u64,
    /// Guesses at its live registrations that no success followed, over the account's life.
    pub failures: u32,
    /// The registration that is ACTIVE, or LOCKED.
    pub live: Option<Slot>,
    /// The registration that no login has proven yet, or that waits to take the live one's place.
    pub pending: Option<Slot>,
    /// A registration that was begun.
    pub draft: Option<Draft>,
}

/// A registration that was begun, and not ended yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Which registration.
    pub reg_id: RegId,
    /// SHA-256 of the request that it was begun with.
    pub request: Digest,
    /// The registration's random number, sealed by the HSM.
    pub rk: [u8; 64],
}

/// Bytes of a sealed random number of a registration: epoch, nonce, 32 bytes, tag.
pub(super) const DRAFT_RK_LEN: usize = 4 + 12 + 32 + 16;

/// A registration's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Registered; to become ACTIVE by its first login.
    Pending,
    /// Proven by a login.
    Active,
    /// Out of guesses. Never left.
    Locked,
}

/// One registration's part of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Which registration.
    pub reg_id: RegId,
    /// Its state.
    pub state: State,
    /// SHA-256 of its sealed record.
    pub sealed: Digest,
    /// SHA-256 of what was registered, to know a repeated registration by.
    pub content: Digest,
    /// Guesses after a success.
    pub max: u8,
    /// Guesses left.
    pub left: u8,
    /// While it is PENDING: its guesses that no success followed. They become the account's when
    /// it becomes ACTIVE, so that nobody who only has a token can use up the account's.
    pub failures: u32,
    /// When the last guess was granted, in seconds since 1970.
    pub last_grant: u64,
    /// ACTIVE: when its announced deletion may be done, if one was announced. PENDING: when it may
    /// take the active one's place, if not at once.
    pub due: Option<u64>,
    /// The guesses granted since the last success.
    pub attempts: Vec<Attempt>,
    /// The last success.
    pub finished: Option<Finished>,
}

/// A guess that was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The client's name for it.
    pub id: AttemptId,
    /// SHA-256 of its KE1.
    pub ke1: Digest,
    /// The counter's generation with this guess paid.
    pub generation: u64,
}

/// A guess that was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// The attempt.
    pub attempt: Attempt,
    /// Failures between the success before and this one.
    pub failures: u32,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl Counter {
    /// The counter of an account without registrations.
    pub fn new(account: Account) -> Counter {
        Counter { account, generation: 0, failures: 0, live: None, pending: None, draft: None }
    }

    /// The registration of this identity.
    pub fn slot(&self, reg_id: &RegId) -> Option<&Slot> {
        self.live.iter().chain(&self.pending).find(|slot| slot.reg_id == *reg_id)
    }

    pub(super) fn slot_mut(&mut self, reg_id: &RegId) -> Option<&mut Slot> {
        self.live.iter_mut().chain(&mut self.pending).find(|slot| slot.reg_id == *reg_id)
    }

    /// Guesses that count against the lifetime cap of this registration.
    pub(super) fn lifetime(&self, slot: &Slot) -> u32 {
        if slot.state == State::Pending { slot.failures } else { self.failures }
    }

    /// Where they are counted.
    pub(super) fn lifetime_mut(&mut self, reg_id: &RegId) -> &mut u32 {
        match &mut self.pending {
            Some(pending) if pending.reg_id == *reg_id => &mut pending.failures,
            _ => &mut self.failures,
        }
    }

    /// The same with the next generation.
    pub(super) fn next(&self) -> Counter {
        Counter { generation: self.generation + 1, ..self.clone() }
    }
}

impl Slot {
    /// A registration that was just made.
    pub fn new(reg_id: RegId, sealed: Digest, content: Digest, max: u8) -> Slot {
        Slot {
            reg_id,
            state: State::Pending,
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

    /// The paid guess of this name.
    pub fn attempt(&self, id: &AttemptId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == *id)
    }

    /// Takes away every guess. What was granted before can no longer be finished.
    pub(super) fn lock(&mut self) {
        self.state = State::Locked;
        self.left = 0;
        self.failures = 0;
        self.due = None;
        self.attempts.clear();
        self.finished = None;
    }
}
