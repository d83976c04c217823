//! Messages on the evaluator's socket, and login tokens and states.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fakes::{self, FakeHsm, MAC};
use super::records::assert_round_trips;
use crate::evaluator::opaque::{LoginRef, Opaque};
use crate::evaluator::{
    AnyCall, AnyResponse, Begun, Clamped, Deleted, Finish, Granted, Refusal, Registered, Resealed,
    StandIn, decode, login_token as tokens,
};
use crate::record::{Attempt, decode_counter};

/// Bytes in a login state.
const STATE_LEN: usize = 128;

pub(super) fn call(bytes: &[u8]) -> bool {
    let Some(call) = frame::<AnyCall>(bytes) else { return false };
    let Ok(response) = call.dispatch(&fakes::evaluator()) else { return false };
    if let Some(stored) = counter_in(&response) {
        let (body, mac) = stored.split_last_chunk().expect("a stored counter has a MAC");
        assert_eq!(*mac, MAC);
        let last = body[40..48] == [0xff; 8];
        let counter = decode_counter(body);
        assert!(last || counter.is_ok(), "{counter:?}");
        counter.iter().for_each(assert_round_trips);
    }
    let written = written(&Ok::<_, Refusal>(response));
    assert!(frame::<Result<AnyResponse, Refusal>>(&written).is_some());
    true
}

pub(super) fn response(bytes: &[u8]) -> bool {
    frame::<Result<AnyResponse, Refusal>>(bytes).is_some()
}

pub(super) fn login_state(bytes: &[u8]) -> bool {
    let Some((state, ke3)) = bytes.split_at_checked(STATE_LEN) else { return false };
    let login = LoginRef { account: &[1; 32], reg_id: &[2; 32], attempt_id: &[3; 16] };
    let opaque = Opaque::new(&FakeHsm).expect("the derived key is a scalar");
    let Ok(Some(session_key)) = opaque.finish(&login, state, ke3) else { return false };
    assert!(state[..64] == session_key[..] && state[64..] == *ke3);
    true
}

pub(super) fn login_token(bytes: &[u8]) -> bool {
    let attempt = attempt();
    let Ok(state) = tokens::open(&FakeHsm, &[1; 32], &[2; 32], &attempt, bytes) else {
        return false;
    };
    let (salt, _) = bytes.split_first_chunk().expect("a token begins with a salt");
    let sealed = tokens::seal_with(*salt, &FakeHsm, &[1; 32], &[2; 32], &attempt, &state);
    assert_eq!(sealed.as_deref(), Ok(bytes));
    let later = Attempt { generation: attempt.generation + 1, ..attempt };
    for (account, reg_id, attempt) in
        [([9; 32], [2; 32], attempt), ([1; 32], [9; 32], attempt), ([1; 32], [2; 32], later)]
    {
        assert!(tokens::open(&FakeHsm, &account, &reg_id, &attempt, bytes).is_err());
    }
    true
}

/// Returns the attempt that tokens are opened for.
pub(super) fn attempt() -> Attempt {
    Attempt { id: [3; 16], ke1: [4; 32], generation: 5 }
}

/// Decodes a frame's message. postcard accepts integers with unnecessary continuation bytes, so
/// only a re-encoded message has a unique encoding.
fn frame<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let message: T = decode(bytes).ok()?;
    let again = written(&message);
    assert!(again.len() <= bytes.len());
    assert_eq!(written(&decode::<T>(&again).expect("decodes its own encoding")), again);
    let more = [&again[..], &[0]].concat();
    assert!(decode::<T>(&more).is_err(), "trailing byte");
    Some(message)
}

pub(super) fn written(message: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(message, Vec::new()).expect("a Vec grows")
}

fn counter_in(response: &AnyResponse) -> Option<&[u8]> {
    match response {
        AnyResponse::StandIn(StandIn { counter, .. }) => Some(counter),
        AnyResponse::Begin(Begun { counter, .. }) => counter.as_deref(),
        AnyResponse::Register(Registered { change, .. }) => {
            change.as_ref().map(|change| &change.counter[..])
        }
        AnyResponse::Grant(Granted::Spent(counter) | Granted::Locks(counter)) => Some(counter),
        AnyResponse::Finish(Finish { change, .. }) => {
            change.as_ref().map(|(counter, _)| &counter[..])
        }
        AnyResponse::Delete(Deleted::Deleted(counter) | Deleted::Announced(counter, _)) => {
            Some(counter)
        }
        AnyResponse::Reseal(Resealed { change }) => {
            change.as_ref().map(|(counter, _)| &counter[..])
        }
        AnyResponse::Clamp(Clamped { change }) => change.as_ref().map(|(counter, _)| &counter[..]),
        _ => None,
    }
}
