//! Which of two copies counts, and what is said of the other one.

use bulla::{Preamble, Result};
use bulla_key::{Envelope, EnvelopeState, Error, Secret};
use bulla_testkit::envelope::{complete, envelope as made, write_check};

use crate::sample::*;

fn preamble(first: &[u8], second: &[u8]) -> Preamble {
    let mut container = container(first);
    let at = container.len() - 128 - LEN;
    container[at..at + LEN].copy_from_slice(second);
    Preamble::read_at(&container).unwrap()
}

fn revision(revision: u64) -> Vec<u8> {
    made(&slots(LEN), LEN, revision, &SALT, &exporter(LEN))
}

fn damaged() -> Vec<u8> {
    let mut envelope = revision(9);
    envelope[300] ^= 1;
    envelope
}

/// E-2.6
#[test]
fn the_higher_revision_counts() {
    let cases = [
        (revision(4), revision(4), 4, EnvelopeState::Intact),
        (revision(4), revision(5), 5, EnvelopeState::Differ),
        (revision(5), revision(4), 5, EnvelopeState::Differ),
        (revision(256), revision(255), 256, EnvelopeState::Differ),
        (damaged(), revision(4), 4, EnvelopeState::FirstDamaged),
        (revision(4), damaged(), 4, EnvelopeState::SecondDamaged),
        (vec![0; LEN], revision(4), 4, EnvelopeState::FirstDamaged),
        (revision(4), vec![0; LEN], 4, EnvelopeState::SecondDamaged),
    ];
    for (first, second, counts, state) in cases {
        let (envelope, copies) = Envelope::from_preamble(&preamble(&first, &second)).unwrap();
        assert_eq!((envelope.revision(), copies), (counts, state));
    }
}

/// E-2.6: of one revision, the first.
#[test]
fn the_first_of_equals_counts() {
    let mut other = revision(4);
    other[24] ^= 1;
    complete(&mut other, &exporter(LEN));
    for (first, second) in [(&other, &revision(4)), (&revision(4), &other)] {
        let (envelope, copies) = Envelope::from_preamble(&preamble(first, second)).unwrap();
        assert_eq!((envelope.bytes(), copies), (&first[..], EnvelopeState::Differ));
    }
}

/// E-2.6: no secret has a say in it. The copy that counts has no slot for it; the other one would
/// open.
#[test]
fn the_other_copy_is_not_tried() {
    let without = made(&slots(LEN)[..1], LEN, 5, &SALT, &exporter(LEN));
    let preamble = preamble(&revision(4), &without);
    let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
    let opened = envelope.open(&Secret::Passphrase(&phrase(PHRASE)), preamble.header(), None);
    assert!(matches!(opened, Err(Error::NoSuchSlot)));
}

/// E-2.5, E-2.6: nor has what is behind the check: a malformed copy of a higher revision counts.
#[test]
fn malformed_counts_if_it_is_valid() {
    let mut malformed = revision(5);
    malformed[11] = 99;
    write_check(&mut malformed);
    let found = Envelope::from_preamble(&preamble(&revision(4), &malformed));
    assert!(matches!(found, Err(Error::Malformed { offset: 10 })));
}

/// E-2.4, E-2.6: the error is that of the first copy that is not blank.
#[test]
fn none_counts() {
    let blank = vec![0; LEN];
    let mut newer = revision(4);
    newer[8] = 2;
    write_check(&mut newer);
    let of = |first: &[u8], second: &[u8]| {
        Envelope::from_preamble(&preamble(first, second)).unwrap_err()
    };
    assert!(matches!(of(&blank, &blank), Error::NoEnvelope));
    assert!(matches!(of(&damaged(), &damaged()), Error::Damaged));
    assert!(matches!(of(&blank, &damaged()), Error::Damaged));
    assert!(matches!(of(&newer, &damaged()), Error::UnsupportedVersion { version: 2 }));
    assert!(matches!(of(&[7; LEN], &damaged()), Error::NotAnEnvelope));
}

/// E-2.6: a stream has the first copy alone.
#[test]
fn from_a_stream() -> Result<()> {
    let whole = container(&revision(4));
    let preamble = Preamble::read(&mut &whole[..])?;
    assert_eq!(Envelope::from_preamble(&preamble).unwrap().1, EnvelopeState::Single);
    let torn = container(&damaged());
    let preamble = Preamble::read(&mut &torn[..])?;
    assert!(matches!(Envelope::from_preamble(&preamble), Err(Error::Damaged)));
    Ok(())
}

/// A container that was cut still gives its key.
#[test]
fn of_a_container_that_was_cut() {
    let whole = container(&revision(4));
    let preamble = Preamble::read_at(&whole[..128 + LEN + 10]).unwrap();
    let (envelope, copies) = Envelope::from_preamble(&preamble).unwrap();
    assert_eq!(copies, EnvelopeState::Single);
    assert!(envelope.open(&Secret::Key(&key(RECOVERY)), preamble.header(), None).is_ok());
}
