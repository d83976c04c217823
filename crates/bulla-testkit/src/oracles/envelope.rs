//! Key envelopes.

use bulla::{Header, Key, Preamble};
use bulla_key::{Envelope, EnvelopeState, Error, Passphrase, Secret, SlotKind, Unlocked};

use super::script::Script;
use crate::envelope::read::{self, OpenedEnvelope};
use crate::envelope::{self, SEALED_LEN, TAIL_LEN, kind};
use crate::reference::{self, SealParams};
use crate::vectors;

/// Bytes reserved for the envelope in the known container, as in the vectors.
const ROOM: usize = 640;
/// The known passphrase.
const PHRASE: &str = "correct horse battery staple";
/// Maximum work for trying a passphrase: passes times KiB, summed over all passphrase slots. More
/// work would make fuzzing too slow.
const MAX_WORK: u64 = 256;

/// **Input: an options byte, a two-byte length, and one or two envelope copies** for the container
/// that most envelope vectors use. Option bit 0 recomputes each copy's check, which requires no
/// key. Bit 1 recomputes the MAC and the check, which requires the container's key. If bit 2 is
/// set, the input contains two copies, and the length is that of the first.
///
/// - The library selects the same authoritative copy as the reference and finds the same copy state
///   and slots, or the same error (E-2.1 to E-2.6, E-3.3 to E-3.5).
/// - With each of two recovery keys, the container's key and a passphrase, it opens the same slot
///   as the reference, always obtains the container's key, and agrees on whether the MAC is valid
///   (E-4.1 to E-4.5, E-5.1, E-5.2). The passphrase is not tried if that would take too long.
/// - If an opened envelope's MAC is valid, rewriting the envelope keeps every slot and increments
///   the revision, and the same slot opens the result. Slots from an envelope with an invalid MAC
///   are not reused (E-3.1, E-5.2, E-5.3).
/// - It never panics, and allocates little more than the size of the copies plus the memory cost of
///   a passphrase slot.
pub fn envelope(bytes: &[u8]) {
    let known = Known::new();
    let mut script = Script::new(bytes);
    let (options, len) = (script.byte(), script.number(2) as usize);
    let rest = script.rest();
    let (first, second) = match options & 4 {
        0 => (rest, None),
        _ => (&rest[..len.min(rest.len())], Some(&rest[len.min(rest.len())..])),
    };
    let first = known.with_valid_check(first, options);
    let second = second.map(|copy| known.with_valid_check(copy, options));
    known.compare(&first, second.as_deref());
}

/// The container of most envelope vectors.
struct Known {
    key: [u8; 32],
    header: [u8; 128],
    exporter: [u8; 32],
}

impl Known {
    fn new() -> Known {
        let key = secret("container key");
        let container = reference::seal(&SealParams {
            key,
            salt: secret("salt of envelope"),
            chunk_log2: 12,
            content: 0,
            context: None,
            envelope: &[0; ROOM],
            plaintext: b"",
        });
        let header = *container.first_chunk().expect("a container has a header");
        let exporter = reference::schedule(&key, &reference::bound(&header), None).exporter;
        Known { key, header, exporter }
    }

    /// Returns the header as the library parses it.
    fn library_header(&self) -> Header {
        let mut stream = self.header.to_vec();
        stream.resize(128 + ROOM, 0);
        Preamble::read(&mut &stream[..]).expect("a header and an envelope").header().clone()
    }

    /// Recomputes the check and the MAC as the options request.
    fn with_valid_check(&self, copy: &[u8], options: u8) -> Vec<u8> {
        let mut copy = copy.to_vec();
        match options & 3 {
            _ if copy.len() < TAIL_LEN => {}
            0 => {}
            1 => envelope::write_check(&mut copy),
            _ => envelope::complete(&mut copy, &self.exporter),
        }
        copy
    }

    /// Compares the library with the reference.
    fn compare(&self, first: &[u8], second: Option<&[u8]>) {
        let found = match second {
            None => Envelope::parse(first).map(|envelope| (envelope, EnvelopeState::Single)),
            Some(_) => Envelope::from_copies(first, second),
        };
        let expected = read::authoritative_copy(first, second).and_then(|(bytes, copies)| {
            read::slots(bytes).map(|slots| (bytes, copies, slots)).ok_or("malformed")
        });
        let (envelope, slots) = match (found, expected) {
            (Ok((envelope, copies)), Ok((bytes, expected, slots))) => {
                assert!(envelope.bytes() == bytes, "different authoritative copies");
                assert_eq!(state_name(copies), expected);
                (envelope, slots)
            }
            (Err(error), Err(expected)) => return assert_eq!(name(&error), expected),
            (found, expected) => panic!("library {found:?}, reference {expected:?}"),
        };
        assert_same_slots(&envelope, &slots);
        let header = self.library_header();
        assert_eq!(envelope.belongs_to(&header), envelope.bytes()[32..64] == self.header[32..64]);
        for label in ["recovery key", "key in vault", "container key"] {
            let bytes = secret(label);
            let key = Key::from_bytes(&bytes);
            let expected =
                read::open(envelope.bytes(), &self.header, None, read::Secret::Key(&bytes));
            self.compare_opening(&envelope, &slots, &header, &Secret::Key(&key), expected);
        }
        if is_cheap(&slots) {
            let passphrase = Passphrase::new(PHRASE).expect("a passphrase");
            let expected =
                read::open(envelope.bytes(), &self.header, None, read::Secret::Passphrase(PHRASE));
            self.compare_opening(
                &envelope,
                &slots,
                &header,
                &Secret::Passphrase(&passphrase),
                expected,
            );
        }
    }

