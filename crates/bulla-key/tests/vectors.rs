//! The library against every vector of spec/vectors/envelope.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use bulla::Preamble;
use bulla_key::{Envelope, EnvelopeCopies, Error, Passphrase, Secret, Unlocked};
use bulla_testkit::vectors::envelope::{self, Outcome, Vector, all};

/// A container's first bytes and its last, as far as reading its envelope takes. Its chunks are of
/// no interest here.
fn preamble(vector: &Vector) -> Preamble {
    let mut stream = vector.header.0.clone();
    let reserved = u32::from_be_bytes(*vector.header[16..].first_chunk().unwrap());
    stream.resize(128 + reserved as usize, 0);
    Preamble::read(&mut &stream[..]).unwrap()
}

fn open(vector: &Vector) -> Result<(Unlocked, u64, EnvelopeCopies), Error> {
    let header = preamble(vector).header().clone();
    let (envelope, copies) = match &vector.second {
        None => (Envelope::parse(&vector.first)?, EnvelopeCopies::Single),
        Some(second) => Envelope::of_copies(&vector.first, Some(second))?,
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
    Ok((unlocked, envelope.revision(), copies))
}

fn name(error: &Error) -> &'static str {
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
        other => panic!("no envelope gives this error: {other:?}"),
    }
}

fn copies_name(copies: EnvelopeCopies) -> &'static str {
    match copies {
        EnvelopeCopies::Intact => "intact",
        EnvelopeCopies::FirstDamaged => "first_damaged",
        EnvelopeCopies::SecondDamaged => "second_damaged",
        EnvelopeCopies::Differ => "differ",
        EnvelopeCopies::Single => "single",
        other => panic!("the vectors do not know {other:?}"),
    }
}

/// E-2.1 to E-2.6, E-3.1 to E-3.5, E-4.1 to E-4.5, E-5.1, E-5.2: everything that is stated.
#[test]
fn every_outcome() {
    let mut failures = Vec::new();
    for vector in all() {
        let found = open(&vector);
        let same = match (&found, &vector.outcome) {
            (Ok((unlocked, revision, copies)), Outcome::Ok(stated)) => {
                unlocked.key().expose()[..] == stated.container_key[..]
                    && unlocked.opened_by().0 == stated.slot
                    && *revision == stated.revision
                    && copies_name(*copies) == stated.copies
                    && unlocked.is_intact() == stated.intact
            }
            (Err(error), Outcome::Error(stated)) => name(error) == stated,
            _ => false,
        };
        if !same {
            let found = found.map(|(unlocked, ..)| unlocked);
            failures.push(format!(
                "{} ({}): {found:?}, but {:?} is stated",
                vector.name, vector.clause, vector.outcome
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
