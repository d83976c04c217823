//! Selecting the authoritative copy, and reporting the state of the other one.

use bulla::{Preamble, Result};
use bulla_key::{Envelope, EnvelopeState, Error, Secret};
use bulla_testkit::envelope::{complete, envelope as encode, write_check};

use crate::fixtures::*;

fn preamble(first: &[u8], second: &[u8]) -> Preamble {
    let mut container = container(first);
    let at = container.len() - 128 - LEN;
    container[at..at + LEN].copy_from_slice(second);
    Preamble::read_at(&container).unwrap()
}

fn revision(revision: u64) -> Vec<u8> {
    encode(&slots(LEN), LEN, revision, &SALT, &exporter(LEN))
}

fn damaged_copy() -> Vec<u8> {
    let mut envelope = revision(9);
    envelope[300] ^= 1;
    envelope
}

/// E-2.6
#[test]
fn selects_the_higher_revision() {
    let cases = [
        (revision(4), revision(4), 4, EnvelopeState::Intact),
        (revision(4), revision(5), 5, EnvelopeState::Differ),
        (revision(5), revision(4), 5, EnvelopeState::Differ),
        (revision(256), revision(255), 256, EnvelopeState::Differ),
        (damaged_copy(), revision(4), 4, EnvelopeState::FirstDamaged),
        (revision(4), damaged_copy(), 4, EnvelopeState::SecondDamaged),
        (vec![0; LEN], revision(4), 4, EnvelopeState::FirstDamaged),
        (revision(4), vec![0; LEN], 4, EnvelopeState::SecondDamaged),
    ];
    for (first, second, selected, expected) in cases {
        let (envelope, state) = Envelope::from_preamble(&preamble(&first, &second)).unwrap();
        assert_eq!((envelope.revision(), state), (selected, expected));
    }
}

/// E-2.6
#[test]
fn selects_the_first_of_equal_revisions() {
    let mut other = revision(4);
    other[24] ^= 1;
    complete(&mut other, &exporter(LEN));
    for (first, second) in [(&other, &revision(4)), (&revision(4), &other)] {
        let (envelope, state) = Envelope::from_preamble(&preamble(first, second)).unwrap();
        assert_eq!((envelope.bytes(), state), (&first[..], EnvelopeState::Differ));
    }
}

/// E-2.6: the selection does not depend on a secret. The authoritative copy has no slot for the
/// given secret, and the other copy is not tried even though it has one.
#[test]
fn does_not_try_the_other_copy() {
    let without = encode(&slots(LEN)[..1], LEN, 5, &SALT, &exporter(LEN));
    let preamble = preamble(&revision(4), &without);
    let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
    let opened =
        envelope.open(&Secret::Passphrase(&passphrase(PASSPHRASE)), preamble.header(), None);
    assert!(matches!(opened, Err(Error::NoSuchSlot)));
}

/// E-2.5, E-2.6: a malformed copy whose check matches is selected for its higher revision.
#[test]
fn selects_a_malformed_copy_if_its_check_matches() {
    let mut malformed = revision(5);
    malformed[11] = 99;
    write_check(&mut malformed);
    let found = Envelope::from_preamble(&preamble(&revision(4), &malformed));
    assert!(matches!(found, Err(Error::Malformed { offset: 10 })));
}

/// E-2.4, E-2.6
#[test]
fn reports_the_error_of_the_first_copy_that_is_not_blank() {
    let blank = vec![0; LEN];
    let mut newer = revision(4);
    newer[8] = 2;
    write_check(&mut newer);
    let error = |first: &[u8], second: &[u8]| {
        Envelope::from_preamble(&preamble(first, second)).unwrap_err()
    };
    assert!(matches!(error(&blank, &blank), Error::NoEnvelope));
    assert!(matches!(error(&damaged_copy(), &damaged_copy()), Error::Damaged));
    assert!(matches!(error(&blank, &damaged_copy()), Error::Damaged));
    assert!(matches!(error(&newer, &damaged_copy()), Error::UnsupportedVersion { version: 2 }));
    assert!(matches!(error(&[7; LEN], &damaged_copy()), Error::NotAnEnvelope));
}

/// E-2.6: a stream provides only the first copy.
#[test]
fn uses_the_first_copy_from_a_stream() -> Result<()> {
    let whole = container(&revision(4));
    let preamble = Preamble::read(&mut &whole[..])?;
    assert_eq!(Envelope::from_preamble(&preamble).unwrap().1, EnvelopeState::Single);
    let torn = container(&damaged_copy());
    let preamble = Preamble::read(&mut &torn[..])?;
    assert!(matches!(Envelope::from_preamble(&preamble), Err(Error::Damaged)));
    Ok(())
}

#[test]
fn opens_the_envelope_of_a_truncated_container() {
    let whole = container(&revision(4));
    let preamble = Preamble::read_at(&whole[..128 + LEN + 10]).unwrap();
    let (envelope, state) = Envelope::from_preamble(&preamble).unwrap();
    assert_eq!(state, EnvelopeState::Single);
    assert!(envelope.open(&Secret::Key(&key(RECOVERY_KEY)), preamble.header(), None).is_ok());
}
