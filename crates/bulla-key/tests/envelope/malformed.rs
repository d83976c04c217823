//! Envelopes that violate the format although their check matches.

use bulla_key::{Envelope, Error, Result, Secret};
use bulla_testkit::envelope::{complete, cost, kind, slot, slot_head, write_check};

use crate::fixtures::*;

/// Changes an envelope, recomputes its MAC and check, and parses it.
fn forged(change: impl FnOnce(&mut Vec<u8>)) -> Result<Envelope> {
    let mut envelope = envelope();
    change(&mut envelope);
    complete(&mut envelope, &exporter(LEN));
    Envelope::parse(&envelope)
}

/// Checks that the changed envelope is malformed at this offset.
fn assert_malformed(change: impl FnOnce(&mut Vec<u8>), at: usize) {
    match forged(change) {
        Err(Error::Malformed { offset }) => assert_eq!(offset, at),
        other => panic!("expected a malformed field at byte {at}, got {other:?}"),
    }
}

/// Offset of the second slot, the passphrase slot.
const SECOND: usize = 64 + 120;

/// E-2.4
#[test]
fn rejects_invalid_copies() {
    assert!(matches!(Envelope::parse(&[]), Err(Error::NoEnvelope)));
    assert!(matches!(Envelope::parse(&[0; 16384]), Err(Error::NoEnvelope)));
    assert!(matches!(Envelope::parse(b"\x93BULLA\r\n"), Err(Error::NotAnEnvelope)));
    assert!(matches!(Envelope::parse(&envelope()[..7]), Err(Error::NotAnEnvelope)));
    assert!(matches!(Envelope::parse(&envelope()[..8]), Err(Error::Damaged)));
    assert!(matches!(Envelope::parse(&envelope()[..103]), Err(Error::Damaged)));
    for len in [17, 64, 103] {
        let mut short = envelope()[..len].to_vec();
        write_check(&mut short);
        assert!(matches!(Envelope::parse(&short), Err(Error::Damaged)), "{len}");
    }
    for version in [0, 2, 255] {
        let parsed = forged(|envelope| envelope[8] = version);
        assert!(
            matches!(parsed, Err(Error::UnsupportedVersion { version: found }) if found == version)
        );
    }
    let mut long = envelope();
    long.resize((1 << 20) + 1, 0);
    long[12..16].copy_from_slice(&((1u32 << 20) + 1).to_be_bytes());
    write_check(&mut long);
    assert!(matches!(Envelope::parse(&long), Err(Error::Damaged)));
}

/// E-2.5
#[test]
fn rejects_wrong_lengths() {
    for len in [0, 1, LEN as u32 - 1, LEN as u32 + 1, u32::MAX] {
        assert_malformed(|envelope| envelope[12..16].copy_from_slice(&len.to_be_bytes()), 12);
    }
    // Lengths of the second slot: too short for a frame or for its kind, overlapping the next slot,
    // and extending beyond the end.
    for (len, at) in [
        (0, SECOND),
        (7, SECOND),
        (8, SECOND + 4),
        (119, SECOND + 4),
        (135, SECOND + 4),
        (137, SECOND + 4),
        (LEN as u32, SECOND + 4),
        (u32::MAX, SECOND + 4),
    ] {
        assert_malformed(
            |envelope| envelope[SECOND + 4..SECOND + 8].copy_from_slice(&len.to_be_bytes()),
            at,
        );
    }
}

/// E-2.3, E-2.5
#[test]
fn rejects_wrong_slot_counts() {
    // The third slot is followed by padding, which is parsed as an all-zero frame.
    let padding_at = SECOND + 136 + 201;
    assert_malformed(|envelope| envelope[10..12].copy_from_slice(&4u16.to_be_bytes()), padding_at);
    for count in [33, 0x100, u16::MAX] {
        assert_malformed(|envelope| envelope[10..12].copy_from_slice(&count.to_be_bytes()), 10);
    }
    // With a lower count, the remaining slots are read as padding.
    let fewer = forged(|envelope| envelope[11] = 1).unwrap();
    assert_eq!(fewer.list().len(), 1);
    let none = forged(|envelope| envelope[11] = 0).unwrap();
    assert!(none.list().is_empty());
}

