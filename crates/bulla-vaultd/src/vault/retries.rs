//! Retries a call if another call changed the records first, and detects a store that was rolled
//! back.

use super::VaultError;
use crate::evaluator::Refusal;
use crate::record::{COUNTER_BODY_LEN, decode_counter};

/// Maximum number of tries for a call. Each failed try means that another call succeeded, and a
/// counter allows only a few successful calls before it makes all callers wait.
const MAX_TRIES: usize = 100;

/// The tries made for one call.
#[derive(Default)]
pub(super) struct Retries {
    tries: usize,
    /// The lowest generation that later reads may return, because an evaluator has seen it stored.
    floor: Option<u64>,
}

impl Retries {
    /// Begins a try.
    pub(super) fn next(&mut self) -> Result<(), VaultError> {
        self.tries += 1;
        match self.tries > MAX_TRIES {
            true => Err(VaultError::Unavailable("account: too many concurrent calls".to_owned())),
            false => Ok(()),
        }
    }

    /// Checks an evaluator's response to a counter with generation `read`. Returns `None` if the
    /// evaluator has seen a newer counter, in which case the call has to be tried again.
    ///
    /// The newer counter was stored before the evaluator saw it. If a later read still returns an
    /// older one, or a different one with the same generation, the store was rolled back.
    pub(super) fn unless_stale<T>(
        &mut self,
        read: u64,
        response: Result<T, Refusal>,
    ) -> Result<Option<T>, VaultError> {
        match response {
            Ok(response) => Ok(Some(response)),
            Err(Refusal::Stale { newest }) => {
                if newest <= read || self.floor.is_some_and(|floor| read < floor) {
                    return Err(VaultError::Frozen);
                }
                self.floor = Some(newest);
                Ok(None)
            }
            Err(refusal) => Err(refusal.into()),
        }
    }
}

/// Returns a stored counter's generation without authenticating it, or zero if it is malformed.
pub(super) fn generation(counter: &[u8]) -> u64 {
    counter
        .get(..COUNTER_BODY_LEN)
        .and_then(|body| decode_counter(body).ok())
        .map_or(0, |counter| counter.generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_a_read_overtaken_by_a_newer_counter() {
        let mut retries = Retries::default();
        assert_eq!(retries.unless_stale::<()>(5, Err(Refusal::Stale { newest: 7 })), Ok(None));
        assert_eq!(retries.unless_stale(7, Ok(1)), Ok(Some(1)));
        assert_eq!(retries.unless_stale::<()>(7, Err(Refusal::Stale { newest: 8 })), Ok(None));
    }

    #[test]
    fn reports_a_rolled_back_store_as_frozen() {
        let mut retries = Retries::default();
        assert_eq!(retries.unless_stale::<()>(5, Err(Refusal::Stale { newest: 7 })), Ok(None));
        assert_eq!(
            retries.unless_stale::<()>(6, Err(Refusal::Stale { newest: 7 })),
            Err(VaultError::Frozen)
        );
        assert_eq!(
            Retries::default().unless_stale::<()>(7, Err(Refusal::Stale { newest: 7 })),
            Err(VaultError::Frozen),
            "a different counter with the same generation"
        );
    }
}