    /// Compares the results of opening the envelope with a secret.
    fn compare_opening(
        &self,
        envelope: &Envelope,
        slots: &[&[u8]],
        header: &Header,
        secret: &Secret<'_>,
        expected: Result<OpenedEnvelope, &'static str>,
    ) {
        let (unlocked, expected) = match (envelope.open(secret, header, None), expected) {
            (Ok(unlocked), Ok(expected)) => (unlocked, expected),
            (Err(error), Err(expected)) => return assert_eq!(name(&error), expected),
            (found, expected) => panic!("library {found:?}, reference {expected:?}"),
        };
        assert_eq!(*unlocked.key().expose(), self.key, "the envelope yielded a different key");
        assert_eq!(expected.key, self.key);
        assert_eq!(
            (unlocked.opened_by().0, unlocked.is_intact()),
            (expected.slot, expected.intact)
        );
        match unlocked.slots() {
            Ok(kept) => {
                assert!(expected.intact, "slots reused from an envelope with an invalid MAC");
                let next = unlocked.seal(&kept).expect("the same slots fit");
                assert_next_revision(&next, &unlocked, envelope, slots, header, secret);
            }
            Err(error) => assert!(!expected.intact && matches!(error, Error::Altered), "{error:?}"),
        }
    }
}

/// Compares the slots that the library and the reference find.
fn assert_same_slots(envelope: &Envelope, slots: &[&[u8]]) {
    let list = envelope.list();
    assert_eq!(list.len(), slots.len());
    for (info, slot) in list.iter().zip(slots) {
        assert_eq!(info.id.0, read::id(slot));
        match (&info.kind, read::effective_kind(slot)) {
            (SlotKind::RecoveryKey, Some(kind::RECOVERY_KEY)) | (SlotKind::Unknown(_), None) => {}
            (SlotKind::Passphrase(cost), Some(kind::PASSPHRASE)) => {
                let found = [cost.passes(), cost.memory_kib(), cost.lanes()];
                assert_eq!(Some(found), read::cost_of(slot));
            }
            (SlotKind::TooCostly, Some(kind::PASSPHRASE)) => assert_eq!(read::cost_of(slot), None),
            (SlotKind::Locator(locator), Some(kind::LOCATOR)) => {
                assert_eq!(locator.to_bytes(), slot[40..slot.len() - SEALED_LEN]);
            }
            (found, expected) => panic!("library {found:?}, reference kind {expected:?}"),
        }
    }
}

/// Checks that a rewritten envelope differs only in its revision, MAC, check and padding.
fn assert_next_revision(
    next: &[u8],
    unlocked: &Unlocked,
    envelope: &Envelope,
    slots: &[&[u8]],
    header: &Header,
    secret: &Secret<'_>,
) {
    assert_eq!(next.len(), envelope.bytes().len());
    assert_eq!(read::slots(next).expect("a rewritten envelope is well-formed"), slots);
    let again = Envelope::parse(next).expect("a rewritten envelope is valid");
    assert_eq!(again.revision(), envelope.revision().saturating_add(1));
    let opened = again.open(secret, header, None).expect("the same secret opens it");
    assert!(opened.is_intact());
    assert_eq!(opened.opened_by(), unlocked.opened_by());
    let padding = envelope::HEAD_LEN + slots.concat().len()..next.len() - TAIL_LEN;
    assert!(next[padding].iter().all(|byte| *byte == 0), "padding is not zero");
}

/// Returns whether trying a passphrase in all slots is fast enough for fuzzing.
fn is_cheap(slots: &[&[u8]]) -> bool {
    let passphrase_slots =
        slots.iter().filter(|slot| read::effective_kind(slot) == Some(kind::PASSPHRASE));
    let work = |[passes, memory, _]: [u32; 3]| u64::from(passes) * u64::from(memory);
    passphrase_slots.filter_map(|slot| read::cost_of(slot)).map(work).sum::<u64>() <= MAX_WORK
}

/// Derives a secret from a label.
fn secret(label: &str) -> [u8; 32] {
    vectors::bytes(label, 32).try_into().expect("32 bytes")
}

/// Returns the name that the vectors use for an error.
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
        other => panic!("not an envelope error: {other:?}"),
    }
}

/// Returns the name that the vectors use for a copy state.
fn state_name(copies: EnvelopeState) -> &'static str {
    match copies {
        EnvelopeState::Intact => "intact",
        EnvelopeState::FirstDamaged => "first_damaged",
        EnvelopeState::SecondDamaged => "second_damaged",
        EnvelopeState::Differ => "differ",
        EnvelopeState::Single => "single",
        other => panic!("E-2.6 does not define {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::envelope::{Outcome, all};

    #[test]
    fn container_matches_the_vectors() {
        let vector = all().into_iter().find(|vector| vector.name == "by_recovery_key").unwrap();
        let known = Known::new();
        assert_eq!(vector.header[..], known.header);
        let Outcome::Ok(success) = vector.outcome else { panic!("the vector opens") };
        assert_eq!(success.container_key[..], known.key);
    }
}