/// E-2.5
#[test]
fn accepts_slots_up_to_the_mac() {
    let small = |len: u32| {
        [
            &9u16.to_be_bytes()[..],
            &1u16.to_be_bytes(),
            &len.to_be_bytes(),
            &vec![0; len as usize - 8],
        ]
        .concat()
    };
    let room = LEN - 64 - 40;
    let full = envelope_of(&[small(room as u32)]);
    assert_eq!(Envelope::parse(&full).unwrap().list().len(), 1);
    let mut one_more = full;
    one_more[11] = 2;
    complete(&mut one_more, &exporter(LEN));
    assert!(
        matches!(Envelope::parse(&one_more), Err(Error::Malformed { offset }) if offset == LEN - 40)
    );
}

/// E-2.3
#[test]
fn rejects_zero_and_duplicate_ids() {
    assert_malformed(
        |envelope| envelope[SECOND + 2..SECOND + 4].copy_from_slice(&[0, 0]),
        SECOND + 2,
    );
    assert_malformed(
        |envelope| envelope[SECOND + 2..SECOND + 4].copy_from_slice(&[0, 1]),
        SECOND + 2,
    );
}

/// E-2.5, E-3.4
#[test]
fn rejects_incomplete_hints() {
    let third = SECOND + 136;
    let hint = third + 40 + 64;
    assert_malformed(|envelope| envelope[hint + 3] += 1, third + 40);
    assert_malformed(|envelope| envelope[hint + 2] = 0xFF, third + 40);
}

/// E-2.5
#[test]
fn rejects_known_kinds_with_the_wrong_length() {
    for (kind, malformed) in [
        (kind::PASSPHRASE, true),
        (kind::LOCATOR, true),
        (kind::RECIPIENT, false),
        (0, false),
        (999, false),
    ] {
        let change = |envelope: &mut Vec<u8>| envelope[64..66].copy_from_slice(&kind.to_be_bytes());
        match forged(change) {
            Ok(envelope) => assert!(!malformed && envelope.list().len() == 3),
            Err(Error::Malformed { offset }) => {
                assert!(malformed && [64 + 4, 64 + 40].contains(&offset))
            }
            Err(e) => panic!("{e:?}"),
        }
    }
}

/// E-3.3: costs that are out of range are rejected before anything is hashed. Otherwise the first
/// case would not terminate. Other slots still open.
#[test]
fn skips_slots_with_costs_out_of_range() {
    for (passes, memory, lanes) in [
        (u32::MAX, u32::MAX, u32::MAX),
        (1, u32::MAX, 1),
        (u32::MAX, 8, 1),
        (1, (1 << 18) + 1, 1),
        (1, 1 << 18, 17),
        (1, 1 << 18, 0x0100_0000),
        (5, 1 << 18, 1),
        (0, 8, 1),
        (1, 7, 1),
        (1, 8, 2),
        (1, 8, 0),
    ] {
        let change = |envelope: &mut Vec<u8>| {
            envelope[SECOND + 40..SECOND + 56].copy_from_slice(&cost(passes, memory, lanes))
        };
        let costly = forged(change).unwrap();
        assert!(matches!(
            open(costly.bytes(), &Secret::Passphrase(&passphrase(PASSPHRASE))),
            Err(Error::TooCostly)
        ));
        let unlocked = open(costly.bytes(), &Secret::Key(&key(RECOVERY_KEY)));
        assert!(unlocked.unwrap().is_intact());
    }
}

