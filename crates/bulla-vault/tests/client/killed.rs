//! Kills the client at each step of a registration. The key must remain recoverable with the old
//! password or the new one.

use bulla_vault::RegistrationOptions;

use crate::fixture::{Fixture, options, password};
use crate::transport::{CrashingLocators, StepBudget};

/// Registers under the password "second", and kills the client after `steps` steps. Returns whether
/// the registration completed.
fn register_until_killed(fixture: &Fixture, options: &RegistrationOptions, steps: u32) -> bool {
    let budget = StepBudget::new(steps);
    let mut locators = CrashingLocators { files: fixture.files(), budget: budget.clone() };
    let done = fixture.crashing_client(&budget).register(
        &password("second"),
        &fixture.key,
        &mut locators,
        options,
    );
    assert_eq!(done.is_err(), budget.is_exhausted(), "fails if and only if killed: {done:?}");
    done.is_ok()
}

/// V-6.2
#[test]
fn killed_while_replacing_with_a_grant() {
    for steps in 0.. {
        let fixture = Fixture::registered();
        let grant = Some(fixture.recover("first").unwrap().grant);
        let done =
            register_until_killed(&fixture, &RegistrationOptions { grant, ..options() }, steps);
        assert!(
            fixture.recovers("first") || fixture.recovers("second"),
            "killed after {steps} steps"
        );
        // A later registration succeeds from any of these states.
        let grant =
            Some(fixture.recover("first").or_else(|_| fixture.recover("second")).unwrap().grant);
        let again = RegistrationOptions { grant, ..options() };
        fixture
            .client()
            .register(&password("third"), &fixture.key, &mut fixture.files(), &again)
            .unwrap();
        assert!(fixture.recovers("third"), "killed after {steps} steps");
        assert_eq!(fixture.files().read().unwrap().len(), 1);
        if done {
            // Four requests and two locator changes, with a step before and after each.
            assert_eq!(steps, 12);
            break;
        }
    }
}

/// V-6.2
#[test]
fn killed_while_replacing_without_a_grant() {
    for steps in 0.. {
        let fixture = Fixture::registered();
        let done = register_until_killed(&fixture, &options(), steps);
        assert!(fixture.recovers("first"), "killed after {steps} steps");
        if done {
            assert_eq!(steps, 6);
            break;
        }
    }
}

/// V-6.2: the staged locator of an earlier, announced registration belongs to the active record.
#[test]
fn killed_while_replacing_after_an_announced_registration() {
    for steps in 0.. {
        let fixture = Fixture::registered();
        let mut files = fixture.files();
        fixture
            .client()
            .register(&password("announced"), &fixture.key, &mut files, &options())
            .unwrap();
        let grant = Some(fixture.recover("announced").unwrap().grant);
        assert!(!fixture.recovers("first"), "the announced registration replaced the first");
        assert_eq!(files.read().unwrap().len(), 2);
        let done =
            register_until_killed(&fixture, &RegistrationOptions { grant, ..options() }, steps);
        assert!(
            fixture.recovers("announced") || fixture.recovers("second"),
            "killed after {steps} steps"
        );
        if done {
            // One more request, for the status, and one more locator change.
            assert_eq!(steps, 16);
            assert_eq!(files.read().unwrap().len(), 1);
            break;
        }
    }
}

/// V-4.4: once the locator is stored, the pending record can be recovered.
#[test]
fn killed_during_the_first_registration() {
    for steps in 0.. {
        let fixture = Fixture::new();
        let done = register_until_killed(&fixture, &options(), steps);
        assert_eq!(fixture.recovers("second"), steps >= 5, "killed after {steps} steps");
        fixture
            .client()
            .register(&password("third"), &fixture.key, &mut fixture.files(), &options())
            .ok();
        assert!(
            fixture.recovers("second") || fixture.recovers("third"),
            "killed after {steps} steps"
        );
        if done {
            break;
        }
    }
}
