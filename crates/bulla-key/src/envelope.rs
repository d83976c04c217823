//! An envelope's bytes, and which of two copies counts (ENVELOPE.md, section 2).

use std::collections::BTreeSet;

use bulla::{Header, Key, Preamble};
use ring::digest::{SHA256, digest};

use crate::error::{Error, Result};
use crate::passphrase::Passphrase;
use crate::slot::{FRAME_LEN, Slot, SlotInfo, SlotKind};

/// `\x95BULLA\r\n`: the header's magic but for its first byte.
pub(crate) const MAGIC: [u8; 8] = *b"\x95BULLA\r\n";
/// The version that this crate writes and reads.
pub(crate) const VERSION: u8 = 1;
/// Bytes before the first slot.
pub(crate) const HEAD_LEN: usize = 64;
/// Bytes in the check.
const CHECK_LEN: usize = 8;
/// Bytes behind the slots and the padding: MAC and check.
pub(crate) const TAIL_LEN: usize = 32 + CHECK_LEN;
/// Bytes in the longest envelope (FORMAT.md, 2).
const MAX_LEN: usize = 1 << 20;
/// The most slots (E-2.3).
pub(crate) const MAX_SLOTS: usize = 32;
/// The most slots for passphrases: each may cost a hashing to try (E-2.3).
pub(crate) const MAX_PASSPHRASE_SLOTS: usize = 8;

/// A key envelope: the key of one container, wrapped in slots under recovery keys and passphrases.
///
/// Nothing of it is authenticated before it was opened.
#[derive(Clone)]
pub struct Envelope {
    bytes: Vec<u8>,
    revision: u64,
    salt: [u8; 32],
    slots: Vec<Slot>,
}

/// What a person or a vault has to open an envelope with.
#[derive(Clone, Copy, Debug)]
pub enum Secret<'s> {
    /// A recovery key, typed in as 64 digits or fetched from a vault.
    Key(&'s Key),
    /// A passphrase.
    Passphrase(&'s Passphrase),
}

/// The state of the two copies of an envelope. Nothing of it keeps the envelope from opening; but a
/// copy that is damaged or behind should be mended, by rewriting the envelope, before the other one
/// is damaged too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeState {
    /// Both are the same.
    Intact,
    /// The first one, behind the header, is damaged or not there; the second was used.
    FirstDamaged,
    /// The second one, before the footer, is damaged or not there; the first was used.
    SecondDamaged,
    /// Both are valid and they differ, as after a rewriting that was interrupted; the one of the
    /// higher revision was used.
    Differ,
    /// There was one to look at, from a stream or a file beside the container.
    Single,
}

impl Envelope {
    /// Bytes to reserve for an envelope, unless there is a reason for another number: room for 32
    /// slots, or for recipients that take 1.7 KiB each.
    pub const DEFAULT_LEN: u32 = 16 << 10;
    /// Bytes in the shortest envelope, which has no slot.
    pub const MIN_LEN: u32 = (HEAD_LEN + TAIL_LEN) as u32;

    /// Reads an envelope that was kept in a file beside its container, or got in another way.
    ///
    /// # Errors
    ///
    /// [`Error::NoEnvelope`], [`Error::NotAnEnvelope`], [`Error::UnsupportedVersion`],
    /// [`Error::Damaged`], [`Error::Malformed`], in the order of E-2.4 and E-2.5.
    pub fn parse(bytes: &[u8]) -> Result<Envelope> {
        choose(bytes, None).map(|(envelope, _)| envelope)
    }

    /// The envelope of a container, from the copy that counts (E-2.6). No secret has a say in which
    /// that is.
    ///
    /// # Errors
    ///
    /// As [`parse`](Envelope::parse), of the first copy if none counts.
    pub fn from_preamble(preamble: &Preamble) -> Result<(Envelope, EnvelopeState)> {
        choose(preamble.envelope(), preamble.envelope_copy())
    }

    /// The same, from copies that were got in another way: the one behind the header, and the one
    /// before the footer if it was read.
    ///
    /// # Errors
    ///
    /// As [`from_preamble`](Envelope::from_preamble).
    pub fn from_copies(first: &[u8], second: Option<&[u8]>) -> Result<(Envelope, EnvelopeState)> {
        choose(first, second)
    }

    /// The envelope as it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How often it was rewritten, and one.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What it says of its slots, to everybody.
    pub fn list(&self) -> Vec<SlotInfo> {
        self.slots.iter().map(|slot| slot.info().clone()).collect()
    }

    /// Whether it says that it is this container's. [`open`](Envelope::open) asks first, so that
    /// nobody types a passphrase in vain.
    pub fn belongs_to(&self, header: &Header) -> bool {
        self.salt == *header.salt()
    }

