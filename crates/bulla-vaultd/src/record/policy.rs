//! Limits on guessing.

/// The most guesses that a registration may have between two logins.
pub const MAX_GUESSES: u8 = 10;

/// Seconds by which a recorded time may be ahead of the clock before one of them is considered
/// wrong.
const CLOCK_SLACK: u64 = 3600;

/// Limits on guessing. The number of guesses belongs to each registration and never depends on
/// time. These limits slow guessing down, and cap it over the lifetime of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Seconds between a guess and the next, indexed by the guesses made since the last login.
    pub delays: [u64; MAX_GUESSES as usize + 1],
    /// Seconds during which the last guess may still be finished. After that, another attempt
    /// locks the registration.
    pub grace: u64,
    /// Cap on failures over the lifetime of an account. Successful logins do not reset it.
    pub lifetime_failures: u32,
    /// Seconds during which a login authorizes deleting or replacing its registration.
    pub fresh: u64,
    /// Seconds from the announcement of a deletion or replacement without a fresh login until it
    /// may be carried out.
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
    /// wrong. The delay is then dropped: it could keep the owner out for a year. Only delays depend
    /// on clocks, never the number of guesses.
    pub(super) fn wait(then: u64, delay: u64, now: u64) -> Option<u64> {
        if then > now.saturating_add(CLOCK_SLACK) {
            return None;
        }
        then.saturating_add(delay).checked_sub(now).filter(|&seconds| seconds > 0)
    }
}
