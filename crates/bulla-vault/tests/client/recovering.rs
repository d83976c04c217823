//! Recoveries, and guesses.

use bulla_key::{Locator, PassphraseCost};
use bulla_vault::{Error, LocatorStore, RegistrationOptions, Stretching};

use crate::sample::{Sample, password, terms};

/// V-5.1, V-5.3: the key comes back, with what happened since.
#[test]
fn key_comes_back() {
    let sample = Sample::registered();
    let recovered = sample.recover("first").unwrap();
    assert_eq!(recovered.key.expose(), sample.key.expose());
    assert_eq!(recovered.failures, 0);
    for left in [4, 3] {
        assert!(
            matches!(sample.recover("second"), Err(Error::WrongPassword { left: Some(l) }) if l == left)
        );
    }
    assert_eq!(sample.recover("first").unwrap().failures, 2);
    assert_eq!(sample.recover("first").unwrap().failures, 0, "since the last one that was right");
}

/// V-5.3: the right password after the last wrong one is too late.
#[test]
fn guesses_run_out() {
    let sample = Sample::registered();
    for left in (0..5).rev() {
        let error = sample.recover("second").unwrap_err();
        assert!(matches!(error, Error::WrongPassword { left: Some(l) } if l == left), "{error:?}");
    }
    assert!(matches!(sample.recover("first"), Err(Error::Locked)));
    assert_eq!(sample.server.borrow().evaluations, 1 + 5);
}

/// V-5.3: on the last guess, too.
#[test]
fn right_on_the_last_guess() {
    let sample = Sample::registered();
    for _ in 0..4 {
        sample.recover("second").unwrap_err();
    }
    assert!(sample.recovers("first"));
    assert_eq!(sample.server.borrow().current.as_ref().unwrap().left, 5);
}

/// V-3.3: the parameters go with the registration.
#[test]
fn stretching_of_the_registration() {
    let sample = Sample::new();
    let cost = PassphraseCost::new(2, 64, 2).unwrap();
    let terms = RegistrationOptions { stretching: Stretching::new(cost), ..terms() };
    sample.client().register(&password("first"), &sample.key, &mut sample.files(), &terms).unwrap();
    assert!(sample.recovers("first"));

    // Other ones than the registration's make a wrong password of the right one.
    let cheaper = PassphraseCost::new(1, 64, 2).unwrap();
    sample.server.borrow_mut().current.as_mut().unwrap().content.stretching =
        Stretching::new(cheaper);
    assert!(matches!(sample.recover("first"), Err(Error::WrongPassword { .. })));
}

/// V-3.4: with another pepper no password is the right one.
#[test]
fn pepper_counts() {
    let sample = Sample::registered();
    let kept = sample.files().read().unwrap().remove(0);
    let other = Locator::new(*kept.registration(), &[0; 32]);
    let recovered = sample.client().recover(&password("first"), &[other]);
    assert!(matches!(recovered, Err(Error::WrongPassword { .. })));
}

/// V-3.6: what a locator says of the vault is compared with the configuration, before anything is
/// sent.
#[test]
fn locator_of_another_vault() {
    let sample = Sample::registered();
    let kept = sample.files().read().unwrap().remove(0);
    let sent = sample.server.borrow().received.len();
    for hints in
        [(Locator::ADDRESS, &b"https://other.example"[..]), (Locator::PUBLIC_KEY, &[1; 32][..])]
    {
        let other = kept.clone().with_hint(hints.0, hints.1).unwrap();
        for locators in [vec![other.clone()], vec![kept.clone(), other.clone()]] {
            let recovered = sample.client().recover(&password("first"), &locators);
            assert!(matches!(recovered, Err(Error::VaultMismatch)));
        }
    }
    assert_eq!(sample.server.borrow().received.len(), sent);
    let bare = Locator::new(*kept.registration(), kept.pepper());
    assert!(sample.client().recover(&password("first"), &[bare]).is_ok(), "hints may be missing");
}

#[test]
fn nothing_to_recover_from() {
    let sample = Sample::registered();
    assert!(matches!(sample.client().recover(&password("first"), &[]), Err(Error::NoLocator)));
    let stranger = Locator::new([9; 32], &[9; 32]);
    let one = sample.client().recover(&password("first"), std::slice::from_ref(&stranger));
    assert!(matches!(one, Err(Error::NoRecord)));
    let two = sample.client().recover(&password("first"), &[stranger.clone(), stranger]);
    assert!(matches!(two, Err(Error::NoRecord)));
}

/// V-6.2: of two locators the one that has a record is used, and no guess is spent on the other.
#[test]
fn locator_without_a_record() {
    let sample = Sample::registered();
    let before = sample.server.borrow().evaluations;
    sample.files().stage(&Locator::new([9; 32], &[9; 32])).unwrap();
    assert!(sample.recovers("first"));
    assert_eq!(sample.server.borrow().evaluations, before + 1);
}
