//! Property tests for the counter: random steps are compared with a model that only counts guesses.
//! The properties are those that spec/VAULT.md, section 8, promises.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use std::collections::HashSet;

use bulla_vaultd::record::{
    Counter, DecodeError, DeleteOutcome, DraftOutcome, GrantOutcome, MAX_GUESSES, Policy,
    ProofOutcome, RegisterOutcome, Registration, RegistrationDraft, RegistrationState, clamp,
    decode_counter, encode_counter,
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// A login's first message: registration, attempt, KE1.
    Guess(u8, u8, u8),
    /// An attempt's proof: registration, attempt.
    Prove(u8, u8),
    /// A complete registration: identity, content, guesses, and whether a fresh login authorizes
    /// it.
    Register(u8, u8, u8, bool),
    Delete(u8, bool),
    Sleep(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3u8, 0..6u8, 0..2u8).prop_map(|(reg, id, ke1)| Step::Guess(reg, id, ke1)),
        2 => (0..3u8, 0..6u8).prop_map(|(reg, id)| Step::Prove(reg, id)),
        1 => (0..3u8, 0..2u8, 1..=4u8, any::<bool>())
            .prop_map(|(reg, content, max, fresh)| Step::Register(reg, content, max, fresh)),
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

/// Performs a registration, from draft to PENDING.
fn register(
    counter: &Counter,
    policy: &Policy,
    registration: Registration,
    fresh: bool,
    now: u64,
) -> Option<Counter> {
    let draft = RegistrationDraft { reg_id: registration.reg_id, request: [9; 32], rk: [9; 64] };
    let drafted = match counter.draft(policy, draft) {
        DraftOutcome::Drafted(drafted) => *drafted,
        _ => counter.clone(),
    };
    match drafted.register(policy, registration, fresh, now) {
        RegisterOutcome::Registered { counter, .. } => Some(*counter),
        _ => None,
    }
}

/// The guesses evaluated for each registration since its last proof.
#[derive(Default)]
struct Model {
    evaluated: [HashSet<([u8; 16], [u8; 32])>; 3],
    locked: [bool; 3],
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    })]

    #[test]
    fn evaluations_never_exceed_max_and_locked_is_final(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        check_against_model(steps)?;
    }

    /// Clamping a restored counter to the newest one yields a later generation that allows no more
    /// guesses than either counter.
    #[test]
    fn clamping_allows_no_more_than_either_counter(
        steps in prop::collection::vec(step(), 2..60),
        cut in 0..60usize,
    ) {
        check_clamping(steps, cut)?;
    }

    #[test]
    fn decoder_accepts_only_what_the_encoder_writes(
        at in 0..2000usize,
        to in any::<u8>(),
    ) {
        check_unique_encoding(at, to)?;
    }

    #[test]
    fn decoder_rejects_random_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        prop_assert!(decode_counter(&bytes).is_err());
    }
}

