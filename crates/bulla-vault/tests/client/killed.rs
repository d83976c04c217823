//! The client is killed at each step: the key stays reachable, by the old password or by the new
//! one.

use bulla_vault::RegistrationOptions;

use crate::sample::{Sample, password, terms};
use crate::wire::{Life, MortalLocators};

/// Registers under "second" and dies after that many steps; says whether it got to the end.
fn register_and_die(sample: &Sample, terms: &RegistrationOptions, steps: u32) -> bool {
    let life = Life::of(steps);
    let mut locators = MortalLocators { files: sample.files(), life: life.clone() };
    let done = sample.mortal_client(&life).register(
        &password("second"),
        &sample.key,
        &mut locators,
        terms,
    );
    assert_eq!(done.is_err(), life.is_over(), "a dead client registers nothing: {done:?}");
    done.is_ok()
}

/// V-6.2: registering anew, with a grant.
#[test]
fn registering_anew() {
    for steps in 0.. {
        let sample = Sample::registered();
        let grant = Some(sample.recover("first").unwrap().grant);
        let done = register_and_die(&sample, &RegistrationOptions { grant, ..terms() }, steps);
        assert!(
            sample.recovers("first") || sample.recovers("second"),
            "killed after {steps} steps"
        );
        // And from there it can be registered anew, in whatever state it was left.
        let grant =
            Some(sample.recover("first").or_else(|_| sample.recover("second")).unwrap().grant);
        let again = RegistrationOptions { grant, ..terms() };
        sample
            .client()
            .register(&password("third"), &sample.key, &mut sample.files(), &again)
            .unwrap();
        assert!(sample.recovers("third"), "killed after {steps} steps");
        assert_eq!(sample.files().read().unwrap().len(), 1);
        if done {
            // Four calls and two changes of locators, with a step before and after each.
            assert_eq!(steps, 12);
            break;
        }
    }
}

/// V-6.2: and without one.
#[test]
fn registering_anew_without_a_grant() {
    for steps in 0.. {
        let sample = Sample::registered();
        let done = register_and_die(&sample, &terms(), steps);
        assert!(sample.recovers("first"), "killed after {steps} steps");
        if done {
            assert_eq!(steps, 6);
            break;
        }
    }
}

/// V-6.2: where the new locator of an earlier registration, announced and never settled, is the one
/// in use.
#[test]
fn registering_after_an_announced_one() {
    for steps in 0.. {
        let sample = Sample::registered();
        let mut files = sample.files();
        sample
            .client()
            .register(&password("announced"), &sample.key, &mut files, &terms())
            .unwrap();
        let grant = Some(sample.recover("announced").unwrap().grant);
        assert!(!sample.recovers("first"), "the announced one took its place");
        assert_eq!(files.read().unwrap().len(), 2);
        let done = register_and_die(&sample, &RegistrationOptions { grant, ..terms() }, steps);
        assert!(
            sample.recovers("announced") || sample.recovers("second"),
            "killed after {steps} steps"
        );
        if done {
            // The status and one change of locators more than otherwise.
            assert_eq!(steps, 16);
            assert_eq!(files.read().unwrap().len(), 1);
            break;
        }
    }
}

/// V-4.4: registering for the first time. From the new locator on, the record can be used, pending
/// as it is.
#[test]
fn registering() {
    for steps in 0.. {
        let sample = Sample::new();
        let done = register_and_die(&sample, &terms(), steps);
        assert_eq!(sample.recovers("second"), steps >= 5, "killed after {steps} steps");
        sample
            .client()
            .register(&password("third"), &sample.key, &mut sample.files(), &terms())
            .ok();
        assert!(
            sample.recovers("second") || sample.recovers("third"),
            "killed after {steps} steps"
        );
        if done {
            break;
        }
    }
}
