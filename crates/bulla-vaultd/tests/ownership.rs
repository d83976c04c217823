//! Tests stolen tokens, replacement and deletion (V-4.5 and V-4.6 of spec/VAULT.md).

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use bulla_vaultd::record::RegistrationState;
use bulla_vaultd::vault::{Deletion, VaultError};
use support::*;

const WEEK: u64 = 7 * 86_400;

#[test]
fn a_token_alone_deletes_after_a_week_unless_the_owner_logs_in() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let due = fixture.clock.now() + WEEK;
    let delete = || fixture.vault.delete(&ALICE, &REG, None).unwrap();
    assert_eq!(delete(), Deletion::NotBefore(due));
    fixture.clock.advance(WEEK - 1);
    assert_eq!(delete(), Deletion::NotBefore(due), "a repeated request moved the date");
    login(&fixture.vault, &ALICE, &REG, "right").unwrap();
    fixture.clock.advance(1);
    assert_eq!(
        delete(),
        Deletion::NotBefore(fixture.clock.now() + WEEK),
        "the login did not cancel"
    );

    fixture.clock.advance(WEEK);
    assert_eq!(delete(), Deletion::Done);
    assert_eq!(delete(), Deletion::Done);
    assert!(
        matches!(
            login(&fixture.vault, &ALICE, &REG, "right"),
            Err(LoginError::WrongPassword { .. })
        ),
        "a deleted registration differs from an unknown one"
    );
}

#[test]
fn a_fresh_login_deletes_immediately() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let old = login(&fixture.vault, &ALICE, &REG, "right").unwrap().grant;
    let grant = login(&fixture.vault, &ALICE, &REG, "right").unwrap().grant;
    let with = |grant: &[u8]| fixture.vault.delete(&ALICE, &REG, Some(grant)).unwrap();
    assert!(matches!(with(&old[..]), Deletion::NotBefore(_)), "grant of an earlier login");
    for at in 0..64 {
        let mut changed = *grant;
        changed[at] ^= 1;
        assert!(matches!(with(&changed), Deletion::NotBefore(_)), "byte {at}");
    }
    fixture.clock.advance(601);
    assert!(matches!(with(&grant[..]), Deletion::NotBefore(_)), "expired grant");
    let grant = login(&fixture.vault, &ALICE, &REG, "right").unwrap().grant;
    fixture.clock.advance(600);
    assert_eq!(with(&grant[..]), Deletion::Done);
}

/// The active registration stays in place for a week, and a thief cannot use up its guesses.
#[test]
fn a_token_alone_replaces_and_locks_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    login(&fixture.vault, &ALICE, &REG, "wrong").unwrap_err();
    let placed = register(&fixture.vault, &ALICE, &NEW_REG, "thief's", 10, None).unwrap();
    assert_eq!(placed.not_before, Some(fixture.clock.now() + WEEK));
    for _ in 0..3 {
        login(&fixture.vault, &ALICE, &NEW_REG, "thief's").unwrap();
        assert_eq!(
            fixture.left(&ALICE, &REG),
            9,
            "a login to the pending registration restored guesses"
        );
    }
    for _ in 0..10 {
        login(&fixture.vault, &ALICE, &NEW_REG, "junk").unwrap_err();
    }
    fixture.clock.advance(600);
    let result = login(&fixture.vault, &ALICE, &NEW_REG, "junk").err();
    assert_eq!(
        result,
        Some(LoginError::Vault(VaultError::Locked)),
        "the thief locks only the thief"
    );
    let counter = fixture.vault.status(&ALICE).unwrap().unwrap();
    assert_eq!(counter.failures, 1, "the thief used up the account's lifetime cap");
    assert_eq!(counter.live.unwrap().state, RegistrationState::Active);
    assert_eq!(login(&fixture.vault, &ALICE, &REG, "right").unwrap().wrapped_key, WRAPPED);
}

#[test]
fn an_announced_replacement_waits_a_week_without_the_owners_login() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "forgotten", 10);
    register(&fixture.vault, &ALICE, &NEW_REG, "new", 10, None).unwrap();
    fixture.clock.advance(WEEK - 10);
    login(&fixture.vault, &ALICE, &REG, "forgotten").unwrap();
    fixture.clock.advance(10);
    login(&fixture.vault, &ALICE, &NEW_REG, "new").unwrap();
    assert_eq!(
        fixture.vault.status(&ALICE).unwrap().unwrap().live.unwrap().reg_id,
        REG,
        "the login did not postpone it"
    );
    fixture.clock.advance(WEEK);
    login(&fixture.vault, &ALICE, &NEW_REG, "new").unwrap();
    let counter = fixture.vault.status(&ALICE).unwrap().unwrap();
    assert_eq!((counter.live.unwrap().reg_id, counter.pending), (NEW_REG, None));
}

#[test]
fn a_fresh_login_authorizes_a_replacement() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "old", 10);
    let grant = login(&fixture.vault, &ALICE, &REG, "old").unwrap().grant;
    let placed = register(&fixture.vault, &ALICE, &NEW_REG, "new", 5, Some(&grant[..])).unwrap();
    assert_eq!((placed.active, placed.not_before), (false, None));
    assert_eq!(
        login(&fixture.vault, &ALICE, &REG, "old").unwrap().wrapped_key,
        WRAPPED,
        "the old one stays until the new one is proven"
    );
    assert_eq!(login(&fixture.vault, &ALICE, &NEW_REG, "new").unwrap().wrapped_key, WRAPPED);
    let counter = fixture.vault.status(&ALICE).unwrap().unwrap();
    let live = counter.live.unwrap();
    assert_eq!((live.reg_id, live.max, counter.pending), (NEW_REG, 5, None));
    // Only one record is left, and therefore only one registration's guesses.
    let keys = [REG, NEW_REG].map(|reg_id| bulla_vaultd::store::RecordKey::Sealed(ALICE, reg_id));
    let there = fixture.store.read(&keys).unwrap();
    assert!(there[0].is_none() && there[1].is_some());
}

#[test]
fn an_account_has_at_most_one_pending_registration() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    for number in 1..20u8 {
        register(&fixture.vault, &ALICE, &[number; 32], "any", 10, None).unwrap();
    }
    let counter = fixture.vault.status(&ALICE).unwrap().unwrap();
    assert_eq!((counter.live, counter.pending.unwrap().reg_id), (None, [19; 32]));
    let keys: Vec<_> = (1..20u8)
        .map(|number| bulla_vaultd::store::RecordKey::Sealed(ALICE, [number; 32]))
        .collect();
    assert_eq!(fixture.store.read(&keys).unwrap().iter().flatten().count(), 1);
}

/// Beginning a registration with an existing identity evaluates nothing, because an evaluation
/// would be a guess that is not counted.
#[test]
fn a_registration_is_not_an_oracle() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    fixture.enroll(&ALICE, &REG, "right", 10);
    let result = fixture.vault.register_start(&ALICE, &REG, &begin("guess").request);
    assert_eq!(result, Err(VaultError::Conflict));
    // With a new identity, each request is evaluated under a different key.
    let request = begin("guess").request;
    let first = fixture.vault.register_start(&ALICE, &NEW_REG, &request).unwrap();
    fixture.vault.register_start(&ALICE, &NEW_REG, &begin("other").request).unwrap();
    assert_ne!(fixture.vault.register_start(&ALICE, &NEW_REG, &request).unwrap(), first);
}
