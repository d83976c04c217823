//! Flips every bit of an envelope, first as damage would and then as an attacker would.

use bulla::Preamble;
use bulla_key::{Envelope, EnvelopeState, Error, Secret};
use bulla_testkit::envelope::write_check;

use crate::fixtures::*;

/// E-2.4, E-2.6: if any bit of one copy is damaged, the other copy is used.
#[test]
fn any_damaged_bit_selects_the_other_copy() {
    let whole = envelope();
    let container = container(&whole);
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Envelope::parse(&damaged).is_err(), "bit {bit}");

        for (at, expected) in [
            (128, EnvelopeState::FirstDamaged),
            (container.len() - 128 - LEN, EnvelopeState::SecondDamaged),
        ] {
            let mut container = container.clone();
            container[at..at + LEN].copy_from_slice(&damaged);
            let preamble = Preamble::read_at(&container).unwrap();
            let (envelope, state) = Envelope::from_preamble(&preamble).unwrap();
            assert_eq!((state, envelope.bytes()), (expected, &whole[..]), "bit {bit}");
        }
    }
}

/// E-4.2, E-4.4, E-5.2: an attacker flips one bit in both copies and corrects the check. The result
/// is either an error, or the container's key with the envelope reported as altered. It is never a
/// panic or another key.
#[test]
fn any_forged_bit_is_reported_or_rejected() {
    let whole = envelope();
    let (mut rejected, mut reported) = (0, 0);
    for bit in 0..(whole.len() - 8) * 8 {
        let mut forged = whole.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        write_check(&mut forged);
        for result in open_with_each_secret(&forged) {
            match result {
                Ok(unlocked) => {
                    assert_eq!(unlocked.key().expose(), &CONTAINER_KEY, "bit {bit}");
                    // The MAC covers every bit.
                    assert!(!unlocked.is_intact(), "bit {bit}");
                    assert!(unlocked.slots().is_err(), "bit {bit}");
                    reported += 1;
                }
                Err(
                    Error::NotAnEnvelope
                    | Error::UnsupportedVersion { .. }
                    | Error::Malformed { .. }
                    | Error::AnotherContainer
                    | Error::WrongSecret
                    | Error::NoSuchSlot
                    | Error::TooCostly,
                ) => rejected += 1,
                Err(e) => panic!("bit {bit}: {e:?}"),
            }
        }
    }
    assert!(rejected > 1000 && reported > 1000, "{rejected} {reported}");
}

/// E-4.2, E-4.4: a flipped bit in each part of a slot.
#[test]
fn each_part_of_a_slot_has_a_specific_error() {
    let result = |at: usize| {
        let mut forged = envelope();
        forged[at] ^= 1;
        write_check(&mut forged);
        open(&forged, &Secret::Key(&key(RECOVERY_KEY))).map(drop)
    };
    // In slot 1, the frame is at byte 64, the salt at 72, the commitment at 104, the wrapped key at
    // 136 and the tag at 168.
    assert!(matches!(result(64 + 3), Err(Error::WrongSecret | Error::Malformed { .. })), "id");
    assert!(matches!(result(72), Err(Error::WrongSecret)), "salt");
    assert!(matches!(result(104), Err(Error::WrongSecret)), "commitment");
    assert!(matches!(result(136), Err(Error::AnotherContainer)), "wrapped key");
    assert!(matches!(result(183), Err(Error::AnotherContainer)), "tag");
}

#[test]
fn rejects_every_truncation_and_extension() {
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