fn check_against_model(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let policy = Policy::default();
    let mut counter = Counter::new([7; 32]);
    let mut model = Model::default();
    let mut now = 1_800_000_000;
    for step in steps {
        let before = counter.clone();
        match step {
            Step::Guess(reg, id, ke1) => {
                match counter.grant(&policy, &name(reg), &attempt(id), &name(ke1), now) {
                    GrantOutcome::Granted(granted) => {
                        let left = counter.registration(&name(reg)).unwrap().left;
                        prop_assert_eq!(granted.registration(&name(reg)).unwrap().left, left - 1);
                        model.evaluated[usize::from(reg)].insert((attempt(id), name(ke1)));
                        counter = granted;
                    }
                    GrantOutcome::Repeated => {
                        // Only a guess that was spent is evaluated again.
                        prop_assert!(
                            model.evaluated[usize::from(reg)].contains(&(attempt(id), name(ke1)))
                        );
                    }
                    GrantOutcome::Locks(locked) => {
                        prop_assert_eq!(
                            locked.registration(&name(reg)).unwrap().state,
                            RegistrationState::Locked
                        );
                        model.locked[usize::from(reg)] = true;
                        counter = locked;
                    }
                    GrantOutcome::Locked => prop_assert!(model.locked[usize::from(reg)]),
                    GrantOutcome::Unknown | GrantOutcome::Conflict | GrantOutcome::Wait { .. } => {}
                }
            }
            Step::Prove(reg, id) => {
                if let ProofOutcome::Proven { counter: proven, finished, replaced } =
                    counter.prove(&policy, &name(reg), &attempt(id), now)
                {
                    prop_assert_eq!(finished.attempt.id, attempt(id));
                    if let Some(replaced) = replaced {
                        prop_assert!(proven.registration(&replaced).is_none());
                    }
                    // A login to the pending registration does not restore the active one's
                    // guesses.
                    if let (Some(was), Some(is)) = (&before.live, &proven.live)
                        && was.reg_id == is.reg_id
                        && was.reg_id != name(reg)
                    {
                        prop_assert_eq!(was, is);
                    }
                    model.evaluated[usize::from(reg)].clear();
                    counter = *proven;
                }
            }
            Step::Register(reg, content, max, fresh) => {
                let registration = Registration::new(name(reg), name(content), name(content), max);
                if let Some(registered) = register(&counter, &policy, registration, fresh, now) {
                    prop_assert!(before.registration(&name(reg)).is_none(), "registered twice");
                    prop_assert_eq!(&registered.live, &before.live);
                    // An identity is reused only after its registration is gone.
                    model.evaluated[usize::from(reg)].clear();
                    model.locked[usize::from(reg)] = false;
                    counter = registered;
                }
            }
            Step::Delete(reg, fresh) => match counter.delete(&policy, &name(reg), fresh, now) {
                DeleteOutcome::Deleted(deleted) => {
                    let registration = before.registration(&name(reg)).unwrap();
                    prop_assert!(
                        fresh
                            || registration.state == RegistrationState::Pending
                            || registration.due.is_some_and(|due| due <= now)
                    );
                    counter = deleted;
                }
                DeleteOutcome::Announced(announced, due) => {
                    prop_assert_eq!(due, now + policy.announced);
                    counter = announced;
                }
                DeleteOutcome::Gone | DeleteOutcome::Waits(_) => {}
            },
            Step::Sleep(seconds) => now += u64::from(seconds),
        }
        // A registration takes two steps, beginning and completion.
        let risen = counter.generation - before.generation;
        prop_assert!(risen <= 2 && (risen > 0 || counter == before));
        for registration in counter.live.iter().chain(&counter.pending) {
            let reg = usize::from(registration.reg_id[0] - 1);
            prop_assert!(model.evaluated[reg].len() <= usize::from(registration.max), "V-8.1");
            prop_assert_eq!(
                model.locked[reg],
                registration.state == RegistrationState::Locked,
                "V-8.3"
            );
        }
        prop_assert_eq!(decode_counter(&encode_counter(&counter)), Ok(counter.clone()));
    }
    Ok(())
}

