//! Parses envelopes, and selects the authoritative one of a container's two copies (ENVELOPE.md,
//! section 2).

use std::collections::BTreeSet;
use std::fmt;

use bulla::{Header, Key, Preamble};
use ring::digest::{SHA256, digest};

use super::mac::MAC_LEN;
use super::slot::{EncodedSlot, FRAME_LEN, SlotInfo, SlotKind};
use crate::error::{Error, Result};
use crate::passphrase::Passphrase;

/// A key envelope: a container's key, wrapped in slots under recovery keys and passphrases.
///
/// An envelope is not authenticated until it has been opened.
#[derive(Clone)]
pub struct Envelope {
    bytes: Vec<u8>,
    revision: u64,
    salt: [u8; 32],
    slots: Vec<EncodedSlot>,
}

/// A secret that opens a slot.
#[derive(Clone, Copy, Debug)]
pub enum Secret<'s> {
    /// A recovery key, typed in as 64 digits or fetched from a vault.
    Key(&'s Key),
    /// A passphrase.
    Passphrase(&'s Passphrase),
}

/// The state of the two copies of an envelope.
///
/// The envelope can be opened in every state. Unless the state is `Intact` or `Single`, rewrite the
/// envelope to restore both copies before the remaining one is damaged too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeState {
    /// Both copies are valid and identical.
    Intact,
    /// The first copy, after the header, is damaged or missing. The second copy was used.
    FirstDamaged,
    /// The second copy, before the footer, is damaged or missing. The first copy was used.
    SecondDamaged,
    /// Both copies are valid but differ, as they do after an interrupted rewrite. The copy with the
    /// higher revision was used.
    Differ,
    /// Only one copy was available, from a stream or from a separate file.
    Single,
}

impl Envelope {
    /// The default envelope length, in bytes. It leaves room for 32 slots for recovery keys and
    /// passphrases.
    pub const DEFAULT_LEN: u32 = 16 << 10;
    /// The length in bytes of the shortest envelope, which has no slots.
    pub const MIN_LEN: u32 = (HEAD_LEN + TAIL_LEN) as u32;

    /// Parses a single copy, such as an envelope from a separate file.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoEnvelope`], [`Error::NotAnEnvelope`], [`Error::UnsupportedVersion`],
    /// [`Error::Damaged`] or [`Error::Malformed`], checked in the order given in E-2.4 and E-2.5.
    pub fn parse(bytes: &[u8]) -> Result<Envelope> {
        select_copy(bytes, None).map(|(envelope, _)| envelope)
    }

    /// Reads a container's envelope from its authoritative copy (E-2.6).
    ///
    /// Which copy is selected does not depend on any secret.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`parse`](Envelope::parse). If neither copy is valid, the error
    /// describes the first copy that is not all zeros.
    pub fn from_preamble(preamble: &Preamble) -> Result<(Envelope, EnvelopeState)> {
        select_copy(preamble.envelope(), preamble.envelope_copy())
    }

    /// Reads an envelope from the copy after the header and, if available, the copy before the
    /// footer.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`from_preamble`](Envelope::from_preamble).
    pub fn from_copies(first: &[u8], second: Option<&[u8]>) -> Result<(Envelope, EnvelopeState)> {
        select_copy(first, second)
    }

    /// Returns the envelope's bytes, as they were read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the revision, which starts at 1 and is incremented by each rewrite.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the public part of each slot.
    pub fn list(&self) -> Vec<SlotInfo> {
        self.slots.iter().map(|slot| slot.info().clone()).collect()
    }

    /// Returns whether the envelope claims to belong to this container.
    ///
    /// [`open`](Envelope::open) checks this first, so that no passphrase is hashed for another
    /// container's envelope.
    pub fn belongs_to(&self, header: &Header) -> bool {
        self.salt == *header.salt()
    }

    /// Returns whether a recovery key opens one of the slots.
    ///
    /// This costs at most one HMAC per slot, which is fast enough for
    /// [`find_mistake`](crate::typing::find_mistake).
    pub fn matches(&self, key: &Key) -> bool {
        self.slots.iter().any(|slot| slot.takes_key() && slot.check(key.expose()).is_some())
    }

    pub(super) fn slots(&self) -> &[EncodedSlot] {
        &self.slots
    }

    /// Returns the bytes that the MAC covers, and the MAC (E-5.1).
    pub(super) fn authenticated(&self) -> (&[u8], &[u8]) {
        let (covered, tail) = self.bytes.split_at(self.bytes.len() - TAIL_LEN);
        (covered, &tail[..MAC_LEN])
    }