    /// Whether a recovery key opens one of its slots. It costs an HMAC for each slot, so it is what
    /// [`find_mistake`](crate::typing::find_mistake) asks for a key that was typed in.
    pub fn matches(&self, key: &Key) -> bool {
        self.slots.iter().any(|slot| slot.is_for_keys() && slot.opening(key.expose()).is_some())
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Everything that the MAC covers, and the MAC (E-5.1).
    pub(crate) fn authenticated(&self) -> (&[u8], &[u8]) {
        let (covered, tail) = self.bytes.split_at(self.bytes.len() - TAIL_LEN);
        (covered, &tail[..TAIL_LEN - CHECK_LEN])
    }

    /// Reads a valid copy (E-2.5).
    fn of_valid(bytes: &[u8]) -> Result<Envelope> {
        let malformed = |offset| Error::Malformed { offset };
        let count = u16::from_be_bytes([bytes[10], bytes[11]]);
        if u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize != bytes.len()
        {
            return Err(malformed(12));
        }
        if usize::from(count) > MAX_SLOTS {
            return Err(malformed(10));
        }
        let end = bytes.len() - TAIL_LEN;
        let mut slots: Vec<Slot> = Vec::with_capacity(count.into());
        let (mut at, mut ids, mut passphrases) = (HEAD_LEN, BTreeSet::new(), 0);
        for _ in 0..count {
            let rest = &bytes[at..end];
            let frame = rest.first_chunk::<FRAME_LEN>().ok_or(malformed(at))?;
            let len = u32::from_be_bytes([frame[4], frame[5], frame[6], frame[7]]) as usize;
            let slot = rest.get(..len).ok_or(malformed(at + 4))?;
            let slot = Slot::parse(slot).map_err(|offset| malformed(at + offset))?;
            if !ids.insert(slot.info().id) {
                return Err(malformed(at + 2));
            }
            passphrases += usize::from(matches!(
                slot.info().kind,
                SlotKind::Passphrase(_) | SlotKind::TooCostly
            ));
            if passphrases > MAX_PASSPHRASE_SLOTS {
                return Err(malformed(at));
            }
            slots.push(slot);
            at += len;
        }
        let mut salt = [0; 32];
        salt.copy_from_slice(&bytes[32..64]);
        Ok(Envelope { bytes: bytes.to_vec(), revision: revision(bytes), salt, slots })
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("len", &self.bytes.len())
            .field("revision", &self.revision)
            .field("slots", &self.list())
            .finish_non_exhaustive()
    }
}

/// The copy that counts: the valid one, or of two valid ones that of the higher revision (E-2.6).
pub(crate) fn choose(first: &[u8], second: Option<&[u8]>) -> Result<(Envelope, EnvelopeState)> {
    let valid = |copy: &[u8]| refusal(copy).is_none();
    let (counts, copies) = match second {
        None if valid(first) => (first, EnvelopeState::Single),
        Some(second) if first == second && valid(first) => (first, EnvelopeState::Intact),
        Some(second) if valid(first) && valid(second) => {
            let newer = if revision(second) > revision(first) { second } else { first };
            (newer, EnvelopeState::Differ)
        }
        Some(_) if valid(first) => (first, EnvelopeState::SecondDamaged),
        Some(second) if valid(second) => (second, EnvelopeState::FirstDamaged),
        _ => {
            let shown = [Some(first), second].into_iter().flatten().find(|copy| !is_blank(copy));
            return Err(shown.and_then(refusal).unwrap_or(Error::NoEnvelope));
        }
    };
    Ok((Envelope::of_valid(counts)?, copies))
}

/// The first 8 bytes of SHA-256 over all before. It tells damage from a wrong secret; it is no
/// security.
pub(crate) fn check(covered: &[u8]) -> [u8; CHECK_LEN] {
    let mut check = [0; CHECK_LEN];
    check.copy_from_slice(&digest(&SHA256, covered).as_ref()[..CHECK_LEN]);
    check
}

/// Why a copy is not valid; `None` if it is (E-2.4).
fn refusal(copy: &[u8]) -> Option<Error> {
    if is_blank(copy) {
        return Some(Error::NoEnvelope);
    }
    if !copy.starts_with(&MAGIC) {
        return Some(Error::NotAnEnvelope);
    }
    match copy.get(8) {
        Some(&version) if version != VERSION => return Some(Error::UnsupportedVersion { version }),
        _ => {}
    }
    if copy.len() < HEAD_LEN + TAIL_LEN || copy.len() > MAX_LEN {
        return Some(Error::Damaged);
    }
    let (covered, stored) = copy.split_at(copy.len() - CHECK_LEN);
    (check(covered) != stored).then_some(Error::Damaged)
}

fn is_blank(copy: &[u8]) -> bool {
    copy.iter().all(|byte| *byte == 0)
}

/// The revision of a valid copy.
fn revision(copy: &[u8]) -> u64 {
    copy.get(16..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
