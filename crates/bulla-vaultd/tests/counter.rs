//! The counter's state machine, driven by random steps beside a model that only counts. What holds
//! after each step is what spec/VAULT.md promises of guesses.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use std::collections::HashSet;

use bulla_vaultd::record::{
    Counter, DecodeError, Deletion, Draft, Drafting, Grant, MAX_GUESSES, Placement, Policy, Proof,
    Slot, State, clamp, decode_counter, encode_counter,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// A login's first message: registration, attempt, KE1.
    Guess(u8, u8, u8),
    /// The proof of an attempt.
    Prove(u8, u8),
    /// A whole registration: name, content, guesses; whether a login speaks for it.
    Register(u8, u8, u8, bool),
    Delete(u8, bool),
    Sleep(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3u8, 0..6u8, 0..2u8).prop_map(|(reg, id, ke1)| Step::Guess(reg, id, ke1)),
        2 => (0..3u8, 0..6u8).prop_map(|(reg, id)| Step::Prove(reg, id)),
        1 => (0..3u8, 0..2u8, 1..=4u8, any::<bool>()).prop_map(|(r, c, m, f)| Step::Register(r, c, m, f)),
        1 => (0..3u8, any::<bool>()).prop_map(|(reg, fresh)| Step::Delete(reg, fresh)),
        2 => (0..1_000_000u32).prop_map(Step::Sleep),
    ]
}

fn name(byte: u8) -> [u8; 32] {
    [byte + 1; 32]
}

fn attempt(byte: u8) -> [u8; 16] {
    [byte + 1; 16]
}

/// Registers from draft to PENDING.
fn register(
    counter: &Counter,
    policy: &Policy,
    slot: Slot,
    fresh: bool,
    now: u64,
) -> Option<Counter> {
    let draft = Draft { reg_id: slot.reg_id, request: [9; 32], rk: [9; 64] };
    let drafted = match counter.draft(policy, draft) {
        Drafting::Drafted(drafted) => *drafted,
        _ => counter.clone(),
    };
    match drafted.place(policy, slot, fresh, now) {
        Placement::Placed { counter, .. } => Some(*counter),
        _ => None,
    }
}

/// What was evaluated for one registration since its last proof.
#[derive(Default)]
struct Model {
    evaluated: [HashSet<([u8; 16], [u8; 32])>; 3],
    locked: [bool; 3],
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn guesses_never_exceed_max_and_a_lock_is_for_ever(steps in prop::collection::vec(step(), 1..120)) {
        let policy = Policy::default();
        let mut counter = Counter::new([7; 32]);
        let mut model = Model::default();
        let mut now = 1_800_000_000;
        for step in steps {
            let before = counter.clone();
            match step {
                Step::Guess(reg, id, ke1) => match counter.grant(&policy, &name(reg), &attempt(id), &name(ke1), now) {
                    Grant::Granted(granted) => {
                        let left = counter.slot(&name(reg)).unwrap().left;
                        prop_assert_eq!(granted.slot(&name(reg)).unwrap().left, left - 1);
                        model.evaluated[usize::from(reg)].insert((attempt(id), name(ke1)));
                        counter = granted;
                    }
                    Grant::Again => {
                        // Only what was paid for is evaluated again.
                        prop_assert!(model.evaluated[usize::from(reg)].contains(&(attempt(id), name(ke1))));
                    }
                    Grant::Locks(locked) => {
                        prop_assert_eq!(locked.slot(&name(reg)).unwrap().state, State::Locked);
                        model.locked[usize::from(reg)] = true;
                        counter = locked;
                    }
                    Grant::Locked => prop_assert!(model.locked[usize::from(reg)]),
                    Grant::Unknown | Grant::Conflict | Grant::Wait { .. } => {}
                },
                Step::Prove(reg, id) => if let Proof::Proven { counter: proven, finished, replaced } = counter.prove(&policy, &name(reg), &attempt(id), now) {
                    prop_assert_eq!(finished.attempt.id, attempt(id));
                    if let Some(replaced) = replaced {
                        prop_assert!(proven.slot(&replaced).is_none());
                    }
                    // A login to the pending one leaves the active one's guesses alone.
                    if let (Some(was), Some(is)) = (&before.live, &proven.live) && was.reg_id == is.reg_id && was.reg_id != name(reg) {
                        prop_assert_eq!(was, is);
                    }
                    model.evaluated[usize::from(reg)].clear();
                    counter = *proven;
                },
                Step::Register(reg, content, max, fresh) => {
                    let slot = Slot::new(name(reg), name(content), name(content), max);
                    if let Some(registered) = register(&counter, &policy, slot, fresh, now) {
                        prop_assert!(before.slot(&name(reg)).is_none(), "nothing that is there is registered again");
                        prop_assert_eq!(&registered.live, &before.live);
                        // The name begins anew only after its registration was gone.
                        model.evaluated[usize::from(reg)].clear();
                        model.locked[usize::from(reg)] = false;
                        counter = registered;
                    }
                }
                Step::Delete(reg, fresh) => match counter.delete(&policy, &name(reg), fresh, now) {
                    Deletion::Deleted(deleted) => {
                        let slot = before.slot(&name(reg)).unwrap();
                        prop_assert!(fresh || slot.state == State::Pending || slot.due.is_some_and(|due| due <= now));
                        counter = deleted;
                    }
                    Deletion::Announced(announced, due) => {
                        prop_assert_eq!(due, now + policy.announced);
                        counter = announced;
                    }
                    Deletion::Gone | Deletion::Waits(_) => {}
                },
                Step::Sleep(seconds) => now += u64::from(seconds),
            }
            // A registration is two steps: its beginning and its end.
            let risen = counter.generation - before.generation;
            prop_assert!(risen <= 2 && (risen > 0 || counter == before));
            for slot in counter.live.iter().chain(&counter.pending) {
                let reg = usize::from(slot.reg_id[0] - 1);
                prop_assert!(model.evaluated[reg].len() <= usize::from(slot.max), "(1)");
                prop_assert_eq!(model.locked[reg], slot.state == State::Locked, "(3)");
            }
            prop_assert_eq!(decode_counter(&encode_counter(&counter)), Ok(counter.clone()));
        }
    }

