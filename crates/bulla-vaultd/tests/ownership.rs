//! What a stolen token can do, and what registering anew and deleting need: V-4.5 and V-4.6.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use bulla_vaultd::record::State;
use bulla_vaultd::vault::{Deletion, VaultError};
use support::*;

const WEEK: u64 = 7 * 86_400;

#[test]
fn a_token_alone_deletes_after_a_week_unless_the_owner_logs_in() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let due = bench.time.now() + WEEK;
    let delete = || bench.vault.delete(&ALICE, &REG, None).unwrap();
    assert_eq!(delete(), Deletion::NotBefore(due));
    bench.time.pass(WEEK - 1);
    assert_eq!(delete(), Deletion::NotBefore(due), "asking again does not put it off");
    login(&bench.vault, &ALICE, &REG, "right").unwrap();
    bench.time.pass(1);
    assert_eq!(delete(), Deletion::NotBefore(bench.time.now() + WEEK), "called off by the login");

    bench.time.pass(WEEK);
    assert_eq!(delete(), Deletion::Done);
    assert_eq!(delete(), Deletion::Done);
    assert!(
        matches!(login(&bench.vault, &ALICE, &REG, "right"), Err(Failed::Wrong { .. })),
        "as if it never was"
    );
}

#[test]
fn a_fresh_login_deletes_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let old = login(&bench.vault, &ALICE, &REG, "right").unwrap().grant;
    let grant = login(&bench.vault, &ALICE, &REG, "right").unwrap().grant;
    let with = |grant: &[u8]| bench.vault.delete(&ALICE, &REG, Some(grant)).unwrap();
    assert!(matches!(with(&old[..]), Deletion::NotBefore(_)), "that of the last login only");
    for at in 0..64 {
        let mut changed = *grant;
        changed[at] ^= 1;
        assert!(matches!(with(&changed), Deletion::NotBefore(_)), "byte {at}");
    }
    bench.time.pass(601);
    assert!(matches!(with(&grant[..]), Deletion::NotBefore(_)), "not fresh any more");
    let grant = login(&bench.vault, &ALICE, &REG, "right").unwrap().grant;
    bench.time.pass(600);
    assert_eq!(with(&grant[..]), Deletion::Done);
}

/// The owner's record stays until a week has passed, and her guesses are her own.
#[test]
fn a_token_alone_replaces_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    login(&bench.vault, &ALICE, &REG, "wrong").unwrap_err();
    let placed = register(&bench.vault, &ALICE, &NEW_REG, "thief's", 10, None).unwrap();
    assert_eq!(placed.not_before, Some(bench.time.now() + WEEK));
    for _ in 0..3 {
        login(&bench.vault, &ALICE, &NEW_REG, "thief's").unwrap();
        assert_eq!(bench.left(&ALICE, &REG), 9, "a login to the pending one refreshes nothing");
    }
    for _ in 0..10 {
        login(&bench.vault, &ALICE, &NEW_REG, "junk").unwrap_err();
    }
    bench.time.pass(600);
    let said = login(&bench.vault, &ALICE, &NEW_REG, "junk").err();
    assert_eq!(said, Some(Failed::Said(VaultError::Locked)), "the thief locks out the thief");
    let counter = bench.vault.status(&ALICE).unwrap().unwrap();
    assert_eq!(counter.failures, 1, "nor does it use up the account's life");
    assert_eq!(counter.live.unwrap().state, State::Active);
    assert_eq!(login(&bench.vault, &ALICE, &REG, "right").unwrap().wrapped_key, WRAPPED);
}

#[test]
fn an_announced_replacement_comes_after_a_week_without_the_owner() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "forgotten", 10);
    register(&bench.vault, &ALICE, &NEW_REG, "new", 10, None).unwrap();
    bench.time.pass(WEEK - 10);
    login(&bench.vault, &ALICE, &REG, "forgotten").unwrap();
    bench.time.pass(10);
    login(&bench.vault, &ALICE, &NEW_REG, "new").unwrap();
    assert_eq!(
        bench.vault.status(&ALICE).unwrap().unwrap().live.unwrap().reg_id,
        REG,
        "put off by the login"
    );
    bench.time.pass(WEEK);
    login(&bench.vault, &ALICE, &NEW_REG, "new").unwrap();
    let counter = bench.vault.status(&ALICE).unwrap().unwrap();
    assert_eq!((counter.live.unwrap().reg_id, counter.pending), (NEW_REG, None));
}

#[test]
fn registering_anew_with_a_fresh_login() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "old", 10);
    let grant = login(&bench.vault, &ALICE, &REG, "old").unwrap().grant;
    let placed = register(&bench.vault, &ALICE, &NEW_REG, "new", 5, Some(&grant[..])).unwrap();
    assert_eq!((placed.active, placed.not_before), (false, None));
    assert_eq!(
        login(&bench.vault, &ALICE, &REG, "old").unwrap().wrapped_key,
        WRAPPED,
        "until the new one is proven"
    );
    assert_eq!(login(&bench.vault, &ALICE, &NEW_REG, "new").unwrap().wrapped_key, WRAPPED);
    let counter = bench.vault.status(&ALICE).unwrap().unwrap();
    let live = counter.live.unwrap();
    assert_eq!((live.reg_id, live.max, counter.pending), (NEW_REG, 5, None));
    // One record of one password is left: as many guesses as it has, and no more.
    let keys = [REG, NEW_REG].map(|reg_id| bulla_vaultd::store::Key::Sealed(ALICE, reg_id));
    let there = bench.store.read(&keys).unwrap();
    assert!(there[0].is_none() && there[1].is_some());
}

#[test]
fn one_pending_at_most() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    for number in 1..20u8 {
        register(&bench.vault, &ALICE, &[number; 32], "any", 10, None).unwrap();
    }
    let counter = bench.vault.status(&ALICE).unwrap().unwrap();
    assert_eq!((counter.live, counter.pending.unwrap().reg_id), (None, [19; 32]));
    let keys: Vec<_> =
        (1..20u8).map(|number| bulla_vaultd::store::Key::Sealed(ALICE, [number; 32])).collect();
    assert_eq!(bench.store.read(&keys).unwrap().iter().flatten().count(), 1);
}

/// Beginning a registration under the name of one that is there evaluates nothing: it would be a
/// guess that nobody counts.
#[test]
fn a_registration_is_no_oracle() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    bench.enroll(&ALICE, &REG, "right", 10);
    let said = bench.vault.register_start(&ALICE, &REG, &begin("guess").request);
    assert_eq!(said, Err(VaultError::Conflict));
    // Under a name of its own each request is evaluated under a key of its own.
    let request = begin("guess").request;
    let first = bench.vault.register_start(&ALICE, &NEW_REG, &request).unwrap();
    bench.vault.register_start(&ALICE, &NEW_REG, &begin("other").request).unwrap();
    assert_ne!(bench.vault.register_start(&ALICE, &NEW_REG, &request).unwrap(), first);
}
