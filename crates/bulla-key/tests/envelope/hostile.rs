//! Envelopes that break the rules, behind a check that holds.

use bulla_key::{Envelope, Error, Result, Secret};
use bulla_testkit::envelope::{complete, cost, kind, slot, slot_head, write_check};

use crate::sample::*;

/// Changes an envelope, and makes mac and check hold.
fn forged(change: impl FnOnce(&mut Vec<u8>)) -> Result<Envelope> {
    let mut envelope = envelope();
    change(&mut envelope);
    complete(&mut envelope, &exporter(LEN));
    Envelope::parse(&envelope)
}

fn malformed(change: impl FnOnce(&mut Vec<u8>), at: usize) {
    match forged(change) {
        Err(Error::Malformed { offset }) => assert_eq!(offset, at),
        other => panic!("{other:?}, where byte {at} is at fault"),
    }
}

/// The second slot, the one for a passphrase.
const SECOND: usize = 64 + 120;

/// E-2.4
#[test]
fn refused_by_name() {
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
        let found = forged(|envelope| envelope[8] = version);
        assert!(
            matches!(found, Err(Error::UnsupportedVersion { version: told }) if told == version)
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
fn lengths_that_lie() {
    for len in [0, 1, LEN as u32 - 1, LEN as u32 + 1, u32::MAX] {
        malformed(|envelope| envelope[12..16].copy_from_slice(&len.to_be_bytes()), 12);
    }
    // Of the second slot: too short for a frame, for its kind, reaching into what follows, behind
    // the end.
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
        malformed(
            |envelope| envelope[SECOND + 4..SECOND + 8].copy_from_slice(&len.to_be_bytes()),
            at,
        );
    }
}

/// E-2.3, E-2.5
#[test]
fn slot_counts_that_lie() {
    // Behind the third slot there is padding: a frame of zeros.
    let behind = SECOND + 136 + 201;
    malformed(|envelope| envelope[10..12].copy_from_slice(&4u16.to_be_bytes()), behind);
    for count in [33, 0x100, u16::MAX] {
        malformed(|envelope| envelope[10..12].copy_from_slice(&count.to_be_bytes()), 10);
    }
    // With fewer, what follows is padding, and none the wiser.
    let fewer = forged(|envelope| envelope[11] = 1).unwrap();
    assert_eq!(fewer.list().len(), 1);
    let none = forged(|envelope| envelope[11] = 0).unwrap();
    assert!(none.list().is_empty());
}

/// E-2.5: slots that fill all the room, and one more.
#[test]
fn slots_up_to_the_mac() {
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
fn ids() {
    malformed(|envelope| envelope[SECOND + 2..SECOND + 4].copy_from_slice(&[0, 0]), SECOND + 2);
    malformed(|envelope| envelope[SECOND + 2..SECOND + 4].copy_from_slice(&[0, 1]), SECOND + 2);
}

/// E-2.5, E-3.4: a locator whose hints do not fit.
#[test]
fn locator() {
    let third = SECOND + 136;
    let hint = third + 40 + 64;
    malformed(|envelope| envelope[hint + 3] += 1, third + 40);
    malformed(|envelope| envelope[hint + 2] = 0xFF, third + 40);
}

/// E-2.5: every kind that is known has the length of its kind.
#[test]
fn kinds_and_lengths() {
    for (kind, fault) in [
        (kind::PASSPHRASE, true),
        (kind::LOCATOR, true),
        (kind::RECIPIENT, false),
        (0, false),
        (999, false),
    ] {
        let change = |envelope: &mut Vec<u8>| envelope[64..66].copy_from_slice(&kind.to_be_bytes());
        match forged(change) {
            Ok(envelope) => assert!(!fault && envelope.list().len() == 3),
            Err(Error::Malformed { offset }) => {
                assert!(fault && [64 + 4, 64 + 40].contains(&offset))
            }
            Err(e) => panic!("{e:?}"),
        }
    }
}

/// E-3.3: parameters out of range are refused before anything is hashed, of which the first would
/// never end, and keep no other slot from opening.
#[test]
fn costly_parameters() {
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
            open(costly.bytes(), &Secret::Passphrase(&phrase(PHRASE))),
            Err(Error::TooCostly)
        ));
        assert!(
            matches!(open(costly.bytes(), &Secret::Key(&key(RECOVERY))), Ok(unlocked) if unlocked.is_intact())
        );
    }
}

/// E-3.3, E-3.5: another algorithm or another way to write passphrases is another kind.
#[test]
fn other_algorithms() {
    for at in 0..4 {
        let other = forged(|envelope| envelope[SECOND + 40 + at] = 2).unwrap();
        let opened = open(other.bytes(), &Secret::Passphrase(&phrase(PHRASE)));
        assert!(matches!(opened, Err(Error::NoSuchSlot)), "byte {at}");
    }
}

/// E-2.3: each slot for a passphrase costs a hashing to try, so there are few.
#[test]
fn many_passphrases() {
    let slots = |count: u16| -> Vec<Vec<u8>> {
        let head = |id| slot_head(kind::PASSPHRASE, id, &[2; 32], &cost(1, 8, 1));
        (1..=count).map(|id| slot(&head(id), &[0; 32], &bound(LEN), &KEY)).collect()
    };
    let parse = |count| {
        let envelope =
            bulla_testkit::envelope::envelope(&slots(count), 2000, 1, &SALT, &exporter(LEN));
        Envelope::parse(&envelope)
    };
    assert_eq!(parse(8).unwrap().list().len(), 8);
    assert!(matches!(parse(9), Err(Error::Malformed { offset }) if offset == 64 + 8 * 136));
}

/// The longest envelope, all of it one slot that nobody knows, and all of it the longest locators.
#[test]
fn as_long_as_can_be() {
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
    assert!(!Envelope::parse(&envelope).unwrap().matches(&key(RECOVERY)));

    let params = [&[0; 64][..], &[0, 1], &1020u16.to_be_bytes(), &[b'a'; 1020]].concat();
    let slots: Vec<_> = (1..=32)
        .map(|id| [slot_head(kind::LOCATOR, id, &[0; 32], &params), vec![0; 80]].concat())
        .collect();
    let envelope = bulla_testkit::envelope::envelope(&slots, len, 1, &SALT, &exporter(LEN));
    let envelope = Envelope::parse(&envelope).unwrap();
    // With 32 slots of 1.2 KB each, that is about 50 MB through SHA-512.
    assert!(keys_tried(&"7".repeat(64), |key| envelope.matches(key)) <= 1144);
}

/// Any bytes behind magic and version, with a check that holds: no panic, and nothing opens.
#[test]
fn any_bytes() {
    use proptest::prelude::*;
    proptest!(|(noise in proptest::collection::vec(any::<u8>(), 96..400), count in 0..40u16, kinds in proptest::collection::vec(0..6u16, 8))| {
        let mut bytes = [&bulla_testkit::envelope::MAGIC[..], &[1, 0], &count.to_be_bytes(), &noise].concat();
        let len = bytes.len() as u32;
        bytes[12..16].copy_from_slice(&len.to_be_bytes());
        // Frames that are nearly right get further than noise.
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
            let opened = envelope.open(&Secret::Key(&key(RECOVERY)), &header(LEN), None);
            prop_assert!(opened.is_err());
        }
    });
}
