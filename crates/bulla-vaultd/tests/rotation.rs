//! Tests epoch rotation (V-8.7 of spec/VAULT.md).

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bulla_vaultd::evaluator::{AboutCall, Evaluator};
use bulla_vaultd::hsm::HsmError;
use bulla_vaultd::record::sealed::{SealedRecord, associated_data};
use bulla_vaultd::store::RecordKey;
use support::*;

fn account(thread: u8, number: u16) -> [u8; 32] {
    let [high, low] = number.to_be_bytes();
    std::array::from_fn(|at| [thread, high, low, 7][at % 4])
}

/// Accounts register and log in while records are resealed and old keys are destroyed. No live
/// record is lost.
#[test]
fn a_rotation_under_load_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let accounts = |thread: u8| (0..6).map(move |number| account(thread, number));
    (0..3).flat_map(accounts).for_each(|account| fixture.enroll(&account, &REG, "right", 10));
    let (done, began) = (AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        for thread in 0..3u8 {
            let (fixture, done) = (&fixture, &done);
            scope.spawn(move || {
                for round in 0u16.. {
                    for account in accounts(thread) {
                        login(&fixture.vault, &account, &REG, "right").unwrap();
                    }
                    fixture.enroll(&account(100 + thread, round), &REG, "right", 10);
                    if done.load(Ordering::SeqCst) || began.elapsed() > Duration::from_secs(60) {
                        break;
                    }
                }
            });
        }
        for epoch in 2..5 {
            let rotated = fixture.vault.rotate(Duration::from_millis(300)).unwrap();
            assert!(rotated.epoch == epoch && rotated.resealed >= 18);
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(fixture.local.about(&AboutCall).unwrap().epochs, [4]);
    for account in (0..3).flat_map(accounts) {
        let reply = login(&fixture.vault, &account, &REG, "right").unwrap();
        assert_eq!((reply.wrapped_key, reply.failures), (WRAPPED, 0));
    }
}

/// After a rotation, no remaining key can open a copy of a sealed record that was locked or deleted
/// before the rotation.
#[test]
fn records_deleted_before_a_rotation_cannot_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let policy = bulla_vaultd::record::Policy { grace: 0, ..policy() };
    let fixture = TestVault::with(directory.path(), policy, TestClock::new());
    fixture.enroll(&ALICE, &REG, "right", 1);
    let kept =
        fixture.store.read(&[RecordKey::Sealed(ALICE, REG)]).unwrap().remove(0).unwrap().value;
    let kept = SealedRecord::decode(&kept).unwrap();
    let associated_data = associated_data(kept.epoch, &ALICE, &REG);
    let open = || fixture.hsm.open(kept.epoch, &kept.nonce, &associated_data, &kept.ciphertext);
    assert!(open().is_ok());

    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    assert!(open().is_ok(), "deleting the record in the store does not affect the copy");
    assert_eq!(fixture.vault.rotate(Duration::ZERO).unwrap().epoch, 2);
    assert!(matches!(open(), Err(HsmError::NoSuchEpoch(1))));
    let under_the_new = fixture.hsm.open(2, &kept.nonce, &associated_data, &kept.ciphertext);
    assert!(matches!(under_the_new, Err(HsmError::NotAuthentic)));
    let file = std::fs::read_to_string(directory.path().join("keys")).unwrap();
    assert!(file.contains("seal 2 ") && !file.contains("seal 1 "));
}

/// A registration begun before a rotation cannot be completed after it, and must be begun again.
#[test]
fn a_draft_does_not_survive_a_rotation() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let registering = begin("right");
    let response = fixture.vault.register_start(&ALICE, &REG, &registering.request).unwrap();
    fixture.vault.rotate(Duration::ZERO).unwrap();
    let call = upload(&ALICE, &REG, "right", &registering, &response, 10, None);
    assert_eq!(
        fixture.vault.register_finish(call).err(),
        Some(bulla_vaultd::vault::VaultError::Conflict)
    );
    fixture.enroll(&ALICE, &NEW_REG, "right", 10);
}