fn check_clamping(steps: Vec<Step>, cut: usize) -> Result<(), TestCaseError> {
    let policy = Policy { lifetime_failures: 10_000, delays: [0; 11], ..Policy::default() };
    let mut history = vec![Counter::new([7; 32])];
    let mut now = 1_800_000_000;
    for step in steps {
        let counter = history.last().unwrap();
        let next = match step {
            Step::Guess(reg, id, ke1) => {
                match counter.grant(&policy, &name(reg), &attempt(id), &name(ke1), now) {
                    GrantOutcome::Granted(next) | GrantOutcome::Locks(next) => Some(next),
                    _ => None,
                }
            }
            Step::Prove(reg, id) => match counter.prove(&policy, &name(reg), &attempt(id), now) {
                ProofOutcome::Proven { counter, .. } => Some(*counter),
                _ => None,
            },
            Step::Register(reg, content, max, fresh) => register(
                counter,
                &policy,
                Registration::new(name(reg), name(content), name(content), max),
                fresh,
                now,
            ),
            Step::Delete(reg, fresh) => match counter.delete(&policy, &name(reg), fresh, now) {
                DeleteOutcome::Deleted(next) | DeleteOutcome::Announced(next, _) => Some(next),
                _ => None,
            },
            Step::Sleep(seconds) => {
                now += u64::from(seconds);
                None
            }
        };
        history.extend(next);
    }
    let newest = history.last().unwrap();
    let restored = &history[cut.min(history.len() - 1)];
    let (clamped, lost) = clamp(restored, newest);
    prop_assert!(
        clamped.generation > newest.generation && clamped.generation > restored.generation
    );
    prop_assert_eq!(decode_counter(&encode_counter(&clamped)), Ok(clamped.clone()));
    for registration in clamped.live.iter().chain(&clamped.pending) {
        let (was, is) = (
            restored.registration(&registration.reg_id).unwrap(),
            newest.registration(&registration.reg_id).unwrap(),
        );
        prop_assert!(registration.left <= was.left && registration.left <= is.left);
        prop_assert!(is.state != RegistrationState::Locked && registration.attempts.is_empty());
        prop_assert!(
            registration.state != RegistrationState::Pending
                || registration.failures >= was.failures.max(is.failures)
        );
    }
    for registration in restored.live.iter().chain(&restored.pending) {
        prop_assert_ne!(
            lost.contains(&registration.reg_id),
            clamped.registration(&registration.reg_id).is_some()
        );
    }
    Ok(())
}

fn check_unique_encoding(at: usize, to: u8) -> Result<(), TestCaseError> {
    let policy = Policy::default();
    let counter = register(
        &Counter::new([7; 32]),
        &policy,
        Registration::new([1; 32], [2; 32], [3; 32], 5),
        true,
        9,
    )
    .unwrap();
    let GrantOutcome::Granted(counter) = counter.grant(&policy, &[1; 32], &[4; 16], &[5; 32], 1000)
    else {
        panic!()
    };
    let ProofOutcome::Proven { counter, .. } = counter.prove(&policy, &[1; 32], &[4; 16], 1001)
    else {
        panic!()
    };
    let counter =
        register(&counter, &policy, Registration::new([2; 32], [2; 32], [3; 32], 5), false, 9)
            .unwrap();
    let mut bytes = encode_counter(&counter);
    let at = at % bytes.len();
    bytes[at] = to;
    if let Ok(decoded) = decode_counter(&bytes) {
        prop_assert_eq!(encode_counter(&decoded), bytes);
    }
    Ok(())
}

/// Incrementing the last generation would overflow.
#[test]
fn decoder_rejects_the_last_generation() {
    let counter = |generation| Counter { generation, ..Counter::new([7; 32]) };
    let read = |generation| decode_counter(&encode_counter(&counter(generation)));
    assert_eq!(read(u64::MAX - 1), Ok(counter(u64::MAX - 1)));
    assert_eq!(read(u64::MAX), Err(DecodeError::Malformed { offset: 40 }));
}

fn active(max: u8) -> (Policy, Counter) {
    let policy = Policy { delays: [0; 11], ..Policy::default() };
    let registration = Registration::new([1; 32], [2; 32], [3; 32], max);
    let counter = register(&Counter::new([7; 32]), &policy, registration, false, 0).unwrap();
    let GrantOutcome::Granted(counter) = counter.grant(&policy, &[1; 32], &[1; 16], &[1; 32], 0)
    else {
        panic!()
    };
    let ProofOutcome::Proven { counter, .. } = counter.prove(&policy, &[1; 32], &[1; 16], 0) else {
        panic!()
    };
    assert_eq!(counter.live.as_ref().unwrap().state, RegistrationState::Active);
    (policy, *counter)
}

