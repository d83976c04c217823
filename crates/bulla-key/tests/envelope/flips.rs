//! Every bit of an envelope, changed by accident and on purpose.

use bulla::Preamble;
use bulla_key::{Envelope, EnvelopeState, Error, Secret};
use bulla_testkit::envelope::write_check;

use crate::sample::*;

/// E-2.4, E-2.6: one bit of one copy: the other copy counts, whatever bit it is.
#[test]
fn by_accident() {
    let whole = envelope();
    let container = container(&whole);
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Envelope::parse(&damaged).is_err(), "bit {bit}");

        for (at, state) in [
            (128, EnvelopeState::FirstDamaged),
            (container.len() - 128 - LEN, EnvelopeState::SecondDamaged),
        ] {
            let mut container = container.clone();
            container[at..at + LEN].copy_from_slice(&damaged);
            let preamble = Preamble::read_at(&container).unwrap();
            let (envelope, copies) = Envelope::from_preamble(&preamble).unwrap();
            assert_eq!((copies, envelope.bytes()), (state, &whole[..]), "bit {bit}");
        }
    }
}

/// E-4.2, E-4.4, E-5.2: one bit of both copies, by somebody who makes the check hold: the
/// container's key, with a warning, or an error; never a panic, never another key.
#[test]
fn on_purpose() {
    let whole = envelope();
    let (mut opened, mut warned) = (0, 0);
    for bit in 0..(whole.len() - 8) * 8 {
        let mut forged = whole.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        write_check(&mut forged);
        for result in open_with_each(&forged) {
            match result {
                Ok(unlocked) => {
                    assert_eq!(unlocked.key().expose(), &KEY, "bit {bit}");
                    // All is covered: there is no bit that can change without a warning.
                    assert!(!unlocked.is_intact(), "bit {bit}");
                    assert!(unlocked.slots().is_err(), "bit {bit}");
                    warned += 1;
                }
                Err(
                    Error::NotAnEnvelope
                    | Error::UnsupportedVersion { .. }
                    | Error::Malformed { .. }
                    | Error::AnotherContainer
                    | Error::WrongSecret
                    | Error::NoSuchSlot
                    | Error::TooCostly,
                ) => opened += 1,
                Err(e) => panic!("bit {bit}: {e:?}"),
            }
        }
    }
    assert!(opened > 1000 && warned > 1000, "{opened} {warned}");
}

/// What a bit of each part of a slot does (E-4.2, E-4.4).
#[test]
fn parts_of_a_slot() {
    let result = |at: usize| {
        let mut forged = envelope();
        forged[at] ^= 1;
        write_check(&mut forged);
        open(&forged, &Secret::Key(&key(RECOVERY))).map(drop)
    };
    // Slot 1: frame at 64, salt at 72, commitment at 104, wrapped key at 136, tag at 168.
    assert!(matches!(result(64 + 3), Err(Error::WrongSecret | Error::Malformed { .. })), "its id");
    assert!(matches!(result(72), Err(Error::WrongSecret)), "its salt");
    assert!(matches!(result(104), Err(Error::WrongSecret)), "its commitment");
    assert!(matches!(result(136), Err(Error::AnotherContainer)), "its wrapped key");
    assert!(matches!(result(183), Err(Error::AnotherContainer)), "its tag");
}

/// Every cut, and bytes behind the end.
#[test]
fn cut_and_extended() {
    let whole = envelope();
    for len in 0..whole.len() {
        assert!(Envelope::parse(&whole[..len]).is_err(), "{len} bytes");
    }
    for extra in 1..64 {
        assert!(matches!(
            Envelope::parse(&[&whole[..], &vec![0; extra]].concat()),
            Err(Error::Damaged)
        ));
    }
}
