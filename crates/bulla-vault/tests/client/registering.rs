//! Registrations, replacements and deletions.

use bulla_vault::messages::RecordState;
use bulla_vault::{Deleted, Error, RegId, Registered, RegistrationOptions};

use crate::fixture::{Fixture, options, password};
use crate::server::ANNOUNCED;

/// V-4.4
#[test]
fn registration_is_active_after_its_login() {
    let fixture = Fixture::new();
    let registered = fixture
        .client()
        .register(&password("first"), &fixture.key, &mut fixture.files(), &options())
        .unwrap();
    assert_eq!(registered, Registered::Active);
    let status = fixture.client().status().unwrap();
    let current = status.current.unwrap();
    assert_eq!((current.state, current.left, current.max), (RecordState::Active, 5, 5));
    assert_eq!(status.pending, None);
    let locators = fixture.files().read().unwrap();
    assert_eq!(locators.len(), 1);
    assert_eq!(RegId::from_bytes(*locators[0].registration()).record_name(), current.name);
}

/// V-4.5
#[test]
fn grant_replaces_the_registration_immediately() {
    let fixture = Fixture::registered();
    let grant = Some(fixture.recover("first").unwrap().grant);
    let options = RegistrationOptions { grant, ..options() };
    let registered = fixture
        .client()
        .register(&password("second"), &fixture.key, &mut fixture.files(), &options)
        .unwrap();
    assert_eq!(registered, Registered::Active);
    assert!(fixture.recovers("second"));
    assert!(matches!(fixture.recover("first"), Err(Error::WrongPassword { .. })));
    assert_eq!(fixture.files().read().unwrap().len(), 1);
}

/// V-4.5: both locators remain stored.
#[test]
fn replacement_without_a_grant_is_announced() {
    let fixture = Fixture::registered();
    let registered = fixture
        .client()
        .register(&password("second"), &fixture.key, &mut fixture.files(), &options())
        .unwrap();
    assert_eq!(registered, Registered::Announced { not_before: ANNOUNCED });
    assert_eq!(fixture.files().read().unwrap().len(), 2);
    assert!(fixture.recovers("first"));
}

/// V-4.1
#[test]
fn each_registration_generates_a_fresh_identity_and_pepper() {
    let (one, two) = (Fixture::registered(), Fixture::registered());
    let (one, two) = (one.files().read().unwrap().remove(0), two.files().read().unwrap().remove(0));
    assert_ne!(one.registration(), two.registration());
    assert_ne!(one.pepper(), two.pepper());
}

/// V-4.3
#[test]
fn rejects_an_out_of_range_number_of_guesses() {
    let fixture = Fixture::new();
    for max_guesses in [0, 101, u32::MAX] {
        let options = RegistrationOptions { max_guesses, ..options() };
        let refused = fixture.client().register(
            &password("first"),
            &fixture.key,
            &mut fixture.files(),
            &options,
        );
        assert!(matches!(refused, Err(Error::GuessesOutOfRange)));
    }
    for max_guesses in [1, 100] {
        let fixture = Fixture::new();
        let options = RegistrationOptions { max_guesses, ..options() };
        fixture
            .client()
            .register(&password("first"), &fixture.key, &mut fixture.files(), &options)
            .unwrap();
    }
}

/// V-4.6
#[test]
fn deletes_with_a_grant_and_announces_without() {
    let fixture = Fixture::registered();
    let grant = fixture.recover("first").unwrap().grant;
    let reg_id = RegId::from_bytes(*fixture.files().read().unwrap()[0].registration());
    let mut client = fixture.client();
    assert_eq!(client.delete(reg_id, None).unwrap(), Deleted::Announced { not_before: ANNOUNCED });
    assert!(fixture.recovers("first"));
    assert_eq!(client.delete(reg_id, Some(&grant)).unwrap(), Deleted::Gone);
    assert_eq!(
        client.delete(reg_id, Some(&grant)).unwrap(),
        Deleted::Gone,
        "deleting is idempotent"
    );
    assert!(matches!(fixture.recover("first"), Err(Error::NoRecord)));
}