    /// A counter from a backup, clamped by the newest, allows no more than either and passes both generations.
    #[test]
    fn clamped(steps in prop::collection::vec(step(), 2..60), cut in 0..60usize) {
        let policy = Policy { lifetime_failures: 10_000, delays: [0; 11], ..Policy::default() };
        let mut history = vec![Counter::new([7; 32])];
        let mut now = 1_800_000_000;
        for step in steps {
            let counter = history.last().unwrap();
            let next = match step {
                Step::Guess(reg, id, ke1) => match counter.grant(&policy, &name(reg), &attempt(id), &name(ke1), now) {
                    Grant::Granted(next) | Grant::Locks(next) => Some(next),
                    _ => None,
                },
                Step::Prove(reg, id) => match counter.prove(&policy, &name(reg), &attempt(id), now) {
                    Proof::Proven { counter, .. } => Some(*counter),
                    _ => None,
                },
                Step::Register(reg, content, max, fresh) => register(counter, &policy, Slot::new(name(reg), name(content), name(content), max), fresh, now),
                Step::Delete(reg, fresh) => match counter.delete(&policy, &name(reg), fresh, now) {
                    Deletion::Deleted(next) | Deletion::Announced(next, _) => Some(next),
                    _ => None,
                },
                Step::Sleep(seconds) => { now += u64::from(seconds); None }
            };
            history.extend(next);
        }
        let newest = history.last().unwrap();
        let restored = &history[cut.min(history.len() - 1)];
        let (clamped, lost) = clamp(restored, newest);
        prop_assert!(clamped.generation > newest.generation && clamped.generation > restored.generation);
        prop_assert_eq!(decode_counter(&encode_counter(&clamped)), Ok(clamped.clone()));
        for slot in clamped.live.iter().chain(&clamped.pending) {
            let (was, is) = (restored.slot(&slot.reg_id).unwrap(), newest.slot(&slot.reg_id).unwrap());
            prop_assert!(slot.left <= was.left && slot.left <= is.left);
            prop_assert!(is.state != State::Locked && slot.attempts.is_empty());
            prop_assert!(slot.state != State::Pending || slot.failures >= was.failures.max(is.failures));
        }
        for slot in restored.live.iter().chain(&restored.pending) {
            prop_assert_ne!(lost.contains(&slot.reg_id), clamped.slot(&slot.reg_id).is_some());
        }
    }

    #[test]
    fn decoder_takes_only_what_the_encoder_writes(at in 0..2000usize, to in any::<u8>()) {
        let policy = Policy::default();
        let counter = register(&Counter::new([7; 32]), &policy, Slot::new([1; 32], [2; 32], [3; 32], 5), true, 9).unwrap();
        let Grant::Granted(counter) = counter.grant(&policy, &[1; 32], &[4; 16], &[5; 32], 1000) else { panic!() };
        let Proof::Proven { counter, .. } = counter.prove(&policy, &[1; 32], &[4; 16], 1001) else { panic!() };
        let counter = register(&counter, &policy, Slot::new([2; 32], [2; 32], [3; 32], 5), false, 9).unwrap();
        let mut bytes = encode_counter(&counter);
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(decoded) = decode_counter(&bytes) {
            prop_assert_eq!(encode_counter(&decoded), bytes);
        }
    }

    #[test]
    fn decoder_bears_anything(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(decode_counter(&bytes).is_err());
    }
}

/// Raised once more it would begin again at zero.
#[test]
fn last_generation() {
    let counter = |generation| Counter { generation, ..Counter::new([7; 32]) };
    let read = |generation| decode_counter(&encode_counter(&counter(generation)));
    assert_eq!(read(u64::MAX - 1), Ok(counter(u64::MAX - 1)));
    assert_eq!(read(u64::MAX), Err(DecodeError::Malformed { offset: 40 }));
}

