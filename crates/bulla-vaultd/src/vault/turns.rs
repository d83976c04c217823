//! Trying again when another call was faster, and knowing that from a store that was set back.

use super::VaultError;
use crate::evaluator::Refusal;
use crate::record::{COUNTER_BODY_LEN, decode_counter};

/// Turns at most. Each one lost is one that another call has won, and a counter allows few before
/// it makes everybody wait.
const MAX_TURNS: usize = 100;

/// The turns of one call.
#[derive(Default)]
pub(super) struct Turns {
    taken: usize,
    /// The generation that a read from now on cannot be behind, as an evaluator has seen it
    /// stored.
    floor: Option<u64>,
}

impl Turns {
    /// Begins a turn.
    pub(super) fn next(&mut self) -> Result<(), VaultError> {
        self.taken += 1;
        match self.taken > MAX_TURNS {
            true => Err(VaultError::Unavailable("the account is in too much use".to_owned())),
            false => Ok(()),
        }
    }

    /// What an evaluator said of a counter that was read in this turn. None: it has seen a newer
    /// one, so take another turn.
    ///
    /// The newer one was stored before the evaluator saw it. A read that begins afterwards and is
    /// still behind it comes from a store that was set back, and so does another counter of the
    /// same generation.
    pub(super) fn settle<T>(
        &mut self,
        read: u64,
        answer: Result<T, Refusal>,
    ) -> Result<Option<T>, VaultError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
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

/// The generation of a stored counter, unauthenticated: zero if it is none.
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
    fn a_newer_counter_is_read_once_more() {
        let mut turns = Turns::default();
        assert_eq!(turns.settle::<()>(5, Err(Refusal::Stale { newest: 7 })), Ok(None));
        assert_eq!(turns.settle(7, Ok(1)), Ok(Some(1)));
        assert_eq!(turns.settle::<()>(7, Err(Refusal::Stale { newest: 8 })), Ok(None));
    }

    #[test]
    fn a_store_that_was_set_back_is_known() {
        let mut turns = Turns::default();
        assert_eq!(turns.settle::<()>(5, Err(Refusal::Stale { newest: 7 })), Ok(None));
        assert_eq!(
            turns.settle::<()>(6, Err(Refusal::Stale { newest: 7 })),
            Err(VaultError::Frozen)
        );
        assert_eq!(
            Turns::default().settle::<()>(7, Err(Refusal::Stale { newest: 7 })),
            Err(VaultError::Frozen),
            "another counter of the same generation"
        );
    }
}
