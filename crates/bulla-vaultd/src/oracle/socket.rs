//! What goes through an evaluator's socket, and what it hands out for a login.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::glass::{self, Glass, MAC};
use super::records::stands;
use crate::evaluator::opaque::{Opaque, Whose};
use crate::evaluator::{
    AnyAnswer, AnyCall, Begun, Clamped, Deleted, Finish, Granted, Placed, Refusal, Resealed,
    StandIn, decode, login_token as tokens,
};
use crate::record::{Attempt, decode_counter};

/// Bytes of a state and of KE3.
const STATE_LEN: usize = 128;

pub(super) fn call(bytes: &[u8]) -> bool {
    let Some(call) = frame::<AnyCall>(bytes) else { return false };
    let Ok(answer) = call.answer(&glass::evaluator()) else { return false };
    if let Some(stored) = counter_in(&answer) {
        let (body, mac) = stored.split_last_chunk().expect("a stored counter has a MAC");
        assert_eq!(*mac, MAC);
        let last = body[40..48] == [0xff; 8];
        let counter = decode_counter(body);
        assert!(last || counter.is_ok(), "{counter:?}");
        counter.iter().for_each(stands);
    }
    let written = written(&Ok::<_, Refusal>(answer));
    assert!(frame::<Result<AnyAnswer, Refusal>>(&written).is_some());
    true
}

pub(super) fn answer(bytes: &[u8]) -> bool {
    frame::<Result<AnyAnswer, Refusal>>(bytes).is_some()
}

pub(super) fn login_state(bytes: &[u8]) -> bool {
    let Some((state, ke3)) = bytes.split_at_checked(STATE_LEN) else { return false };
    let whose = Whose { account: &[1; 32], reg_id: &[2; 32], attempt_id: &[3; 16] };
    let opaque = Opaque::new(&Glass).expect("the HSM's numbers are a key pair");
    let Ok(Some(session_key)) = opaque.finish(&whose, state, ke3) else { return false };
    assert!(state[..64] == session_key[..] && state[64..] == *ke3);
    true
}

pub(super) fn login_token(bytes: &[u8]) -> bool {
    let attempt = attempt();
    let Ok(state) = tokens::open(&Glass, &[1; 32], &[2; 32], &attempt, bytes) else { return false };
    let (salt, _) = bytes.split_first_chunk().expect("a token begins with a salt");
    let sealed = tokens::seal_with(*salt, &Glass, &[1; 32], &[2; 32], &attempt, &state);
    assert_eq!(sealed.as_deref(), Ok(bytes));
    let later = Attempt { generation: attempt.generation + 1, ..attempt };
    for (account, reg_id, attempt) in
        [([9; 32], [2; 32], attempt), ([1; 32], [9; 32], attempt), ([1; 32], [2; 32], later)]
    {
        assert!(tokens::open(&Glass, &account, &reg_id, &attempt, bytes).is_err());
    }
    true
}

/// The login that tokens are opened for.
pub(super) fn attempt() -> Attempt {
    Attempt { id: [3; 16], ke1: [4; 32], generation: 5 }
}

/// The message of a frame. Numbers may be written longer than they need be, so that only what is
/// written again has one encoding.
fn frame<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let message: T = decode(bytes).ok()?;
    let again = written(&message);
    assert!(again.len() <= bytes.len());
    assert_eq!(written(&decode::<T>(&again).expect("it was written just now")), again);
    let more = [&again[..], &[0]].concat();
    assert!(decode::<T>(&more).is_err(), "a byte too many");
    Some(message)
}

pub(super) fn written(message: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(message, Vec::new()).expect("a vector takes all")
}

fn counter_in(answer: &AnyAnswer) -> Option<&[u8]> {
    match answer {
        AnyAnswer::StandIn(StandIn { counter, .. }) => Some(counter),
        AnyAnswer::Begin(Begun { counter, .. }) => counter.as_deref(),
        AnyAnswer::Place(Placed { change, .. }) => {
            change.as_ref().map(|change| &change.counter[..])
        }
        AnyAnswer::Grant(Granted::Paid(counter) | Granted::Locks(counter)) => Some(counter),
        AnyAnswer::Finish(Finish { change, .. }) => {
            change.as_ref().map(|(counter, _)| &counter[..])
        }
        AnyAnswer::Delete(Deleted::Deleted(counter) | Deleted::Announced(counter, _)) => {
            Some(counter)
        }
        AnyAnswer::Reseal(Resealed { change }) => change.as_ref().map(|(counter, _)| &counter[..]),
        AnyAnswer::Clamp(Clamped { change }) => change.as_ref().map(|(counter, _)| &counter[..]),
        _ => None,
    }
}