fn active(max: u8) -> (Policy, Counter) {
    let policy = Policy { delays: [0; 11], ..Policy::default() };
    let slot = Slot::new([1; 32], [2; 32], [3; 32], max);
    let counter = register(&Counter::new([7; 32]), &policy, slot, false, 0).unwrap();
    let Grant::Granted(counter) = counter.grant(&policy, &[1; 32], &[1; 16], &[1; 32], 0) else {
        panic!()
    };
    let Proof::Proven { counter, .. } = counter.prove(&policy, &[1; 32], &[1; 16], 0) else {
        panic!()
    };
    assert_eq!(counter.live.as_ref().unwrap().state, State::Active);
    (policy, *counter)
}

/// The last guess may be finished for a while; then another attempt locks.
#[test]
fn locks_after_the_last_guess_and_its_grace() {
    let (policy, mut counter) = active(MAX_GUESSES);
    for guess in 0..MAX_GUESSES {
        let Grant::Granted(next) =
            counter.grant(&policy, &[1; 32], &[50 + guess; 16], &[guess; 32], 100)
        else {
            panic!("guess {guess}")
        };
        counter = next;
    }
    let eleventh = |now| counter.grant(&policy, &[1; 32], &[99; 16], &[99; 32], now);
    assert_eq!(eleventh(100), Grant::Wait { seconds: 600, left: 0 });
    assert_eq!(eleventh(699), Grant::Wait { seconds: 1, left: 0 });
    assert!(
        matches!(counter.prove(&policy, &[1; 32], &[59; 16], 699), Proof::Proven { .. }),
        "the right one was the last"
    );
    let Grant::Locks(locked) = eleventh(700) else { panic!() };
    assert_eq!(locked.grant(&policy, &[1; 32], &[59; 16], &[9; 32], 700), Grant::Locked);
    assert_eq!(locked.prove(&policy, &[1; 32], &[59; 16], 700), Proof::Locked);
    assert_eq!(locked.delete(&policy, &[1; 32], true, u64::MAX), Deletion::Gone);
}

/// Guesses at registrations that nobody proved are not the account's.
#[test]
fn failures_over_a_lifetime() {
    let (mut policy, mut counter) = active(5);
    policy.lifetime_failures = 7;
    let slot = Slot::new([2; 32], [2; 32], [3; 32], 5);
    counter = register(&counter, &policy, slot, false, 0).unwrap();
    for guess in 0..5 {
        let Grant::Granted(next) = counter.grant(&policy, &[2; 32], &[50 + guess; 16], &[0; 32], 0)
        else {
            panic!()
        };
        counter = next;
    }
    assert_eq!(counter.failures, 0);
    for round in 0..3 {
        for guess in 0..3 {
            counter =
                match counter.grant(&policy, &[1; 32], &[100 + round * 3 + guess; 16], &[0; 32], 0)
                {
                    Grant::Granted(next) => next,
                    // Six failures, and a success with each round; the seventh was the last.
                    grant => {
                        assert_eq!((round, guess), (2, 3), "{grant:?}");
                        return;
                    }
                };
        }
        let Proof::Proven { counter: next, .. } =
            counter.prove(&policy, &[1; 32], &[102 + round * 3; 16], 0)
        else {
            panic!()
        };
        counter = *next;
        assert_eq!(counter.failures, 2 * (u32::from(round) + 1));
    }
    let Grant::Granted(counter) = counter.grant(&policy, &[1; 32], &[200; 16], &[0; 32], 0) else {
        panic!()
    };
    assert_eq!(counter.failures, 7);
    assert!(matches!(
        counter.grant(&policy, &[1; 32], &[201; 16], &[0; 32], 0),
        Grant::Wait { .. }
    ));
    assert!(matches!(counter.grant(&policy, &[1; 32], &[201; 16], &[0; 32], 600), Grant::Locks(_)));
    let draft = Draft { reg_id: [3; 32], request: [0; 32], rk: [0; 64] };
    assert_eq!(counter.draft(&policy, draft), Drafting::Locked);
}

/// Clocks set the pace only: a year off, they neither add guesses nor shut the owner out.
#[test]
fn clocks_a_year_off() {
    const YEAR: u64 = 365 * 86_400;
    let (_, counter) = active(10);
    let policy = Policy::default();
    let now = 10 * YEAR;
    let mut granted = 0;
    let mut counter = counter;
    for step in 0..100u8 {
        // Forward and back by a year at each guess.
        let now = if step % 2 == 0 { now + YEAR } else { now };
        if let Grant::Granted(next) =
            counter.grant(&policy, &[1; 32], &[100 + step; 16], &[0; 32], now)
        {
            counter = next;
            granted += 1;
        }
    }
    assert_eq!(granted, 10);
}