/// The last guess may be finished during the grace period. After that, another attempt locks the
/// registration (V-5.3).
#[test]
fn locks_after_the_last_guess_and_its_grace_period() {
    let (policy, mut counter) = active(MAX_GUESSES);
    for guess in 0..MAX_GUESSES {
        let GrantOutcome::Granted(next) =
            counter.grant(&policy, &[1; 32], &[50 + guess; 16], &[guess; 32], 100)
        else {
            panic!("guess {guess}")
        };
        counter = next;
    }
    let eleventh = |now| counter.grant(&policy, &[1; 32], &[99; 16], &[99; 32], now);
    assert_eq!(eleventh(100), GrantOutcome::Wait { seconds: 600, left: 0 });
    assert_eq!(eleventh(699), GrantOutcome::Wait { seconds: 1, left: 0 });
    assert!(
        matches!(counter.prove(&policy, &[1; 32], &[59; 16], 699), ProofOutcome::Proven { .. }),
        "the last guess was correct"
    );
    let GrantOutcome::Locks(locked) = eleventh(700) else { panic!() };
    assert_eq!(locked.grant(&policy, &[1; 32], &[59; 16], &[9; 32], 700), GrantOutcome::Locked);
    assert_eq!(locked.prove(&policy, &[1; 32], &[59; 16], 700), ProofOutcome::Locked);
    assert_eq!(locked.delete(&policy, &[1; 32], true, u64::MAX), DeleteOutcome::Gone);
}

/// Guesses for a registration that was never proven do not count towards the account's cap.
#[test]
fn the_lifetime_cap_counts_failures_for_proven_registrations() {
    let (mut policy, mut counter) = active(5);
    policy.lifetime_failures = 7;
    let registration = Registration::new([2; 32], [2; 32], [3; 32], 5);
    counter = register(&counter, &policy, registration, false, 0).unwrap();
    for guess in 0..5 {
        let GrantOutcome::Granted(next) =
            counter.grant(&policy, &[2; 32], &[50 + guess; 16], &[0; 32], 0)
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
                    GrantOutcome::Granted(next) => next,
                    // Each round has two failures and a success; the seventh failure is the last.
                    grant => {
                        assert_eq!((round, guess), (2, 3), "{grant:?}");
                        return;
                    }
                };
        }
        let ProofOutcome::Proven { counter: next, .. } =
            counter.prove(&policy, &[1; 32], &[102 + round * 3; 16], 0)
        else {
            panic!()
        };
        counter = *next;
        assert_eq!(counter.failures, 2 * (u32::from(round) + 1));
    }
    let GrantOutcome::Granted(counter) = counter.grant(&policy, &[1; 32], &[200; 16], &[0; 32], 0)
    else {
        panic!()
    };
    assert_eq!(counter.failures, 7);
    assert!(matches!(
        counter.grant(&policy, &[1; 32], &[201; 16], &[0; 32], 0),
        GrantOutcome::Wait { .. }
    ));
    assert!(matches!(
        counter.grant(&policy, &[1; 32], &[201; 16], &[0; 32], 600),
        GrantOutcome::Locks(_)
    ));
    let draft = RegistrationDraft { reg_id: [3; 32], request: [0; 32], rk: [0; 64] };
    assert_eq!(counter.draft(&policy, draft), DraftOutcome::Locked);
}

/// Clocks affect only delays. Even a clock that is a year off neither adds guesses nor keeps the
/// owner out.
#[test]
fn clocks_a_year_off_add_no_guesses() {
    const YEAR: u64 = 365 * 86_400;
    let (_, counter) = active(10);
    let policy = Policy::default();
    let now = 10 * YEAR;
    let mut granted = 0;
    let mut counter = counter;
    for step in 0..100u8 {
        // The clock jumps a year forward or back at each guess.
        let now = if step % 2 == 0 { now + YEAR } else { now };
        if let GrantOutcome::Granted(next) =
            counter.grant(&policy, &[1; 32], &[100 + step; 16], &[0; 32], now)
        {
            counter = next;
            granted += 1;
        }
    }
    assert_eq!(granted, 10);
}