    /// Parses a copy that has passed [`validate`] (E-2.5).
    fn parse_valid(bytes: &[u8]) -> Result<Envelope> {
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
        let mut slots: Vec<EncodedSlot> = Vec::with_capacity(count.into());
        let (mut at, mut ids, mut passphrases) = (HEAD_LEN, BTreeSet::new(), 0);
        for _ in 0..count {
            let rest = &bytes[at..end];
            let frame = rest.first_chunk::<FRAME_LEN>().ok_or(malformed(at))?;
            let len = u32::from_be_bytes([frame[4], frame[5], frame[6], frame[7]]) as usize;
            let slot = rest.get(..len).ok_or(malformed(at + 4))?;
            let slot = EncodedSlot::parse(slot).map_err(|offset| malformed(at + offset))?;
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

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("len", &self.bytes.len())
            .field("revision", &self.revision)
            .field("slots", &self.list())
            .finish_non_exhaustive()
    }
}

/// The magic of a container header, with a different first byte.
pub(super) const MAGIC: [u8; 8] = *b"\x95BULLA\r\n";
/// The envelope version that this crate writes and reads.
pub(super) const VERSION: u8 = 1;
/// Bytes before the first slot.
pub(super) const HEAD_LEN: usize = 64;
/// Bytes in the check, which is a truncated SHA-256 hash.
const CHECK_LEN: usize = 8;
/// Bytes after the slots and the padding: the MAC and the check.
pub(super) const TAIL_LEN: usize = MAC_LEN + CHECK_LEN;
/// The length in bytes of the longest envelope (FORMAT.md, section 2).
pub(super) const MAX_LEN: usize = 1 << 20;
/// The maximum number of slots (E-2.3).
pub(super) const MAX_SLOTS: usize = 32;
/// The maximum number of passphrase slots. Trying a passphrase may cost a hash for each of them
/// (E-2.3).
pub(super) const MAX_PASSPHRASE_SLOTS: usize = 8;

/// Selects the authoritative copy: the valid one or, if both are valid, the one with the higher
/// revision (E-2.6).
pub(super) fn select_copy(
    first: &[u8],
    second: Option<&[u8]>,
) -> Result<(Envelope, EnvelopeState)> {
    let valid = |copy: &[u8]| validate(copy).is_ok();
    let (selected, state) = match second {
        None if valid(first) => (first, EnvelopeState::Single),
        Some(second) if first == second && valid(first) => (first, EnvelopeState::Intact),
        Some(second) if valid(first) && valid(second) => {
            let newer = if revision(second) > revision(first) { second } else { first };
            (newer, EnvelopeState::Differ)
        }
        Some(_) if valid(first) => (first, EnvelopeState::SecondDamaged),
        Some(second) if valid(second) => (second, EnvelopeState::FirstDamaged),
        _ => {
            let written = [Some(first), second].into_iter().flatten().find(|copy| !is_blank(copy));
            return Err(written.and_then(|copy| validate(copy).err()).unwrap_or(Error::NoEnvelope));
        }
    };
    Ok((Envelope::parse_valid(selected)?, state))
}

/// Returns the check, which is the first 8 bytes of SHA-256 over all preceding bytes. The check
/// distinguishes damage from a wrong secret, but it does not authenticate the envelope.
pub(super) fn check(covered: &[u8]) -> [u8; CHECK_LEN] {
    let mut check = [0; CHECK_LEN];
    check.copy_from_slice(&digest(&SHA256, covered).as_ref()[..CHECK_LEN]);
    check
}

/// Checks that a copy is valid (E-2.4).
fn validate(copy: &[u8]) -> Result<()> {
    if is_blank(copy) {
        return Err(Error::NoEnvelope);
    }
    if !copy.starts_with(&MAGIC) {
        return Err(Error::NotAnEnvelope);
    }
    match copy.get(8) {
        Some(&version) if version != VERSION => return Err(Error::UnsupportedVersion { version }),
        _ => {}
    }
    if copy.len() < HEAD_LEN + TAIL_LEN || copy.len() > MAX_LEN {
        return Err(Error::Damaged);
    }
    let (covered, stored) = copy.split_at(copy.len() - CHECK_LEN);
    if check(covered) == stored { Ok(()) } else { Err(Error::Damaged) }
}

fn is_blank(copy: &[u8]) -> bool {
    copy.iter().all(|byte| *byte == 0)
}

/// Returns the revision of a valid copy.
fn revision(copy: &[u8]) -> u64 {
    copy.get(16..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
