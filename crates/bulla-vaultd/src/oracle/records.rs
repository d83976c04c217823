//! Counters and sealed records.

use super::glass::{NOW, policy};
use crate::evaluator::opaque;
use crate::record::sealed::{Content, Stored};
use crate::record::{
    COUNTER_BODY_LEN, Counter, DecodeError, Deletion, Draft, Drafting, Grant, Placement, Policy,
    Proof, Slot, State, clamp, decode_counter, encode_counter,
};

pub(super) fn counter(bytes: &[u8]) -> bool {
    let counter = match decode_counter(bytes) {
        Ok(counter) => counter,
        Err(DecodeError::Malformed { offset }) => {
            assert!(offset < bytes.len());
            return false;
        }
        Err(_) => return false,
    };
    assert_eq!(encode_counter(&counter), bytes);
    for policy in [Policy::default(), policy()] {
        changes(&counter, &policy).iter().for_each(|next| {
            assert_eq!(next.account, counter.account);
            assert_eq!(next.generation, counter.generation + 1);
            stands(next);
        });
    }
    true
}

pub(super) fn set_back(bytes: &[u8]) -> bool {
    let Some((restored, newest)) = bytes.split_at_checked(COUNTER_BODY_LEN) else { return false };
    let (Ok(restored), Ok(newest)) = (decode_counter(restored), decode_counter(newest)) else {
        return false;
    };
    let (clamped, lost) = clamp(&restored, &newest);
    stands(&clamped);
    assert!(clamped.generation > restored.generation.max(newest.generation));
    assert!(clamped.failures >= restored.failures.max(newest.failures));
    for was in restored.live.iter().chain(&restored.pending) {
        let (now, then) = (clamped.slot(&was.reg_id), newest.slot(&was.reg_id));
        assert_ne!(now.is_some(), lost.contains(&was.reg_id));
        let Some(now) = now else { continue };
        let then = then.expect("it went on only if the newest has it");
        assert!(then.state != State::Locked && now.state == was.state);
        assert!(
            now.left <= was.left.min(then.left)
                && now.attempts.is_empty()
                && now.finished.is_none()
        );
        assert!(now.failures >= was.failures);
        assert!(now.state != State::Pending || now.failures >= then.failures);
    }
    true
}

pub(super) fn content(bytes: &[u8]) -> bool {
    let Ok(content) = Content::decode(bytes) else { return false };
    assert_eq!(*content.encode(), bytes);
    _ = opaque::is_upload(&content.upload);
    true
}

pub(super) fn sealed(bytes: &[u8]) -> bool {
    let Ok(stored) = Stored::decode(bytes) else { return false };
    assert_eq!(stored.encode(), bytes);
    true
}

/// What is to be stored is read again as the same, unless it has come to its last generation.
pub(super) fn stands(counter: &Counter) {
    let read = decode_counter(&encode_counter(counter));
    assert!(counter.generation == u64::MAX || read.as_ref() == Ok(counter), "{read:?}");
}

/// All that may become of a counter by one call.
fn changes(counter: &Counter, policy: &Policy) -> Vec<Counter> {
    let mut changes = Vec::new();
    let fresh = [0xf5; 16];
    for slot in counter.live.iter().chain(&counter.pending) {
        let known = slot.attempts.iter().map(|attempt| attempt.id);
        for id in known.chain(slot.finished.map(|finished| finished.attempt.id)).chain([fresh]) {
            if let Grant::Granted(next) | Grant::Locks(next) =
                counter.grant(policy, &slot.reg_id, &id, &[1; 32], NOW)
            {
                changes.push(next);
            }
            if let Proof::Proven { counter: next, .. } =
                counter.prove(policy, &slot.reg_id, &id, NOW)
            {
                changes.push(*next);
            }
        }
        for speaks in [false, true] {
            if let Deletion::Deleted(next) | Deletion::Announced(next, _) =
                counter.delete(policy, &slot.reg_id, speaks, NOW)
            {
                changes.push(next);
            }
        }
    }
    let draft = Draft { reg_id: [0xf5; 32], request: [1; 32], rk: [2; 64] };
    if let Drafting::Drafted(next) = counter.draft(policy, draft) {
        changes.push(*next);
    }
    if let Some(draft) = &counter.draft {
        for speaks in [false, true] {
            let slot = Slot::new(draft.reg_id, [1; 32], [2; 32], 10);
            if let Placement::Placed { counter: next, .. } =
                counter.place(policy, slot, speaks, NOW)
            {
                changes.push(*next);
            }
        }
    }
    changes
}
