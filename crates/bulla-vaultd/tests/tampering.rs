//! Records changed by somebody without the keys, clocks that are wrong, an HSM that goes away: what
//! spec/VAULT.md, section 7, says of a thief of the store's disks, and V-8.1 to V-8.3.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bulla_vaultd::evaluator::{AboutCall, Evaluator};
use bulla_vaultd::hsm::{Hsm, HsmError, KeyFile};
use bulla_vaultd::record::Policy;
use bulla_vaultd::store::{Change, Embedded, Key, Transaction};
use bulla_vaultd::vault::VaultError;
use support::*;
use zeroize::Zeroizing;

const BOB: [u8; 32] = [0xb0; 32];

/// Writes past the vault, as somebody with the store's disk can.
fn write(bench: &Bench, key: Key, value: Option<Vec<u8>>) {
    let change = value.map_or(Change::Delete, Change::Put);
    bench
        .store
        .commit(&Transaction { unchanged: Vec::new(), changes: vec![(key, change)] })
        .unwrap();
}

fn read(bench: &Bench, key: Key) -> Vec<u8> {
    bench.store.read(&[key]).unwrap().remove(0).unwrap().value
}

fn refused(bench: &Bench, account: &[u8; 32]) {
    let before = bench.local.evaluated_since_proof(account, &REG);
    match login(&bench.vault, account, &REG, "right") {
        Err(Failed::Said(VaultError::Tampered | VaultError::Frozen)) => {}
        other => panic!("{:?}", other.map(|reply| reply.failures)),
    }
    assert_eq!(bench.local.evaluated_since_proof(account, &REG), before, "nothing was evaluated");
}

#[test]
fn every_changed_byte_of_a_counter() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    let key = Key::Counter(ALICE);
    let good = read(&bench, key);
    let guess = Guess::new(&ALICE, &REG, "right");
    // Those in the registration's name make it another's, which is answered by a stand-in.
    for at in (0..good.len()).filter(|at| !(64..96).contains(at)) {
        let mut changed = good.clone();
        changed[at] ^= 0x40;
        write(&bench, key, Some(changed));
        assert_eq!(guess.start(&bench.vault).err(), Some(VaultError::Tampered), "byte {at}");
        assert_eq!(bench.local.evaluated_since_proof(&ALICE, &REG), 1, "byte {at}");
    }
    write(&bench, key, Some(good[1..].to_vec()));
    refused(&bench, &ALICE);
    write(&bench, key, Some(good));
    login(&bench.vault, &ALICE, &REG, "right").unwrap();
}

/// An older counter of the same account is authentic, and still refused.
#[test]
fn an_older_counter() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let full = read(&bench, Key::Counter(ALICE));
    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    write(&bench, Key::Counter(ALICE), Some(full));
    refused(&bench, &ALICE);
}

#[test]
fn records_of_others() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    bench.enroll(&BOB, &REG, "right", 10);
    let [alices, bobs] = [ALICE, BOB].map(|account| read(&bench, Key::Sealed(account, REG)));
    write(&bench, Key::Sealed(ALICE, REG), Some(bobs.clone()));
    write(&bench, Key::Sealed(BOB, REG), Some(alices.clone()));
    refused(&bench, &ALICE);
    refused(&bench, &BOB);
    let (alices_counter, bobs_counter) =
        (read(&bench, Key::Counter(ALICE)), read(&bench, Key::Counter(BOB)));
    write(&bench, Key::Counter(ALICE), Some(bobs_counter));
    write(&bench, Key::Counter(BOB), Some(alices_counter));
    refused(&bench, &ALICE);
    refused(&bench, &BOB);
}

#[test]
fn every_changed_byte_of_a_sealed_record_and_none() {
    let directory = tempfile::tempdir().unwrap();
    // The guess is paid for before the record is looked at.
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let key = Key::Sealed(ALICE, REG);
    let good = read(&bench, key);
    let guess = Guess::new(&ALICE, &REG, "right");
    let before = bench.local.about(&AboutCall).unwrap().evaluations;
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x40;
        write(&bench, key, Some(changed));
        assert_eq!(guess.start(&bench.vault).err(), Some(VaultError::Tampered), "byte {at}");
    }
    write(&bench, key, None);
    assert_eq!(guess.start(&bench.vault).err(), Some(VaultError::Tampered));
    assert_eq!(bench.local.about(&AboutCall).unwrap().evaluations, before);
    write(&bench, key, Some(good));
    let proof = guess.prove(&guess.start(&bench.vault).unwrap()).unwrap();
    assert_eq!(proof.finish(&bench.vault).unwrap().failures, 0);
}

