//! Limits on guessing.

/// Maximum number of guesses that a registration may have between two logins.
pub const MAX_GUESSES: u8 = 10;

/// Seconds by which a recorded time may be ahead of the clock before one of the two is considered
/// wrong.
const CLOCK_SLACK: u64 = 3600;

/// Limits on guessing. Each registration has its own number of guesses, which never depends on
/// time. The limits here slow guessing down and cap it over an account's lifetime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Seconds between one guess and the next, indexed by the number of guesses made since the last
    /// login.
    pub delays: [u64; MAX_GUESSES as usize + 1],
    /// Seconds during which the last guess may still be finished. After that, another attempt
    /// locks the registration.
    pub grace: u64,
    /// Cap on failures over an account's lifetime. Successful logins do not reset it.
    pub lifetime_failures: u32,
    /// Seconds during which a login authorizes deleting or replacing its registration.
    pub fresh: u64,
    /// Seconds that must pass before a deletion or replacement announced without a fresh login may
    /// be carried out.
    pub announced: u64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            delays: [0, 0, 0, 15, 60, 300, 900, 3600, 14_400, 43_200, 0],
            grace: 600,
            lifetime_failures: 100,
            fresh: 600,
            announced: 7 * 86_400,
        }
    }
}

impl Policy {
    /// Returns the seconds that remain until `delay` has passed since `then`, or `None` if it has.
    ///
    /// If `then` is far in the future, either the clock that wrote it or the clock that reads it is
    /// wrong. In that case the delay is dropped, because it could otherwise keep the owner out for
    /// a year. Only delays depend on clocks, never the number of guesses.
    pub(super) fn wait(then: u64, delay: u64, now: u64) -> Option<u64> {
        if then > now.saturating_add(CLOCK_SLACK) {
            return None;
        }
        then.saturating_add(delay).checked_sub(now).filter(|&seconds| seconds > 0)
    }
}
