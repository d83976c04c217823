//! Tests records modified without the keys, wrong clocks, and an HSM that disappears. This covers
//! V-8.1 to V-8.3 of spec/VAULT.md, and the attacker in its section 7 who steals the store's disks.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bulla_vaultd::evaluator::{AboutCall, Evaluator};
use bulla_vaultd::hsm::{Hsm, HsmError, KeyFile};
use bulla_vaultd::record::Policy;
use bulla_vaultd::store::{Change, Embedded, RecordKey, Transaction};
use bulla_vaultd::vault::VaultError;
use support::*;
use zeroize::Zeroizing;

const BOB: [u8; 32] = [0xb0; 32];

/// Writes to the store directly, as someone who stole its disk could.
fn write(fixture: &TestVault, key: RecordKey, value: Option<Vec<u8>>) {
    let change = value.map_or(Change::Delete, Change::Put);
    fixture
        .store
        .commit(&Transaction { unchanged: Vec::new(), changes: vec![(key, change)] })
        .unwrap();
}

fn read(fixture: &TestVault, key: RecordKey) -> Vec<u8> {
    fixture.store.read(&[key]).unwrap().remove(0).unwrap().value
}

fn refused(fixture: &TestVault, account: &[u8; 32]) {
    let before = fixture.local.evaluated_since_proof(account, &REG);
    match login(&fixture.vault, account, &REG, "right") {
        Err(LoginError::Vault(VaultError::Tampered | VaultError::Frozen)) => {}
        other => panic!("{:?}", other.map(|reply| reply.failures)),
    }
    assert_eq!(fixture.local.evaluated_since_proof(account, &REG), before, "a guess was evaluated");
}

#[test]
fn rejects_every_changed_byte_of_a_counter() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    let key = RecordKey::Counter(ALICE);
    let good = read(&fixture, key);
    let guess = Guess::new(&ALICE, &REG, "right");
    // A changed identity makes the registration unknown, and a stand-in answers.
    for at in (0..good.len()).filter(|at| !(64..96).contains(at)) {
        let mut changed = good.clone();
        changed[at] ^= 0x40;
        write(&fixture, key, Some(changed));
        assert_eq!(guess.start(&fixture.vault).err(), Some(VaultError::Tampered), "byte {at}");
        assert_eq!(fixture.local.evaluated_since_proof(&ALICE, &REG), 1, "byte {at}");
    }
    write(&fixture, key, Some(good[1..].to_vec()));
    refused(&fixture, &ALICE);
    write(&fixture, key, Some(good));
    login(&fixture.vault, &ALICE, &REG, "right").unwrap();
}

/// An older counter for the account is authentic, but below the watermark.
#[test]
fn rejects_an_older_counter() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let full = read(&fixture, RecordKey::Counter(ALICE));
    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    write(&fixture, RecordKey::Counter(ALICE), Some(full));
    refused(&fixture, &ALICE);
}

#[test]
fn rejects_records_of_another_account() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    fixture.enroll(&BOB, &REG, "right", 10);
    let [alices, bobs] =
        [ALICE, BOB].map(|account| read(&fixture, RecordKey::Sealed(account, REG)));
    write(&fixture, RecordKey::Sealed(ALICE, REG), Some(bobs.clone()));
    write(&fixture, RecordKey::Sealed(BOB, REG), Some(alices.clone()));
    refused(&fixture, &ALICE);
    refused(&fixture, &BOB);
    let (alices_counter, bobs_counter) =
        (read(&fixture, RecordKey::Counter(ALICE)), read(&fixture, RecordKey::Counter(BOB)));
    write(&fixture, RecordKey::Counter(ALICE), Some(bobs_counter));
    write(&fixture, RecordKey::Counter(BOB), Some(alices_counter));
    refused(&fixture, &ALICE);
    refused(&fixture, &BOB);
}

#[test]
fn rejects_every_changed_byte_of_a_sealed_record_and_a_missing_one() {
    let directory = tempfile::tempdir().unwrap();
    // The guess is spent before the record is opened.
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let key = RecordKey::Sealed(ALICE, REG);
    let good = read(&fixture, key);
    let guess = Guess::new(&ALICE, &REG, "right");
    let before = fixture.local.about(&AboutCall).unwrap().evaluations;
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x40;
        write(&fixture, key, Some(changed));
        assert_eq!(guess.start(&fixture.vault).err(), Some(VaultError::Tampered), "byte {at}");
    }
    write(&fixture, key, None);
    assert_eq!(guess.start(&fixture.vault).err(), Some(VaultError::Tampered));
    assert_eq!(fixture.local.about(&AboutCall).unwrap().evaluations, before);
    write(&fixture, key, Some(good));
    let proof = guess.prove(&guess.start(&fixture.vault).unwrap()).unwrap();
    assert_eq!(proof.finish(&fixture.vault).unwrap().failures, 0);
}

/// The clock jumps a year forward and back at every guess. There are still ten guesses.
#[test]
fn clocks_a_year_off_add_no_guesses() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::with(directory.path(), Policy::default(), TestClock::new());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let mut wrong = 0;
    for step in 0..60 {
        fixture.clock.set(if step % 2 == 0 { NOW + 365 * 86_400 } else { NOW });
        match login(&fixture.vault, &ALICE, &REG, "wrong") {
            Err(LoginError::WrongPassword { .. }) => wrong += 1,
            Err(LoginError::Vault(VaultError::Wait { .. } | VaultError::Locked)) => {}
            other => panic!("{:?}", other.map(|reply| reply.failures)),
        }
    }
    assert_eq!(wrong, 10);
    assert_eq!(
        login(&fixture.vault, &ALICE, &REG, "right").err(),
        Some(LoginError::Vault(VaultError::Locked))
    );
}

/// A key file that can be made unavailable.
struct UnpluggableHsm {
    keys: KeyFile,
    out: AtomicBool,
}

impl UnpluggableHsm {
    fn there(&self) -> Result<(), HsmError> {
        match self.out.load(Ordering::SeqCst) {
            true => Err(HsmError::Unavailable("unplugged".to_owned())),
            false => Ok(()),
        }
    }
}

impl Hsm for UnpluggableHsm {
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
fn a_login_survives_a_temporary_loss_of_the_hsm() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyFile::create(&directory.path().join("keys")).unwrap();
    let hsm = Arc::new(UnpluggableHsm { keys, out: AtomicBool::new(false) });
    let store = Arc::new(Embedded::open(&directory.path().join("records")).unwrap());
    let watermarks = Arc::new(Embedded::open(&directory.path().join("marks")).unwrap());
    let fixture = TestVault::from_parts(store, hsm.clone(), watermarks, policy(), TestClock::new());
    fixture.enroll(&ALICE, &REG, "right", 3);
    let guess = Guess::new(&ALICE, &REG, "right");
    let proof = guess.prove(&guess.start(&fixture.vault).unwrap()).unwrap();
    hsm.out.store(true, Ordering::SeqCst);
    let unavailable = |error: Option<VaultError>| matches!(error, Some(VaultError::Unavailable(_)));
    assert!(unavailable(proof.finish(&fixture.vault).err()));
    assert!(unavailable(Guess::new(&ALICE, &REG, "right").start(&fixture.vault).err()));
    hsm.out.store(false, Ordering::SeqCst);
    assert_eq!(fixture.left(&ALICE, &REG), 2);
    assert_eq!(proof.finish(&fixture.vault).unwrap().wrapped_key, WRAPPED);
    assert_eq!(fixture.left(&ALICE, &REG), 3);
}
