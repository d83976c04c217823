//! Counters and sealed records.

use super::fakes::{NOW, policy};
use crate::evaluator::opaque;
use crate::record::sealed::{RecordContent, SealedRecord};
use crate::record::{
    COUNTER_BODY_LEN, Counter, DecodeError, DeleteOutcome, DraftOutcome, GrantOutcome, Policy,
    ProofOutcome, RegisterOutcome, Registration, RegistrationDraft, RegistrationState, clamp,
    decode_counter, encode_counter,
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
            assert_round_trips(next);
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
    assert_round_trips(&clamped);
    assert!(clamped.generation > restored.generation.max(newest.generation));
    assert!(clamped.failures >= restored.failures.max(newest.failures));
    for was in restored.live.iter().chain(&restored.pending) {
        let (now, then) = (clamped.registration(&was.reg_id), newest.registration(&was.reg_id));
        assert_ne!(now.is_some(), lost.contains(&was.reg_id));
        let Some(now) = now else { continue };
        let then = then.expect("a registration survives only if the newest counter has it");
        assert!(then.state != RegistrationState::Locked && now.state == was.state);
        assert!(
            now.left <= was.left.min(then.left)
                && now.attempts.is_empty()
                && now.finished.is_none()
        );
        assert!(now.failures >= was.failures);
        assert!(now.state != RegistrationState::Pending || now.failures >= then.failures);
    }
    true
}

pub(super) fn content(bytes: &[u8]) -> bool {
    let Ok(content) = RecordContent::decode(bytes) else { return false };
    assert_eq!(*content.encode(), bytes);
    _ = opaque::is_upload(&content.upload);
    true
}

pub(super) fn sealed(bytes: &[u8]) -> bool {
    let Ok(stored) = SealedRecord::decode(bytes) else { return false };
    assert_eq!(stored.encode(), bytes);
    true
}

/// Asserts that a counter decodes to itself after encoding, unless it has the last generation.
pub(super) fn assert_round_trips(counter: &Counter) {
    let read = decode_counter(&encode_counter(counter));
    assert!(counter.generation == u64::MAX || read.as_ref() == Ok(counter), "{read:?}");
}

/// Returns all counters that a single call can derive from this one.
fn changes(counter: &Counter, policy: &Policy) -> Vec<Counter> {
    let mut changes = Vec::new();
    let unused = [0xf5; 16];
    for registration in counter.live.iter().chain(&counter.pending) {
        let known = registration.attempts.iter().map(|attempt| attempt.id);
        for id in
            known.chain(registration.finished.map(|finished| finished.attempt.id)).chain([unused])
        {
            if let GrantOutcome::Granted(next) | GrantOutcome::Locks(next) =
                counter.grant(policy, &registration.reg_id, &id, &[1; 32], NOW)
            {
                changes.push(next);
            }
            if let ProofOutcome::Proven { counter: next, .. } =
                counter.prove(policy, &registration.reg_id, &id, NOW)
            {
                changes.push(*next);
            }
        }
        for fresh in [false, true] {
            if let DeleteOutcome::Deleted(next) | DeleteOutcome::Announced(next, _) =
                counter.delete(policy, &registration.reg_id, fresh, NOW)
            {
                changes.push(next);
            }
        }
    }
    let draft = RegistrationDraft { reg_id: [0xf5; 32], request: [1; 32], rk: [2; 64] };
    if let DraftOutcome::Drafted(next) = counter.draft(policy, draft) {
        changes.push(*next);
    }
    if let Some(draft) = &counter.draft {
        for fresh in [false, true] {
            let registration = Registration::new(draft.reg_id, [1; 32], [2; 32], 10);
            if let RegisterOutcome::Registered { counter: next, .. } =
                counter.register(policy, registration, fresh, NOW)
            {
                changes.push(*next);
            }
        }
    }
    changes
}
