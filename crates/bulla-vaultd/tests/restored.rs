//! Tests a single-node store that was restored from a backup (V-8.6 of spec/VAULT.md).

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::fs;
use std::path::Path;

use bulla_vaultd::vault::VaultError;
use support::*;

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// The record file is restored, but the watermarks are not. Nothing is evaluated until an operator
/// runs `clamp`, and after that no spent guess is available again.
#[test]
fn a_restored_account_is_frozen_until_clamped() {
    let directory = tempfile::tempdir().unwrap();
    let (records, backup) = (directory.path().join("records"), directory.path().join("backup"));
    let open = || TestVault::open(directory.path());
    let bob = [0xb0; 32];
    {
        let fixture = open();
        fixture.enroll(&ALICE, &REG, "right", 10);
        fixture.enroll(&bob, &REG, "right", 10);
    }
    copy(&records, &backup);
    {
        let fixture = open();
        for _ in 0..7 {
            login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
        }
        assert_eq!(fixture.left(&ALICE, &REG), 3);
    }
    copy(&backup, &records);
    let fixture = open();
    assert_eq!(fixture.left(&ALICE, &REG), 10, "the store was not restored");
    for _ in 0..3 {
        assert_eq!(
            login(&fixture.vault, &ALICE, &REG, "right").err(),
            Some(LoginError::Vault(VaultError::Frozen))
        );
    }
    assert_eq!(fixture.local.evaluated_since_proof(&ALICE, &REG), 0);
    assert_eq!(fixture.vault.delete(&ALICE, &REG, None), Err(VaultError::Frozen));
    assert!(login(&fixture.vault, &bob, &REG, "right").is_ok(), "another account is frozen");

    let done = fixture.vault.clamp().unwrap();
    assert_eq!((done.clamped, done.lost), (1, 0));
    assert_eq!(fixture.left(&ALICE, &REG), 3);
    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    assert_eq!(login(&fixture.vault, &ALICE, &REG, "right").unwrap().wrapped_key, WRAPPED);
    assert_eq!(fixture.vault.clamp().unwrap().clamped, 0);
}

/// Registrations that were locked, deleted or created after the backup do not come back.
#[test]
fn clamping_brings_no_registration_back() {
    let directory = tempfile::tempdir().unwrap();
    let (records, backup) = (directory.path().join("records"), directory.path().join("backup"));
    let [locked, deleted, replaced, late] = [[1; 32], [2; 32], [3; 32], [4; 32]];
    let open = || {
        let policy = bulla_vaultd::record::Policy { grace: 0, ..policy() };
        TestVault::with(directory.path(), policy, TestClock::new())
    };
    {
        let fixture = open();
        [locked, deleted, replaced]
            .iter()
            .for_each(|account| fixture.enroll(account, &REG, "right", 2));
    }
    copy(&records, &backup);
    {
        let fixture = open();
        for _ in 0..2 {
            login(&fixture.vault, &locked, &REG, "wrong").unwrap_err();
        }
        let result = login(&fixture.vault, &locked, &REG, "wrong");
        assert_eq!(result.err(), Some(LoginError::Vault(VaultError::Locked)));
        let grant = login(&fixture.vault, &deleted, &REG, "right").unwrap().grant;
        fixture.vault.delete(&deleted, &REG, Some(&grant[..])).unwrap();
        let grant = login(&fixture.vault, &replaced, &REG, "right").unwrap().grant;
        register(&fixture.vault, &replaced, &NEW_REG, "new", 2, Some(&grant[..])).unwrap();
        login(&fixture.vault, &replaced, &NEW_REG, "new").unwrap();
        fixture.enroll(&late, &REG, "right", 2);
    }
    copy(&backup, &records);
    let fixture = open();
    for account in [&locked, &deleted, &replaced] {
        let result = login(&fixture.vault, account, &REG, "right").err();
        assert_eq!(result, Some(LoginError::Vault(VaultError::Frozen)));
    }
    let result = register(&fixture.vault, &late, &NEW_REG, "again", 2, None).err();
    assert_eq!(result, Some(VaultError::Frozen));
    let done = fixture.vault.clamp().unwrap();
    assert_eq!((done.clamped, done.lost), (4, 3));
    for account in [&locked, &deleted, &replaced, &late] {
        assert!(login(&fixture.vault, account, &REG, "right").is_err());
        let counter = fixture.vault.status(account).unwrap().unwrap();
        assert!(counter.live.is_none() && counter.pending.is_none());
        fixture.enroll(account, &[9; 32], "again", 2);
    }
}
