//! The limit on guesses: V-5.2, V-5.3, V-8.1 and V-8.3 of spec/VAULT.md.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use bulla_vaultd::evaluator::{AboutCall, Evaluator};
use bulla_vaultd::store::Key;
use bulla_vaultd::vault::{Vault, VaultError};
use support::*;

#[test]
fn after_max_wrong_passwords_the_right_one_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    for guess in 0..10 {
        let failed = login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
        assert_eq!(failed, Failed::Wrong { left: 9 - guess });
    }
    let last = |bench: &Bench| login(&bench.vault, &ALICE, &REG, "right").unwrap_err();
    assert_eq!(last(&bench), Failed::Said(VaultError::Wait { seconds: 600, left: 0 }));
    assert!(bench.store.read(&[Key::Sealed(ALICE, REG)]).unwrap()[0].is_some());
    bench.time.pass(600);
    assert_eq!(last(&bench), Failed::Said(VaultError::Locked));
    assert!(
        bench.store.read(&[Key::Sealed(ALICE, REG)]).unwrap()[0].is_none(),
        "what was sealed is gone"
    );
    bench.time.pass(10 * 365 * 86_400);
    assert_eq!(last(&bench), Failed::Said(VaultError::Locked));
    assert_eq!(bench.local.evaluated_since_proof(&ALICE, &REG), 10);
}

#[test]
fn the_right_password_on_the_last_guess() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    for _ in 0..9 {
        login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    }
    let reply = login(&bench.vault, &ALICE, &REG, "right").unwrap();
    assert_eq!(reply.wrapped_key, WRAPPED);
    assert_eq!((reply.failures, reply.lifetime_failures), (9, 9));
    assert_eq!(bench.left(&ALICE, &REG), 10);
    let reply = login(&bench.vault, &ALICE, &REG, "right").unwrap();
    assert_eq!((reply.failures, reply.lifetime_failures), (0, 9));
}

/// The last guess may be finished for ten minutes, whatever others ask for meanwhile.
#[test]
fn the_last_guess_is_not_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 1);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&bench.vault).unwrap()).unwrap();
    bench.time.pass(599);
    assert!(matches!(
        login(&bench.vault, &ALICE, &REG, "wrong"),
        Err(Failed::Said(VaultError::Wait { .. }))
    ));
    assert_eq!(proof.finish(&bench.vault).unwrap().wrapped_key, WRAPPED);
}

#[test]
fn guesses_wait_longer_and_longer() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::with(directory.path(), bulla_vaultd::record::Policy::default(), Time::new());
    bench.enroll(&ALICE, &REG, "right", 10);
    let mut waited = Vec::new();
    while waited.len() < 10 {
        match login(&bench.vault, &ALICE, &REG, "wrong") {
            Err(Failed::Wrong { .. }) => waited.push(0),
            Err(Failed::Said(VaultError::Wait { seconds, .. })) => {
                bench.time.pass(seconds);
                assert!(matches!(
                    login(&bench.vault, &ALICE, &REG, "wrong"),
                    Err(Failed::Wrong { .. })
                ));
                waited.push(seconds);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waited, [0, 0, 0, 15, 60, 300, 900, 3600, 14_400, 43_200]);
}

/// Many racing guesses over several servers: what the evaluators count never exceeds max.
fn race(threads: usize, each: usize) {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let before = bench.local.about(&AboutCall).unwrap();
    let granted = AtomicUsize::new(0);
    let servers: Vec<Vault> =
        (0..3).map(|_| Vault::new(bench.store.clone(), bench.local.clone(), None)).collect();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (servers, granted) = (&servers, &granted);
            scope.spawn(move || {
                for round in 0..each {
                    let guess = Guess::new(&ALICE, &REG, "wrong");
                    match guess.start(&servers[(thread + round) % 3]) {
                        Ok(_) => _ = granted.fetch_add(1, Ordering::SeqCst),
                        Err(VaultError::Wait { left: 0, .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    let after = bench.local.about(&AboutCall).unwrap();
    assert_eq!(granted.load(Ordering::SeqCst), 10);
    assert_eq!(bench.local.evaluated_since_proof(&ALICE, &REG), 10);
    assert_eq!(after.distinct - before.distinct, 10);
    assert_eq!(bench.left(&ALICE, &REG), 0);
}

#[test]
fn racing_64() {
    race(64, 1);
}

#[test]
fn racing_1000() {
    race(50, 20);
}

#[test]
fn the_same_attempt_again_costs_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proofs: Vec<_> = (0..5)
        .map(|_| {
            let other_node = Vault::new(bench.store.clone(), bench.local.clone(), None);
            guess.prove(&guess.start(&other_node).unwrap()).unwrap()
        })
        .collect();
    assert_eq!(bench.left(&ALICE, &REG), 9);
    // Each answer is one that can be finished, as the client cannot know which ones were lost.
    assert_eq!(proofs[3].finish(&bench.vault).unwrap().wrapped_key, WRAPPED);
    assert_eq!(bench.left(&ALICE, &REG), 10);

    // Under the same name with another KE1: refused, before and after the success.
    let mut other = Guess::new(&ALICE, &REG, "right");
    other.login = guess.login;
    assert_eq!(other.start(&bench.vault).unwrap_err(), VaultError::Conflict);
    assert_eq!(guess.start(&bench.vault).unwrap_err(), VaultError::Conflict);
}

#[test]
fn replays_of_a_finish_give_the_same_and_reset_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&bench.vault).unwrap()).unwrap();
    let first = proof.finish(&bench.vault).unwrap();

    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    assert_eq!(bench.left(&ALICE, &REG), 9);
    let other_node = Vault::new(bench.store.clone(), bench.local.clone(), None);
    for vault in [&bench.vault, &other_node] {
        let again = proof.finish(vault).unwrap();
        assert_eq!(again.wrapped_key, first.wrapped_key);
        assert_eq!(again.failures, first.failures);
    }
    assert_eq!(bench.left(&ALICE, &REG), 9, "no second reset");

    // The token of one attempt is none for another, and none after another login.
    let other = Guess::new(&ALICE, &REG, "right");
    let mut other = other.prove(&other.start(&bench.vault).unwrap()).unwrap();
    other.login.attempt_id = guess.login.attempt_id;
    assert_eq!(other.finish(&bench.vault).err(), Some(VaultError::Conflict));
    login(&bench.vault, &ALICE, &REG, "right").unwrap();
    assert_eq!(proof.finish(&bench.vault).err(), Some(VaultError::Conflict));
}

/// Whatever is sent as proof that is none: refused, nothing given back.
#[test]
fn a_proof_that_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&bench.vault).unwrap()).unwrap();
    for at in 0..64 {
        let mut ke3 = proof.ke3.clone();
        ke3[at] ^= 1;
        let said = bench.vault.login_finish(&proof.login, &proof.token, &ke3);
        assert_eq!(said, Err(VaultError::WrongPassword { left: 9 }), "byte {at}");
    }
    for at in 0..proof.token.len() {
        let mut token = proof.token.clone();
        token[at] ^= 1;
        let said = bench.vault.login_finish(&proof.login, &token, &proof.ke3);
        assert_eq!(said, Err(VaultError::Conflict), "byte {at}");
    }
    assert_eq!(bench.left(&ALICE, &REG), 9);
}
