//! Tests crashes between any two steps, and lost responses (V-4.2, V-5.2, V-8.2 and V-8.4 of
//! spec/VAULT.md).

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use bulla_vaultd::evaluator::{AboutCall, Evaluator, Local};
use bulla_vaultd::hsm::{Hsm, KeyFile};
use bulla_vaultd::store::{Embedded, Store};
use bulla_vaultd::vault::{Vault, VaultError};
use support::faults::{Crash, CrashingEvaluator, CrashingStore, LossyStore};
use support::*;

/// The state that survives when a process crashes.
struct Disk {
    store: Arc<dyn Store>,
    watermarks: Arc<dyn Store>,
    hsm: Arc<dyn Hsm>,
}

impl Disk {
    fn new(directory: &Path) -> Disk {
        Disk {
            store: Arc::new(Embedded::open(&directory.join("records")).unwrap()),
            watermarks: Arc::new(Embedded::open(&directory.join("marks")).unwrap()),
            hsm: Arc::new(KeyFile::create(&directory.join("keys")).unwrap()),
        }
    }

    /// Starts a process that will crash. Returns it with the evaluator, which counts evaluations.
    fn process(&self, crash: &Crash) -> (Vault, Arc<Local>) {
        let store: Arc<dyn Store> = Arc::new(CrashingStore(Arc::clone(&self.store), crash.clone()));
        let watermarks: Arc<dyn Store> =
            Arc::new(CrashingStore(Arc::clone(&self.watermarks), crash.clone()));
        let local = Arc::new(
            Local::new(Arc::clone(&self.hsm), watermarks, policy(), TestClock::new().clock())
                .unwrap(),
        );
        let evaluator = Arc::new(CrashingEvaluator(local.clone(), crash.clone()));
        (Vault::new(store, evaluator, None), local)
    }

    fn healthy(&self) -> (Vault, Arc<Local>) {
        self.process(&Crash::at(i64::MAX, false))
    }

    fn left(&self) -> u8 {
        let (vault, _) = self.healthy();
        vault.status(&ALICE).unwrap().unwrap().registration(&REG).unwrap().left
    }
}

fn distinct(local: &Local) -> u64 {
    local.about(&AboutCall).unwrap().distinct
}

/// Crashes a login's first call at each step. Only spent guesses are evaluated, and repeating the
/// attempt spends at most one guess.
#[test]
fn login_start_survives_a_crash_at_every_step() {
    for after in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::new(directory.path());
        let (vault, _) = disk.healthy();
        register(&vault, &ALICE, &REG, "right", 10, None).unwrap();
        let mut steps = 0;
        loop {
            login(&disk.healthy().0, &ALICE, &REG, "right").unwrap();
            assert_eq!(disk.left(), 10);
            let crash = Crash::at(steps, after);
            let (dying, its_local) = disk.process(&crash);
            let guess = Guess::new(&ALICE, &REG, "right");
            let started = guess.start(&dying);
            let paid = 10 - u64::from(disk.left());
            assert!(distinct(&its_local) <= paid, "step {steps}: evaluated before it was spent");

            let (next, next_local) = disk.healthy();
            let proof = guess.prove(&guess.start(&next).unwrap()).unwrap();
            assert_eq!(disk.left(), 9, "step {steps}: the attempt spent more than one guess");
            assert_eq!(distinct(&next_local), 1);
            assert_eq!(proof.finish(&next).unwrap().wrapped_key, WRAPPED);
            if !crash.happened() {
                assert!(started.is_ok());
                break;
            }
            steps += 1;
        }
        assert!(steps >= 7, "only {steps} steps");
    }
}

/// Crashes the second call at each step. Repeating the call returns the key, and the guesses are
/// restored once.
#[test]
fn login_finish_survives_a_crash_at_every_step() {
    for after in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::new(directory.path());
        let (vault, _) = disk.healthy();
        register(&vault, &ALICE, &REG, "right", 10, None).unwrap();
        let mut steps = 0;
        loop {
            let guess = Guess::new(&ALICE, &REG, "right");
            let proof = guess.prove(&guess.start(&vault).unwrap()).unwrap();
            let crash = Crash::at(steps, after);
            let finished = proof.finish(&disk.process(&crash).0);
            assert!(disk.left() == 9 || disk.left() == 10);
            if let Ok(reply) = &finished {
                assert_eq!((disk.left(), reply.wrapped_key), (10, WRAPPED));
            }
            let reply = proof.finish(&disk.healthy().0).unwrap();
            assert_eq!((disk.left(), reply.wrapped_key, reply.failures), (10, WRAPPED, 0));
            if !crash.happened() {
                break;
            }
            steps += 1;
        }
        assert!(steps >= 5, "only {steps} steps");
    }
}

