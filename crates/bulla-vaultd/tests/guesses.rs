//! Tests the guess limit (V-5.2, V-5.3, V-8.1 and V-8.3 of spec/VAULT.md).

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use bulla_vaultd::evaluator::{AboutCall, Evaluator};
use bulla_vaultd::store::RecordKey;
use bulla_vaultd::vault::{Vault, VaultError};
use support::*;

#[test]
fn max_wrong_passwords_lock_out_the_correct_one() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    for guess in 0..10 {
        let failed = login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
        assert_eq!(failed, LoginError::WrongPassword { left: 9 - guess });
    }
    let last = |fixture: &TestVault| login(&fixture.vault, &ALICE, &REG, "right").unwrap_err();
    assert_eq!(last(&fixture), LoginError::Vault(VaultError::Wait { seconds: 600, left: 0 }));
    assert!(fixture.store.read(&[RecordKey::Sealed(ALICE, REG)]).unwrap()[0].is_some());
    fixture.clock.advance(600);
    assert_eq!(last(&fixture), LoginError::Vault(VaultError::Locked));
    assert!(
        fixture.store.read(&[RecordKey::Sealed(ALICE, REG)]).unwrap()[0].is_none(),
        "the sealed record still exists"
    );
    fixture.clock.advance(10 * 365 * 86_400);
    assert_eq!(last(&fixture), LoginError::Vault(VaultError::Locked));
    assert_eq!(fixture.local.evaluated_since_proof(&ALICE, &REG), 10);
}

#[test]
fn accepts_the_correct_password_on_the_last_guess() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    for _ in 0..9 {
        login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    }
    let reply = login(&fixture.vault, &ALICE, &REG, "right").unwrap();
    assert_eq!(reply.wrapped_key, WRAPPED);
    assert_eq!((reply.failures, reply.lifetime_failures), (9, 9));
    assert_eq!(fixture.left(&ALICE, &REG), 10);
    let reply = login(&fixture.vault, &ALICE, &REG, "right").unwrap();
    assert_eq!((reply.failures, reply.lifetime_failures), (0, 9));
}

/// The last guess may be finished for ten minutes, no matter what other attempts are made.
#[test]
fn other_attempts_do_not_cut_off_the_last_guess() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 1);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&fixture.vault).unwrap()).unwrap();
    fixture.clock.advance(599);
    assert!(matches!(
        login(&fixture.vault, &ALICE, &REG, "wrong"),
        Err(LoginError::Vault(VaultError::Wait { .. }))
    ));
    assert_eq!(proof.finish(&fixture.vault).unwrap().wrapped_key, WRAPPED);
}

#[test]
fn delays_between_guesses_grow() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::with(
        directory.path(),
        bulla_vaultd::record::Policy::default(),
        TestClock::new(),
    );
    fixture.enroll(&ALICE, &REG, "right", 10);
    let mut waited = Vec::new();
    while waited.len() < 10 {
        match login(&fixture.vault, &ALICE, &REG, "wrong") {
            Err(LoginError::WrongPassword { .. }) => waited.push(0),
            Err(LoginError::Vault(VaultError::Wait { seconds, .. })) => {
                fixture.clock.advance(seconds);
                assert!(matches!(
                    login(&fixture.vault, &ALICE, &REG, "wrong"),
                    Err(LoginError::WrongPassword { .. })
                ));
                waited.push(seconds);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waited, [0, 0, 0, 15, 60, 300, 900, 3600, 14_400, 43_200]);
}

/// Races guesses on several servers. The number of evaluations never exceeds `max` (V-8.1).
fn race(threads: usize, each: usize) {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let before = fixture.local.about(&AboutCall).unwrap();
    let granted = AtomicUsize::new(0);
    let servers: Vec<Vault> =
        (0..3).map(|_| Vault::new(fixture.store.clone(), fixture.local.clone(), None)).collect();
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
    let after = fixture.local.about(&AboutCall).unwrap();
    assert_eq!(granted.load(Ordering::SeqCst), 10);
    assert_eq!(fixture.local.evaluated_since_proof(&ALICE, &REG), 10);
    assert_eq!(after.distinct - before.distinct, 10);
    assert_eq!(fixture.left(&ALICE, &REG), 0);
}

#[test]
fn racing_64_guesses_never_exceed_max() {
    race(64, 1);
}

#[test]
fn racing_1000_guesses_never_exceed_max() {
    race(50, 20);
}

#[test]
fn repeating_an_attempt_spends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proofs: Vec<_> = (0..5)
        .map(|_| {
            let other_node = Vault::new(fixture.store.clone(), fixture.local.clone(), None);
            guess.prove(&guess.start(&other_node).unwrap()).unwrap()
        })
        .collect();
    assert_eq!(fixture.left(&ALICE, &REG), 9);
    // The client can finish with any of the responses, because any of the others may have been
    // lost.
    assert_eq!(proofs[3].finish(&fixture.vault).unwrap().wrapped_key, WRAPPED);
    assert_eq!(fixture.left(&ALICE, &REG), 10);

    // Repeating an attempt with a different KE1 is rejected, before and after the login succeeds.
    let mut other = Guess::new(&ALICE, &REG, "right");
    other.login = guess.login;
    assert_eq!(other.start(&fixture.vault).unwrap_err(), VaultError::Conflict);
    assert_eq!(guess.start(&fixture.vault).unwrap_err(), VaultError::Conflict);
}

#[test]
fn replaying_a_finish_returns_the_same_key_and_restores_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&fixture.vault).unwrap()).unwrap();
    let first = proof.finish(&fixture.vault).unwrap();

    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    assert_eq!(fixture.left(&ALICE, &REG), 9);
    let other_node = Vault::new(fixture.store.clone(), fixture.local.clone(), None);
    for vault in [&fixture.vault, &other_node] {
        let again = proof.finish(vault).unwrap();
        assert_eq!(again.wrapped_key, first.wrapped_key);
        assert_eq!(again.failures, first.failures);
    }
    assert_eq!(fixture.left(&ALICE, &REG), 9, "the guesses were restored twice");

    // A token is valid only for its own attempt, and not after another login.
    let other = Guess::new(&ALICE, &REG, "right");
    let mut other = other.prove(&other.start(&fixture.vault).unwrap()).unwrap();
    other.login.attempt_id = guess.login.attempt_id;
    assert_eq!(other.finish(&fixture.vault).err(), Some(VaultError::Conflict));
    login(&fixture.vault, &ALICE, &REG, "right").unwrap();
    assert_eq!(proof.finish(&fixture.vault).err(), Some(VaultError::Conflict));
}

/// A forged KE3 or login token is rejected and restores no guesses.
#[test]
fn rejects_every_changed_byte_of_a_proof() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&fixture.vault).unwrap()).unwrap();
    for at in 0..64 {
        let mut ke3 = proof.ke3.clone();
        ke3[at] ^= 1;
        let result = fixture.vault.login_finish(&proof.login, &proof.token, &ke3);
        assert_eq!(result, Err(VaultError::WrongPassword { left: 9 }), "byte {at}");
    }
    for at in 0..proof.token.len() {
        let mut token = proof.token.clone();
        token[at] ^= 1;
        let result = fixture.vault.login_finish(&proof.login, &token, &proof.ke3);
        assert_eq!(result, Err(VaultError::Conflict), "byte {at}");
    }
    assert_eq!(fixture.left(&ALICE, &REG), 9);
}
