//! Checks the library against every vector in spec/vectors/envelope.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use bulla::Preamble;
use bulla_key::{Envelope, EnvelopeState, Error, Passphrase, Secret, Unlocked};
use bulla_testkit::vectors::envelope::{self, Outcome, Vector, all};

/// Returns the preamble of a vector's container, which consists of the header and a blank envelope.
fn preamble(vector: &Vector) -> Preamble {
    let mut stream = vector.header.0.clone();
    let reserved = u32::from_be_bytes(*vector.header[16..].first_chunk().unwrap());
    stream.resize(128 + reserved as usize, 0);
    Preamble::read(&mut &stream[..]).unwrap()
}

fn open(vector: &Vector) -> Result<(Unlocked, u64, EnvelopeState), Error> {
    let header = preamble(vector).header().clone();
    let (envelope, state) = match &vector.second {
        None => (Envelope::parse(&vector.first)?, EnvelopeState::Single),
        Some(second) => Envelope::from_copies(&vector.first, Some(second))?,
    };
    let context = vector.context.as_deref();
    let unlocked = match &vector.secret {
        envelope::Secret::RecoveryKey(key) => {
            let key = bulla::Key::from_bytes(key[..].try_into().unwrap());
            envelope.open(&Secret::Key(&key), &header, context)
        }
        envelope::Secret::Passphrase(typed) => {
            envelope.open(&Secret::Passphrase(&Passphrase::new(typed)?), &header, context)
        }
    }?;
    Ok((unlocked, envelope.revision(), state))
}

fn error_name(error: &Error) -> &'static str {
    match error {
        Error::NoEnvelope => "no_envelope",
        Error::NotAnEnvelope => "not_an_envelope",
        Error::UnsupportedVersion { .. } => "unsupported_version",
        Error::Damaged => "damaged",
        Error::Malformed { .. } => "malformed",
        Error::AnotherContainer => "another_container",
        Error::WrongSecret => "wrong_secret",
        Error::NoSuchSlot => "no_such_slot",
        Error::TooCostly => "too_costly",
        Error::Container(bulla::Error::ContextRequired) => "context_required",
        Error::Container(bulla::Error::ContextUnexpected) => "context_unexpected",
        other => panic!("not an envelope error: {other:?}"),
    }
}

fn state_name(state: EnvelopeState) -> &'static str {
    match state {
        EnvelopeState::Intact => "intact",
        EnvelopeState::FirstDamaged => "first_damaged",
        EnvelopeState::SecondDamaged => "second_damaged",
        EnvelopeState::Differ => "differ",
        EnvelopeState::Single => "single",
        other => panic!("the vectors have no name for {other:?}"),
    }
}

/// E-2.1 to E-2.6, E-3.1 to E-3.5, E-4.1 to E-4.5, E-5.1, E-5.2
#[test]
fn every_vector_has_its_stated_outcome() {
    let mut failures = Vec::new();
    for vector in all() {
        let actual = open(&vector);
        let same = match (&actual, &vector.outcome) {
            (Ok((unlocked, revision, state)), Outcome::Ok(stated)) => {
                unlocked.key().expose()[..] == stated.container_key[..]
                    && unlocked.opened_by().0 == stated.slot
                    && *revision == stated.revision
                    && state_name(*state) == stated.copies
                    && unlocked.is_intact() == stated.intact
            }
            (Err(error), Outcome::Error(stated)) => error_name(error) == stated,
            _ => false,
        };
        if !same {
            let actual = actual.map(|(unlocked, ..)| unlocked);
            failures.push(format!(
                "{} ({}): got {actual:?}, expected {:?}",
                vector.name, vector.clause, vector.outcome
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