/// The clock goes a year forward and back again at every guess: ten guesses, as ever.
#[test]
fn clocks_a_year_off() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::with(directory.path(), Policy::default(), Time::new());
    bench.enroll(&ALICE, &REG, "right", 10);
    let mut wrong = 0;
    for step in 0..60 {
        bench.time.set(if step % 2 == 0 { NOW + 365 * 86_400 } else { NOW });
        match login(&bench.vault, &ALICE, &REG, "wrong") {
            Err(Failed::Wrong { .. }) => wrong += 1,
            Err(Failed::Said(VaultError::Wait { .. } | VaultError::Locked)) => {}
            other => panic!("{:?}", other.map(|reply| reply.failures)),
        }
    }
    assert_eq!(wrong, 10);
    assert_eq!(
        login(&bench.vault, &ALICE, &REG, "right").err(),
        Some(Failed::Said(VaultError::Locked))
    );
}

/// A key file with a plug.
struct Plugged {
    keys: KeyFile,
    out: AtomicBool,
}

impl Plugged {
    fn there(&self) -> Result<(), HsmError> {
        match self.out.load(Ordering::SeqCst) {
            true => Err(HsmError::Unavailable("unplugged".to_owned())),
            false => Ok(()),
        }
    }
}

impl Hsm for Plugged {
    fn epochs(&self) -> Result<Vec<u32>, HsmError> {
        self.there().and_then(|()| self.keys.epochs())
    }

    fn seal(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        ad: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, HsmError> {
        self.there().and_then(|()| self.keys.seal(epoch, nonce, ad, plain))
    }

    fn open(
        &self,
        epoch: u32,
        nonce: &[u8; 12],
        ad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        self.there().and_then(|()| self.keys.open(epoch, nonce, ad, sealed))
    }

    fn mac(&self, message: &[u8]) -> Result<[u8; 32], HsmError> {
        self.there().and_then(|()| self.keys.mac(message))
    }

    fn oprf(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        self.there().and_then(|()| self.keys.oprf(message))
    }

    fn derive(&self, message: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        self.there().and_then(|()| self.keys.derive(message))
    }

    fn new_epoch(&self) -> Result<u32, HsmError> {
        self.there().and_then(|()| self.keys.new_epoch())
    }

    fn destroy_epoch(&self, epoch: u32) -> Result<(), HsmError> {
        self.there().and_then(|()| self.keys.destroy_epoch(epoch))
    }
}

#[test]
fn an_hsm_that_is_unplugged_in_the_middle_of_a_login() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyFile::create(&directory.path().join("keys")).unwrap();
    let hsm = Arc::new(Plugged { keys, out: AtomicBool::new(false) });
    let store = Arc::new(Embedded::open(&directory.path().join("records")).unwrap());
    let marks = Arc::new(Embedded::open(&directory.path().join("marks")).unwrap());
    let bench = Bench::of(store, hsm.clone(), marks, policy(), Time::new());
    bench.enroll(&ALICE, &REG, "right", 3);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&bench.vault).unwrap()).unwrap();
    hsm.out.store(true, Ordering::SeqCst);
    let unavailable = |said: Option<VaultError>| matches!(said, Some(VaultError::Unavailable(_)));
    assert!(unavailable(proof.finish(&bench.vault).err()));
    assert!(unavailable(Guess::new(&ALICE, &REG, "right").start(&bench.vault).err()));
    hsm.out.store(false, Ordering::SeqCst);
    assert_eq!(bench.left(&ALICE, &REG), 2);
    assert_eq!(proof.finish(&bench.vault).unwrap().wrapped_key, WRAPPED);
    assert_eq!(bench.left(&ALICE, &REG), 3);
}
