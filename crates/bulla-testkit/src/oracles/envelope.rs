//! Key envelopes.

use bulla::{Header, Key, Preamble};
use bulla_key::{Envelope, EnvelopeState, Error, Passphrase, Secret, SlotKind, Unlocked};

use super::script::Script;
use crate::envelope::read::{self, Opened};
use crate::envelope::{self, SEALED_LEN, TAIL_LEN, kind};
use crate::reference::{self, SealParams};
use crate::vectors;

/// Room for an envelope in the container that the oracle knows, as in the vectors'.
const ROOM: usize = 640;
/// The passphrase that it knows.
const PHRASE: &str = "correct horse battery staple";
/// Passes times KiB of memory, of all slots for passphrases together, up to which one is tried: a
/// fuzzer has no time for more.
const MAX_WORK: u64 = 256;

/// **The bytes are a choice, a length of two bytes, and one or two copies of an envelope** of the
/// container that most of the envelope vectors are of. The choice: bit 0 makes the check of each
/// copy hold, as everybody can; bit 1 makes mac and check hold, as somebody with the container's
/// key can; with bit 2 there are two copies, the first as long as the length says.
///
/// - The library takes the copy that the reference takes to count, sees the same state of the two
///   and the same slots in it, or refuses with the same error (E-2.1 to E-2.6, E-3.3 to E-3.5).
/// - Under two recovery keys, the container's own key and a passphrase, it opens what the reference
///   opens, by the same slot, to the container's key and to no other; and it says the same of the
///   mac (E-4.1 to E-4.5, E-5.1, E-5.2). Passphrases are not tried where that would take long.
/// - What was opened and has its mac is written anew with every slot as it was, byte for byte, and
///   with the next revision; and opens by the same slot again. Nothing is taken over from one whose
///   mac fails (E-3.1, E-5.2, E-5.3).
/// - It never panics, and allocates little more than the copies and what a passphrase's slot asks
///   for.
pub fn envelope(bytes: &[u8]) {
    let known = Known::new();
    let mut script = Script::new(bytes);
    let (choice, len) = (script.byte(), script.number(2) as usize);
    let rest = script.rest();
    let (first, second) = match choice & 4 {
        0 => (rest, None),
        _ => (&rest[..len.min(rest.len())], Some(&rest[len.min(rest.len())..])),
    };
    let first = known.made_to_hold(first, choice);
    let second = second.map(|copy| known.made_to_hold(copy, choice));
    known.look(&first, second.as_deref());
}

/// The container of the vectors.
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

    fn library_header(&self) -> Header {
        let mut stream = self.header.to_vec();
        stream.resize(128 + ROOM, 0);
        Preamble::read(&mut &stream[..])
            .expect("a header and room for an envelope")
            .header()
            .clone()
    }

    fn made_to_hold(&self, copy: &[u8], choice: u8) -> Vec<u8> {
        let mut copy = copy.to_vec();
        match choice & 3 {
            _ if copy.len() < TAIL_LEN => {}
            0 => {}
            1 => envelope::write_check(&mut copy),
            _ => envelope::complete(&mut copy, &self.exporter),
        }
        copy
    }

    fn look(&self, first: &[u8], second: Option<&[u8]>) {
        let found = match second {
            None => Envelope::parse(first).map(|envelope| (envelope, EnvelopeState::Single)),
            Some(_) => Envelope::from_copies(first, second),
        };
        let expected = read::counts(first, second).and_then(|(bytes, copies)| {
            read::slots(bytes).map(|slots| (bytes, copies, slots)).ok_or("malformed")
        });
        let (envelope, slots) = match (found, expected) {
            (Ok((envelope, copies)), Ok((bytes, expected, slots))) => {
                assert!(envelope.bytes() == bytes, "another copy counts");
                assert_eq!(name_of(copies), expected);
                (envelope, slots)
            }
            (Err(error), Err(expected)) => return assert_eq!(name(&error), expected),
            (found, expected) => panic!("{found:?} by library, {expected:?} by reference"),
        };
        same_slots(&envelope, &slots);
        let header = self.library_header();
        assert_eq!(envelope.belongs_to(&header), envelope.bytes()[32..64] == self.header[32..64]);
        for label in ["recovery key", "key in vault", "container key"] {
            let bytes = secret(label);
            let key = Key::from_bytes(&bytes);
            let expected =
                read::open(envelope.bytes(), &self.header, None, read::Secret::Key(&bytes));
            self.same_opening(&envelope, &slots, &header, &Secret::Key(&key), expected);
        }
        if is_cheap(&slots) {
            let passphrase = Passphrase::new(PHRASE).expect("a passphrase");
            let expected =
                read::open(envelope.bytes(), &self.header, None, read::Secret::Passphrase(PHRASE));
            self.same_opening(
                &envelope,
                &slots,
                &header,
                &Secret::Passphrase(&passphrase),
                expected,
            );
        }
    }

    fn same_opening(
        &self,
        envelope: &Envelope,
        slots: &[&[u8]],
        header: &Header,
        secret: &Secret<'_>,
        expected: Result<Opened, &'static str>,
    ) {
        let (unlocked, expected) = match (envelope.open(secret, header, None), expected) {
            (Ok(unlocked), Ok(expected)) => (unlocked, expected),
            (Err(error), Err(expected)) => return assert_eq!(name(&error), expected),
            (found, expected) => panic!("{found:?} by library, {expected:?} by reference"),
        };
        assert_eq!(
            *unlocked.key().expose(),
            self.key,
            "an envelope gives no other key than the container's"
        );
        assert_eq!(expected.key, self.key);
        assert_eq!(
            (unlocked.opened_by().0, unlocked.is_intact()),
            (expected.slot, expected.intact)
        );
        match unlocked.slots() {
            Ok(kept) => {
                assert!(expected.intact, "slots are taken over without a mac");
                let next =
                    unlocked.seal(&kept).expect("there is room for the slots that were there");
                same_but_newer(&next, &unlocked, envelope, slots, header, secret);
            }
            Err(error) => assert!(!expected.intact && matches!(error, Error::Altered), "{error:?}"),
        }
    }
}