/// Crashes, at each step, the attempt that locks a registration. The next attempt finds the
/// registration locked.
#[test]
fn locking_survives_a_crash_at_every_step() {
    for after in [false, true] {
        for steps in 0.. {
            let directory = tempfile::tempdir().unwrap();
            let disk = Disk::new(directory.path());
            let locking = bulla_vaultd::record::Policy { grace: 0, ..policy() };
            let process = |crash: &Crash| {
                let watermarks: Arc<dyn Store> =
                    Arc::new(CrashingStore(Arc::clone(&disk.watermarks), crash.clone()));
                let store: Arc<dyn Store> =
                    Arc::new(CrashingStore(Arc::clone(&disk.store), crash.clone()));
                let local = Local::new(
                    Arc::clone(&disk.hsm),
                    watermarks,
                    locking.clone(),
                    TestClock::new().clock(),
                );
                Vault::new(
                    store,
                    Arc::new(CrashingEvaluator(Arc::new(local.unwrap()), crash.clone())),
                    None,
                )
            };
            let healthy = process(&Crash::at(i64::MAX, false));
            register(&healthy, &ALICE, &REG, "right", 1, None).unwrap();
            login(&healthy, &ALICE, &REG, "right").unwrap();
            login(&healthy, &ALICE, &REG, "wrong").unwrap_err();
            let crash = Crash::at(steps, after);
            let started = Guess::new(&ALICE, &REG, "right").start(&process(&crash));
            assert!(started.is_err(), "a guess beyond max was granted");
            let again = Guess::new(&ALICE, &REG, "right").start(&healthy).unwrap_err();
            assert_eq!(again, VaultError::Locked);
            if !crash.happened() {
                break;
            }
        }
    }
}

/// Crashes a replacement at each step, then starts it again with a different identity. The old
/// record can be opened until the new one can.
#[test]
fn a_replacement_survives_a_crash_at_every_step() {
    for after in [false, true] {
        for steps in 0.. {
            let directory = tempfile::tempdir().unwrap();
            let disk = Disk::new(directory.path());
            let (vault, _) = disk.healthy();
            register(&vault, &ALICE, &REG, "old", 10, None).unwrap();
            let grant = login(&vault, &ALICE, &REG, "old").unwrap().grant;
            let crash = Crash::at(steps, after);
            let (dying, _) = disk.process(&crash);
            let done = register(&dying, &ALICE, &NEW_REG, "new", 10, Some(&grant[..]))
                .map_err(LoginError::Vault);
            let done = done.and_then(|_| login(&dying, &ALICE, &NEW_REG, "new"));

            let old = login(&vault, &ALICE, &REG, "old");
            if done.is_ok() {
                assert!(old.is_err(), "the old registration still opens");
            }
            if old.is_err() {
                assert_eq!(
                    login(&vault, &ALICE, &NEW_REG, "new").unwrap().wrapped_key,
                    WRAPPED,
                    "step {steps}"
                );
            }
            if !crash.happened() {
                assert!(done.is_ok());
                break;
            }
        }
    }
}

/// The store loses responses, whether or not it applied the transaction. Each guess is spent once.
#[test]
fn a_store_that_loses_responses_spends_each_guess_once() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path());
    let responses = Arc::new(AtomicI64::new(0));
    let store = Arc::new(LossyStore { inner: Arc::clone(&disk.store), responses });
    let local = Local::new(
        Arc::clone(&disk.hsm),
        Arc::clone(&disk.watermarks),
        policy(),
        TestClock::new().clock(),
    );
    let local = Arc::new(local.unwrap());
    let vault = Vault::new(store, local.clone(), None);
    register(&vault, &ALICE, &REG, "right", 10, None).unwrap();
    for _ in 0..3 {
        for guess in 0..5 {
            assert_eq!(
                login(&vault, &ALICE, &REG, "wrong").unwrap_err(),
                LoginError::WrongPassword { left: 9 - guess }
            );
        }
        assert_eq!(login(&vault, &ALICE, &REG, "right").unwrap().failures, 5);
        assert_eq!(disk.left(), 10);
    }
}

/// A registration's last response is lost a hundred times. There is only one record, and guesses
/// spent in between stay spent.
#[test]
fn a_repeated_registration_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let registering = begin("right");
    let response = fixture.vault.register_start(&ALICE, &REG, &registering.request).unwrap();
    assert_eq!(fixture.vault.register_start(&ALICE, &REG, &registering.request).unwrap(), response);
    let call = upload(&ALICE, &REG, "right", &registering, &response, 10, None);
    for round in 0..100u8 {
        let placed = fixture.vault.register_finish(call.clone()).unwrap();
        assert!(placed.active == (round > 50));
        match round {
            10 | 20 | 30 => _ = login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err(),
            50 => assert_eq!(login(&fixture.vault, &ALICE, &REG, "right").unwrap().failures, 3),
            60 | 70 => _ = login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err(),
            _ => {}
        }
    }
    assert_eq!(fixture.left(&ALICE, &REG), 8);
    let counter = fixture.vault.status(&ALICE).unwrap().unwrap();
    assert!(counter.pending.is_none() && counter.draft.is_none());
    // Different content under the same identity is a conflict.
    let mut other = call.clone();
    other.max = 9;
    assert_eq!(fixture.vault.register_finish(other).err(), Some(VaultError::Conflict));
}
