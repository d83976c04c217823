//! Registrations, anew and deleted ones.

use bulla_vault::messages::RecordState;
use bulla_vault::{Deleted, Error, RegId, Registered, RegistrationOptions};

use crate::sample::{Sample, password, terms};
use crate::server::ANNOUNCED;

/// V-4.4: pending until the login that belongs to every registration.
#[test]
fn proven_by_a_login() {
    let sample = Sample::new();
    let registered = sample
        .client()
        .register(&password("first"), &sample.key, &mut sample.files(), &terms())
        .unwrap();
    assert_eq!(registered, Registered::Active);
    let status = sample.client().status().unwrap();
    let current = status.current.unwrap();
    assert_eq!((current.state, current.left, current.max), (RecordState::Active, 5, 5));
    assert_eq!(status.pending, None);
    let locators = sample.files().read().unwrap();
    assert_eq!(locators.len(), 1);
    assert_eq!(RegId::from_bytes(*locators[0].registration()).record_name(), current.name);
}

/// V-4.5: with the grant of a fresh login the new one takes the old one's place at once.
#[test]
fn anew_with_a_grant() {
    let sample = Sample::registered();
    let grant = Some(sample.recover("first").unwrap().grant);
    let terms = RegistrationOptions { grant, ..terms() };
    let registered = sample
        .client()
        .register(&password("second"), &sample.key, &mut sample.files(), &terms)
        .unwrap();
    assert_eq!(registered, Registered::Active);
    assert!(sample.recovers("second"));
    assert!(matches!(sample.recover("first"), Err(Error::WrongPassword { .. })));
    assert_eq!(sample.files().read().unwrap().len(), 1);
}

/// V-4.5: without one it waits, and both locators are kept.
#[test]
fn anew_without_a_grant() {
    let sample = Sample::registered();
    let registered = sample
        .client()
        .register(&password("second"), &sample.key, &mut sample.files(), &terms())
        .unwrap();
    assert_eq!(registered, Registered::Announced { not_before: ANNOUNCED });
    assert_eq!(sample.files().read().unwrap().len(), 2);
    assert!(sample.recovers("first"));
}

/// V-4.1: registrations share nothing: neither name nor pepper.
#[test]
fn fresh_each_time() {
    let (one, two) = (Sample::registered(), Sample::registered());
    let (one, two) = (one.files().read().unwrap().remove(0), two.files().read().unwrap().remove(0));
    assert_ne!(one.registration(), two.registration());
    assert_ne!(one.pepper(), two.pepper());
}

/// V-4.3
#[test]
fn guesses_in_bounds() {
    let sample = Sample::new();
    for max_guesses in [0, 101, u32::MAX] {
        let terms = RegistrationOptions { max_guesses, ..terms() };
        let refused =
            sample.client().register(&password("first"), &sample.key, &mut sample.files(), &terms);
        assert!(matches!(refused, Err(Error::GuessesOutOfRange)));
    }
    for max_guesses in [1, 100] {
        let sample = Sample::new();
        let terms = RegistrationOptions { max_guesses, ..terms() };
        sample
            .client()
            .register(&password("first"), &sample.key, &mut sample.files(), &terms)
            .unwrap();
    }
}

/// V-4.6
#[test]
fn deletion() {
    let sample = Sample::registered();
    let grant = sample.recover("first").unwrap().grant;
    let reg_id = RegId::from_bytes(*sample.files().read().unwrap()[0].registration());
    let mut client = sample.client();
    assert_eq!(client.delete(reg_id, None).unwrap(), Deleted::Announced { not_before: ANNOUNCED });
    assert!(sample.recovers("first"));
    assert_eq!(client.delete(reg_id, Some(&grant)).unwrap(), Deleted::Gone);
    assert_eq!(
        client.delete(reg_id, Some(&grant)).unwrap(),
        Deleted::Gone,
        "as often as one likes"
    );
    assert!(matches!(sample.recover("first"), Err(Error::NoRecord)));
}