fn same_slots(envelope: &Envelope, slots: &[&[u8]]) {
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
            (found, expected) => panic!("{found:?} by library, kind {expected:?} by reference"),
        }
    }
}

/// What was written anew is the same envelope but for revision, mac and check, and has no padding.
fn same_but_newer(
    next: &[u8],
    unlocked: &Unlocked,
    envelope: &Envelope,
    slots: &[&[u8]],
    header: &Header,
    secret: &Secret<'_>,
) {
    assert_eq!(next.len(), envelope.bytes().len());
    assert_eq!(read::slots(next).expect("the library writes what is well formed"), slots);
    let again = Envelope::parse(next).expect("what was written is valid");
    assert_eq!(again.revision(), envelope.revision().saturating_add(1));
    let opened = again.open(secret, header, None).expect("what opened it opens it");
    assert!(opened.is_intact());
    assert_eq!(opened.opened_by(), unlocked.opened_by());
    let padding = envelope::HEAD_LEN + slots.concat().len()..next.len() - TAIL_LEN;
    assert!(next[padding].iter().all(|byte| *byte == 0), "padding is zeros");
}

/// Whether all its passphrases are tried in little time.
fn is_cheap(slots: &[&[u8]]) -> bool {
    let of_passphrases =
        slots.iter().filter(|slot| read::effective_kind(slot) == Some(kind::PASSPHRASE));
    let work = |[passes, memory, _]: [u32; 3]| u64::from(passes) * u64::from(memory);
    of_passphrases.filter_map(|slot| read::cost_of(slot)).map(work).sum::<u64>() <= MAX_WORK
}

fn secret(label: &str) -> [u8; 32] {
    vectors::bytes(label, 32).try_into().expect("32 bytes were asked for")
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
        other => panic!("no envelope gives this error: {other:?}"),
    }
}

fn name_of(copies: EnvelopeState) -> &'static str {
    match copies {
        EnvelopeState::Intact => "intact",
        EnvelopeState::FirstDamaged => "first_damaged",
        EnvelopeState::SecondDamaged => "second_damaged",
        EnvelopeState::Differ => "differ",
        EnvelopeState::Single => "single",
        other => panic!("E-2.6 knows no {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::envelopes::{Outcome, all};

    #[test]
    fn container_is_that_of_the_vectors() {
        let vector = all().into_iter().find(|vector| vector.name == "by_recovery_key").unwrap();
        let known = Known::new();
        assert_eq!(vector.header[..], known.header);
        assert!(
            matches!(vector.outcome, Outcome::Ok(success) if success.container_key[..] == known.key),
            "it opens"
        );
    }
}
