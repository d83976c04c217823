//! Epochs: V-8.7 of spec/VAULT.md.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bulla_vaultd::evaluator::{AboutCall, Evaluator};
use bulla_vaultd::hsm::HsmError;
use bulla_vaultd::record::sealed::{Stored, associated_data};
use bulla_vaultd::store::Key;
use support::*;

fn account(thread: u8, number: u16) -> [u8; 32] {
    let [high, low] = number.to_be_bytes();
    std::array::from_fn(|at| [thread, high, low, 7][at % 4])
}

/// While people register, log in and delete, records are sealed under a new key and the old one is
/// destroyed: nobody loses anything.
#[test]
fn under_load_nothing_that_lives_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let accounts = |thread: u8| (0..6).map(move |number| account(thread, number));
    (0..3).flat_map(accounts).for_each(|account| bench.enroll(&account, &REG, "right", 10));
    let (done, began) = (AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        for thread in 0..3u8 {
            let (bench, done) = (&bench, &done);
            scope.spawn(move || {
                for round in 0u16.. {
                    for account in accounts(thread) {
                        login(&bench.vault, &account, &REG, "right").unwrap();
                    }
                    bench.enroll(&account(100 + thread, round), &REG, "right", 10);
                    if done.load(Ordering::SeqCst) || began.elapsed() > Duration::from_secs(60) {
                        break;
                    }
                }
            });
        }
        for epoch in 2..5 {
            let rotated = bench.vault.rotate(Duration::from_millis(300)).unwrap();
            assert!(rotated.epoch == epoch && rotated.resealed >= 18);
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(bench.local.about(&AboutCall).unwrap().epochs, [4]);
    for account in (0..3).flat_map(accounts) {
        let reply = login(&bench.vault, &account, &REG, "right").unwrap();
        assert_eq!((reply.wrapped_key, reply.failures), (WRAPPED, 0));
    }
}

/// A sealed record that was kept from before it was locked or deleted cannot be opened by any key
/// that exists.
#[test]
fn what_was_gone_before_a_rotation_cannot_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let policy = bulla_vaultd::record::Policy { grace: 0, ..policy() };
    let bench = Bench::with(directory.path(), policy, Time::new());
    bench.enroll(&ALICE, &REG, "right", 1);
    let kept = bench.store.read(&[Key::Sealed(ALICE, REG)]).unwrap().remove(0).unwrap().value;
    let kept = Stored::decode(&kept).unwrap();
    let associated_data = associated_data(kept.epoch, &ALICE, &REG);
    let open = || bench.hsm.open(kept.epoch, &kept.nonce, &associated_data, &kept.ciphertext);
    assert!(open().is_ok());

    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    assert!(open().is_ok(), "a copy outlives its deletion in the store");
    assert_eq!(bench.vault.rotate(Duration::ZERO).unwrap().epoch, 2);
    assert!(matches!(open(), Err(HsmError::NoSuchEpoch(1))));
    let under_the_new = bench.hsm.open(2, &kept.nonce, &associated_data, &kept.ciphertext);
    assert!(matches!(under_the_new, Err(HsmError::NotAuthentic)));
    let file = std::fs::read_to_string(directory.path().join("keys")).unwrap();
    assert!(file.contains("seal 2 ") && !file.contains("seal 1 "));
}

/// A registration that was begun before a rotation and is ended after it has to be begun again.
#[test]
fn a_draft_from_before() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let registering = begin("right");
    let response = bench.vault.register_start(&ALICE, &REG, &registering.request).unwrap();
    bench.vault.rotate(Duration::ZERO).unwrap();
    let call = upload(&ALICE, &REG, "right", &registering, &response, 10, None);
    assert_eq!(
        bench.vault.register_finish(call).err(),
        Some(bulla_vaultd::vault::VaultError::Conflict)
    );
    bench.enroll(&ALICE, &NEW_REG, "right", 10);
}
