//! A store that came back from a backup, on one node: V-8.6 of spec/VAULT.md.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::fs;
use std::path::Path;

use bulla_vaultd::vault::VaultError;
use support::*;

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// The records' file is set back; the marks are not. Nothing is evaluated until an operator clamps,
/// and then no guess has come back.
#[test]
fn frozen_until_it_is_clamped() {
    let directory = tempfile::tempdir().unwrap();
    let (records, backup) = (directory.path().join("records"), directory.path().join("backup"));
    let open = || Bench::open(directory.path());
    let bob = [0xb0; 32];
    {
        let bench = open();
        bench.enroll(&ALICE, &REG, "right", 10);
        bench.enroll(&bob, &REG, "right", 10);
    }
    copy(&records, &backup);
    {
        let bench = open();
        for _ in 0..7 {
            login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
        }
        assert_eq!(bench.left(&ALICE, &REG), 3);
    }
    copy(&backup, &records);
    let bench = open();
    assert_eq!(bench.left(&ALICE, &REG), 10, "the store itself knows nothing of it");
    for _ in 0..3 {
        assert_eq!(
            login(&bench.vault, &ALICE, &REG, "right").err(),
            Some(Failed::Said(VaultError::Frozen))
        );
    }
    assert_eq!(bench.local.evaluated_since_proof(&ALICE, &REG), 0);
    assert_eq!(bench.vault.delete(&ALICE, &REG, None), Err(VaultError::Frozen));
    assert!(login(&bench.vault, &bob, &REG, "right").is_ok(), "others go on");

    let done = bench.vault.clamp().unwrap();
    assert_eq!((done.clamped, done.lost), (1, 0));
    assert_eq!(bench.left(&ALICE, &REG), 3);
    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    assert_eq!(login(&bench.vault, &ALICE, &REG, "right").unwrap().wrapped_key, WRAPPED);
    assert_eq!(bench.vault.clamp().unwrap().clamped, 0);
}

/// What was locked, deleted or registered after the backup does not come back by it.
#[test]
fn what_was_gone_stays_gone() {
    let directory = tempfile::tempdir().unwrap();
    let (records, backup) = (directory.path().join("records"), directory.path().join("backup"));
    let [locked, deleted, replaced, late] = [[1; 32], [2; 32], [3; 32], [4; 32]];
    let open = || {
        let policy = bulla_vaultd::record::Policy { grace: 0, ..policy() };
        Bench::with(directory.path(), policy, Time::new())
    };
    {
        let bench = open();
        [locked, deleted, replaced]
            .iter()
            .for_each(|account| bench.enroll(account, &REG, "right", 2));
    }
    copy(&records, &backup);
    {
        let bench = open();
        for _ in 0..2 {
            login(&bench.vault, &locked, &REG, "wrong").unwrap_err();
        }
        let said = login(&bench.vault, &locked, &REG, "wrong");
        assert_eq!(said.err(), Some(Failed::Said(VaultError::Locked)));
        let grant = login(&bench.vault, &deleted, &REG, "right").unwrap().grant;
        bench.vault.delete(&deleted, &REG, Some(&grant[..])).unwrap();
        let grant = login(&bench.vault, &replaced, &REG, "right").unwrap().grant;
        register(&bench.vault, &replaced, &NEW_REG, "new", 2, Some(&grant[..])).unwrap();
        login(&bench.vault, &replaced, &NEW_REG, "new").unwrap();
        bench.enroll(&late, &REG, "right", 2);
    }
    copy(&backup, &records);
    let bench = open();
    for account in [&locked, &deleted, &replaced] {
        let said = login(&bench.vault, account, &REG, "right").err();
        assert_eq!(said, Some(Failed::Said(VaultError::Frozen)));
    }
    let said = register(&bench.vault, &late, &NEW_REG, "again", 2, None).err();
    assert_eq!(said, Some(VaultError::Frozen));
    let done = bench.vault.clamp().unwrap();
    assert_eq!((done.clamped, done.lost), (4, 3));
    for account in [&locked, &deleted, &replaced, &late] {
        assert!(login(&bench.vault, account, &REG, "right").is_err());
        let counter = bench.vault.status(account).unwrap().unwrap();
        assert!(counter.live.is_none() && counter.pending.is_none());
        bench.enroll(account, &[9; 32], "again", 2);
    }
}