/// E-3.3, E-3.5
#[test]
fn skips_slots_with_another_algorithm_or_encoding() {
    for at in 0..4 {
        let other = forged(|envelope| envelope[SECOND + 40 + at] = 2).unwrap();
        let opened = open(other.bytes(), &Secret::Passphrase(&passphrase(PASSPHRASE)));
        assert!(matches!(opened, Err(Error::NoSuchSlot)), "byte {at}");
    }
}

/// E-2.3
#[test]
fn rejects_more_than_eight_passphrase_slots() {
    let slots = |count: u16| -> Vec<Vec<u8>> {
        let head = |id| slot_head(kind::PASSPHRASE, id, &[2; 32], &cost(1, 8, 1));
        (1..=count).map(|id| slot(&head(id), &[0; 32], &bound(LEN), &CONTAINER_KEY)).collect()
    };
    let parse = |count| {
        let envelope =
            bulla_testkit::envelope::envelope(&slots(count), 2000, 1, &SALT, &exporter(LEN));
        Envelope::parse(&envelope)
    };
    assert_eq!(parse(8).unwrap().list().len(), 8);
    assert!(matches!(parse(9), Err(Error::Malformed { offset }) if offset == 64 + 8 * 136));
}

/// The longest envelope, filled with one slot of an unknown kind or with the longest locators.
#[test]
fn work_for_the_longest_envelope_is_bounded() {
    let len = 1 << 20;
    let room = len - 64 - 40;
    let unknown = [
        &9u16.to_be_bytes()[..],
        &1u16.to_be_bytes(),
        &(room as u32).to_be_bytes(),
        &vec![7; room - 8],
    ]
    .concat();
    let envelope = bulla_testkit::envelope::envelope(&[unknown], len, 1, &SALT, &exporter(LEN));
    assert!(!Envelope::parse(&envelope).unwrap().matches(&key(RECOVERY_KEY)));

    let params = [&[0; 64][..], &[0, 1], &1020u16.to_be_bytes(), &[b'a'; 1020]].concat();
    let slots: Vec<_> = (1..=32)
        .map(|id| [slot_head(kind::LOCATOR, id, &[0; 32], &params), vec![0; 80]].concat())
        .collect();
    let envelope = bulla_testkit::envelope::envelope(&slots, len, 1, &SALT, &exporter(LEN));
    let envelope = Envelope::parse(&envelope).unwrap();
    // With 32 slots of 1.2 KB each, this hashes about 50 MB with SHA-512.
    assert!(keys_tried(&"7".repeat(64), |key| envelope.matches(key)) <= 1144);
}

/// Random bytes after the magic and the version, with a matching check.
#[test]
fn random_bytes_neither_panic_nor_open() {
    use proptest::collection::vec;
    use proptest::prelude::*;
    let (noise, kinds) = (vec(any::<u8>(), 96..400), vec(0..6u16, 8));
    proptest!(|(noise in noise, count in 0..40u16, kinds in kinds)| {
        let magic = &bulla_testkit::envelope::MAGIC[..];
        let mut bytes = [magic, &[1, 0], &count.to_be_bytes(), &noise].concat();
        let len = bytes.len() as u32;
        bytes[12..16].copy_from_slice(&len.to_be_bytes());
        // Almost valid frames reach more code than noise.
        let mut at = 64;
        for (id, kind) in (1u16..).zip(kinds) {
            let slot_len = [60, 120, 136, 200, 8, 130][usize::from(kind)];
            if at + slot_len + 40 <= bytes.len() {
                bytes[at..at + 2].copy_from_slice(&kind.to_be_bytes());
                bytes[at + 2..at + 4].copy_from_slice(&id.to_be_bytes());
                bytes[at + 4..at + 8].copy_from_slice(&(slot_len as u32).to_be_bytes());
                at += slot_len;
            }
        }
        bytes[32..64].copy_from_slice(&SALT);
        write_check(&mut bytes);
        if let Ok(envelope) = Envelope::parse(&bytes) {
            let opened = envelope.open(&Secret::Key(&key(RECOVERY_KEY)), &header(LEN), None);
            prop_assert!(opened.is_err());
        }
    });
}
