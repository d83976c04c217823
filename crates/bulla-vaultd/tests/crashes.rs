//! A crash between any two steps, and answers that are lost: V-4.2, V-5.2, V-8.2 and V-8.4 of
//! spec/VAULT.md.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use bulla_vaultd::evaluator::{AboutCall, Evaluator, Local};
use bulla_vaultd::hsm::{Hsm, KeyFile};
use bulla_vaultd::store::{Embedded, Store};
use bulla_vaultd::vault::{Vault, VaultError};
use support::faults::{Crash, CrashingEvaluator, CrashingStore, SilentStore};
use support::*;

/// What outlives a process.
struct Disk {
    store: Arc<dyn Store>,
    marks: Arc<dyn Store>,
    hsm: Arc<dyn Hsm>,
}

impl Disk {
    fn new(directory: &Path) -> Disk {
        Disk {
            store: Arc::new(Embedded::open(&directory.join("records")).unwrap()),
            marks: Arc::new(Embedded::open(&directory.join("marks")).unwrap()),
            hsm: Arc::new(KeyFile::create(&directory.join("keys")).unwrap()),
        }
    }

    /// A process that will crash, and its evaluator's own count.
    fn process(&self, crash: &Crash) -> (Vault, Arc<Local>) {
        let store: Arc<dyn Store> = Arc::new(CrashingStore(Arc::clone(&self.store), crash.clone()));
        let marks: Arc<dyn Store> = Arc::new(CrashingStore(Arc::clone(&self.marks), crash.clone()));
        let local = Arc::new(
            Local::new(Arc::clone(&self.hsm), marks, policy(), Time::new().clock()).unwrap(),
        );
        let evaluator = Arc::new(CrashingEvaluator(local.clone(), crash.clone()));
        (Vault::new(store, evaluator, None), local)
    }

    fn healthy(&self) -> (Vault, Arc<Local>) {
        self.process(&Crash::at(i64::MAX, false))
    }

    fn left(&self) -> u8 {
        let (vault, _) = self.healthy();
        vault.status(&ALICE).unwrap().unwrap().slot(&REG).unwrap().left
    }
}

fn distinct(local: &Local) -> u64 {
    local.about(&AboutCall).unwrap().distinct
}

/// The first call of a login, stopped at every step: what was evaluated was paid for, and asking
/// again with the same attempt costs one guess at most.
#[test]
fn login_start_stopped_at_every_step() {
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
            assert!(distinct(&its_local) <= paid, "step {steps}: evaluated before it was paid for");

            let (next, next_local) = disk.healthy();
            let proof = guess.prove(&guess.start(&next).unwrap()).unwrap();
            assert_eq!(disk.left(), 9, "step {steps}: one guess, however often it was asked for");
            assert_eq!(distinct(&next_local), 1);
            assert_eq!(proof.finish(&next).unwrap().wrapped_key, WRAPPED);
            if !crash.came() {
                assert!(started.is_ok());
                break;
            }
            steps += 1;
        }
        assert!(steps >= 7, "only {steps} steps");
    }
}

/// The second call, stopped at every step: asked for again it gives the key, and the guesses are
/// full once.
#[test]
fn login_finish_stopped_at_every_step() {
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
            if !crash.came() {
                break;
            }
            steps += 1;
        }
        assert!(steps >= 5, "only {steps} steps");
    }
}

/// The guess that locks, stopped at every step: locked at the next one at the latest.
#[test]
fn the_lock_stopped_at_every_step() {
    for after in [false, true] {
        for steps in 0.. {
            let directory = tempfile::tempdir().unwrap();
            let disk = Disk::new(directory.path());
            let locking = bulla_vaultd::record::Policy { grace: 0, ..policy() };
            let process = |crash: &Crash| {
                let marks: Arc<dyn Store> =
                    Arc::new(CrashingStore(Arc::clone(&disk.marks), crash.clone()));
                let store: Arc<dyn Store> =
                    Arc::new(CrashingStore(Arc::clone(&disk.store), crash.clone()));
                let local =
                    Local::new(Arc::clone(&disk.hsm), marks, locking.clone(), Time::new().clock());
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
            assert!(started.is_err(), "nothing is granted beyond max");
            let again = Guess::new(&ALICE, &REG, "right").start(&healthy).unwrap_err();
            assert_eq!(again, VaultError::Locked);
            if !crash.came() {
                break;
            }
        }
    }
}

/// A registration anew, stopped at every step and begun again with a new name each time: the old
/// record opens until the new one does.
#[test]
fn registering_anew_stopped_at_every_step() {
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
                .map_err(Failed::Said);
            let done = done.and_then(|_| login(&dying, &ALICE, &NEW_REG, "new"));

            let old = login(&vault, &ALICE, &REG, "old");
            if done.is_ok() {
                assert!(old.is_err(), "the old one made room");
            }
            if old.is_err() {
                assert_eq!(
                    login(&vault, &ALICE, &NEW_REG, "new").unwrap().wrapped_key,
                    WRAPPED,
                    "step {steps}"
                );
            }
            if !crash.came() {
                assert!(done.is_ok());
                break;
            }
        }
    }
}

/// Answers of the store are lost, whether it did what it was asked to or not: every guess is paid
/// for once.
#[test]
fn a_store_that_does_not_say() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::new(directory.path());
    let answers = Arc::new(AtomicI64::new(0));
    let store = Arc::new(SilentStore { inner: Arc::clone(&disk.store), answers });
    let local =
        Local::new(Arc::clone(&disk.hsm), Arc::clone(&disk.marks), policy(), Time::new().clock());
    let local = Arc::new(local.unwrap());
    let vault = Vault::new(store, local.clone(), None);
    register(&vault, &ALICE, &REG, "right", 10, None).unwrap();
    for _ in 0..3 {
        for guess in 0..5 {
            assert_eq!(
                login(&vault, &ALICE, &REG, "wrong").unwrap_err(),
                Failed::Wrong { left: 9 - guess }
            );
        }
        assert_eq!(login(&vault, &ALICE, &REG, "right").unwrap().failures, 5);
        assert_eq!(disk.left(), 10);
    }
}

/// A registration's last answer is lost a hundred times: one record, and the guesses that were used
/// stay used.
#[test]
fn the_reply_of_a_registration_lost_a_hundred_times() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let registering = begin("right");
    let response = bench.vault.register_start(&ALICE, &REG, &registering.request).unwrap();
    assert_eq!(bench.vault.register_start(&ALICE, &REG, &registering.request).unwrap(), response);
    let call = upload(&ALICE, &REG, "right", &registering, &response, 10, None);
    for round in 0..100u8 {
        let placed = bench.vault.register_finish(call.clone()).unwrap();
        assert!(placed.active == (round > 50));
        match round {
            10 | 20 | 30 => _ = login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err(),
            50 => assert_eq!(login(&bench.vault, &ALICE, &REG, "right").unwrap().failures, 3),
            60 | 70 => _ = login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err(),
            _ => {}
        }
    }
    assert_eq!(bench.left(&ALICE, &REG), 8);
    let counter = bench.vault.status(&ALICE).unwrap().unwrap();
    assert!(counter.pending.is_none() && counter.draft.is_none());
    // Under the same name with another content: no.
    let mut other = call.clone();
    other.max = 9;
    assert_eq!(bench.vault.register_finish(other).err(), Some(VaultError::Conflict));
}
