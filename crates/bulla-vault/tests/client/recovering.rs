//! Recovering keys and counting guesses.

use bulla_key::{Locator, PassphraseCost};
use bulla_vault::{Error, LocatorStore, RegistrationOptions, Stretching};

use crate::fixture::{Fixture, options, password};

/// V-5.1, V-5.3
#[test]
fn recovers_the_key_and_reports_failed_attempts() {
    let fixture = Fixture::registered();
    let recovered = fixture.recover("first").unwrap();
    assert_eq!(recovered.key.expose(), fixture.key.expose());
    assert_eq!(recovered.failures, 0);
    for left in [4, 3] {
        let error = fixture.recover("second").unwrap_err();
        assert!(matches!(error, Error::WrongPassword { left: Some(l) } if l == left), "{error:?}");
    }
    assert_eq!(fixture.recover("first").unwrap().failures, 2);
    assert_eq!(
        fixture.recover("first").unwrap().failures,
        0,
        "counted since the last successful login"
    );
}

/// V-5.3
#[test]
fn correct_password_after_the_last_guess_is_locked() {
    let fixture = Fixture::registered();
    for left in (0..5).rev() {
        let error = fixture.recover("second").unwrap_err();
        assert!(matches!(error, Error::WrongPassword { left: Some(l) } if l == left), "{error:?}");
    }
    assert!(matches!(fixture.recover("first"), Err(Error::Locked)));
    assert_eq!(fixture.server.borrow().evaluations, 1 + 5);
}

/// V-5.3
#[test]
fn correct_password_on_the_last_guess_succeeds() {
    let fixture = Fixture::registered();
    for _ in 0..4 {
        fixture.recover("second").unwrap_err();
    }
    assert!(fixture.recovers("first"));
    assert_eq!(fixture.server.borrow().current.as_ref().unwrap().left, 5);
}

/// V-3.3
#[test]
fn login_uses_the_registrations_stretching_parameters() {
    let fixture = Fixture::new();
    let cost = PassphraseCost::new(2, 64, 2).unwrap();
    let options = RegistrationOptions { stretching: Stretching::new(cost), ..options() };
    fixture
        .client()
        .register(&password("first"), &fixture.key, &mut fixture.files(), &options)
        .unwrap();
    assert!(fixture.recovers("first"));

    // With other parameters, the correct password fails.
    let cheaper = PassphraseCost::new(1, 64, 2).unwrap();
    fixture.server.borrow_mut().current.as_mut().unwrap().content.stretching =
        Stretching::new(cheaper);
    assert!(matches!(fixture.recover("first"), Err(Error::WrongPassword { .. })));
}

/// V-3.4
#[test]
fn correct_password_fails_with_another_pepper() {
    let fixture = Fixture::registered();
    let stored = fixture.files().read().unwrap().remove(0);
    let other = Locator::new(*stored.registration(), &[0; 32]);
    let recovered = fixture.client().recover(&password("first"), &[other]);
    assert!(matches!(recovered, Err(Error::WrongPassword { .. })));
}

/// V-3.6: hints are compared with the configuration before anything is sent.
#[test]
fn rejects_a_locator_for_another_vault() {
    let fixture = Fixture::registered();
    let stored = fixture.files().read().unwrap().remove(0);
    let sent = fixture.server.borrow().received.len();
    for hints in
        [(Locator::ADDRESS, &b"https://other.example"[..]), (Locator::PUBLIC_KEY, &[1; 32][..])]
    {
        let other = stored.clone().with_hint(hints.0, hints.1).unwrap();
        for locators in [vec![other.clone()], vec![stored.clone(), other.clone()]] {
            let recovered = fixture.client().recover(&password("first"), &locators);
            assert!(matches!(recovered, Err(Error::VaultMismatch)));
        }
    }
    assert_eq!(fixture.server.borrow().received.len(), sent);
    let bare = Locator::new(*stored.registration(), stored.pepper());
    assert!(fixture.client().recover(&password("first"), &[bare]).is_ok(), "hints are optional");
}

#[test]
fn rejects_missing_and_unknown_locators() {
    let fixture = Fixture::registered();
    assert!(matches!(fixture.client().recover(&password("first"), &[]), Err(Error::NoLocator)));
    let stranger = Locator::new([9; 32], &[9; 32]);
    let one = fixture.client().recover(&password("first"), std::slice::from_ref(&stranger));
    assert!(matches!(one, Err(Error::NoRecord)));
    let two = fixture.client().recover(&password("first"), &[stranger.clone(), stranger]);
    assert!(matches!(two, Err(Error::NoRecord)));
}

/// V-6.2
#[test]
fn spends_no_guess_on_a_locator_without_a_record() {
    let fixture = Fixture::registered();
    let before = fixture.server.borrow().evaluations;
    fixture.files().stage(&Locator::new([9; 32], &[9; 32])).unwrap();
    assert!(fixture.recovers("first"));
    assert_eq!(fixture.server.borrow().evaluations, before + 1);
}
