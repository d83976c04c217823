//! The limits on guessing.

/// The most guesses that a registration may ask for.
pub const MAX_GUESSES: u8 = 10;

/// Seconds by which a record's time may lie ahead of the clock before the clock is taken to be
/// wrong.
const CLOCK_SLACK: u64 = 3600;

/// Limits on guessing. The number of guesses itself is each registration's own and never a matter
/// of time; what is here slows guessing down, and bounds it over an account's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Seconds from the last guess to the next, by how many were made since the last success.
    pub delays: [u64; MAX_GUESSES as usize + 1],
    /// Seconds for which the last guess may still be finished before another attempt locks the
    /// record.
    pub grace: u64,
    /// Failures over an account's life, whatever succeeds between them.
    pub lifetime_failures: u32,
    /// Seconds for which a login speaks for deleting or replacing its record.
    pub fresh: u64,
    /// Seconds from announcing that an active record is to be deleted or replaced, without a login
    /// to it, until it may be done.
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
    /// Seconds still to wait until `delay` has passed since `then`; none if nothing.
    ///
    /// A time that lies far ahead was written by a clock that was wrong, or is read by one: the
    /// delay is dropped rather than shutting its owner out for a year. Only pace depends on
    /// clocks, never the number of guesses.
    pub(super) fn wait(then: u64, delay: u64, now: u64) -> Option<u64> {
        if then > now.saturating_add(CLOCK_SLACK) {
            return None;
        }
        then.saturating_add(delay).checked_sub(now).filter(|&seconds| seconds > 0)
    }
}
