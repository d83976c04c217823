//! Reads envelopes clause by clause. Errors are represented by their names in the vectors.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use sha2::{Digest, Sha256};

use super::build::{HEAD_LEN, MAGIC, SEALED_LEN, TAIL_LEN, kind, stretch, t1};
use crate::reference;

/// The secret with which a reader opens an envelope.
#[derive(Clone, Copy, Debug)]
pub enum Secret<'s> {
    /// A recovery key.
    Key(&'s [u8; 32]),
    /// A passphrase, as an OpaqueString.
    Passphrase(&'s str),
}

/// The result of opening an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedEnvelope {
    /// The container's key.
    pub key: [u8; 32],
    /// The id of the slot that opened.
    pub slot: u16,
    /// Whether the MAC is valid (E-5.2).
    pub intact: bool,
}

/// Returns the authoritative copy and the name of the copies' state (E-2.6).
pub fn authoritative_copy<'e>(
    first: &'e [u8],
    second: Option<&'e [u8]>,
) -> Result<(&'e [u8], &'static str), &'static str> {
    let Some(second) = second else {
        return validation_error(first).map_or(Ok((first, "single")), Err);
    };
    match (validation_error(first), validation_error(second)) {
        (None, None) if first == second => Ok((first, "intact")),
        (None, None) if number(second, 16, 8) > number(first, 16, 8) => Ok((second, "differ")),
        (None, None) => Ok((first, "differ")),
        (None, Some(_)) => Ok((first, "second_damaged")),
        (Some(_), None) => Ok((second, "first_damaged")),
        (Some("no_envelope"), Some(error)) | (Some(error), Some(_)) => Err(error),
    }
}

/// Returns the error that makes a copy invalid (E-2.4), or `None` if the copy is valid.
fn validation_error(copy: &[u8]) -> Option<&'static str> {
    let covered = copy.len().saturating_sub(8);
    if copy.iter().all(|byte| *byte == 0) {
        Some("no_envelope")
    } else if !copy.starts_with(&MAGIC) {
        Some("not_an_envelope")
    } else if copy.get(8).is_some_and(|version| *version != 1) {
        Some("unsupported_version")
    } else if !(104..=1 << 20).contains(&copy.len())
        || Sha256::digest(&copy[..covered])[..8] != copy[covered..]
    {
        Some("damaged")
    } else {
        None
    }
}

/// Splits a valid copy into its slots, or returns `None` if it is malformed (E-2.3, E-2.5).
pub fn slots(envelope: &[u8]) -> Option<Vec<&[u8]>> {
    let count = number(envelope, 10, 2);
    if number(envelope, 12, 4) != envelope.len() as u64 || count > 32 {
        return None;
    }
    let mut rest = &envelope[HEAD_LEN..envelope.len() - TAIL_LEN];
    let mut slots: Vec<&[u8]> = Vec::new();
    for _ in 0..count {
        let len = if rest.len() < 8 { 0 } else { number(rest, 4, 4) as usize };
        if len < 8 || len > rest.len() {
            return None;
        }
        let (slot, remaining) = rest.split_at(len);
        if id(slot) == 0 || slots.iter().any(|other| id(other) == id(slot)) || !is_well_formed(slot)
        {
            return None;
        }
        slots.push(slot);
        rest = remaining;
    }
    let passphrases =
        slots.iter().filter(|slot| effective_kind(slot) == Some(kind::PASSPHRASE)).count();
    (passphrases <= 8).then_some(slots)
}

/// Returns the kind of a slot, or `None` if it is unknown (E-3.3, E-3.5).
pub fn effective_kind(slot: &[u8]) -> Option<u16> {
    match number(slot, 0, 2) as u16 {
        kind::PASSPHRASE if slot[40..44] != [1, 1, 0, 0] => None,
        known @ (kind::RECOVERY_KEY | kind::PASSPHRASE | kind::LOCATOR) => Some(known),
        _ => None,
    }
}

/// Returns the id of a slot.
pub fn id(slot: &[u8]) -> u16 {
    number(slot, 2, 2) as u16
}

/// Returns the passes, memory in KiB and lanes of a passphrase slot, or `None` if one is out of
/// range (E-3.3).
pub fn cost_of(slot: &[u8]) -> Option<[u32; 3]> {
    let [passes, memory, lanes] = [44, 48, 52].map(|at| number(slot, at, 4));
    let in_range =
        (1..=16).contains(&lanes) && (8 * lanes..=1 << 18).contains(&memory) && passes >= 1;
    (in_range && passes * memory <= 1 << 20)
        .then(|| [passes, memory, lanes].map(|value| value as u32))
}

/// Returns whether a slot's length and parameters are valid for its kind (E-2.5, E-3.4).
fn is_well_formed(slot: &[u8]) -> bool {
    match (number(slot, 0, 2) as u16, slot.len()) {
        (kind::RECOVERY_KEY, len) => len == 120,
        (kind::PASSPHRASE, len) => len == 136,
        (kind::LOCATOR, 184..=1208) => {
            let (mut hints, mut least) = (&slot[104..slot.len() - SEALED_LEN], 0);
            while hints.len() >= 4 {
                let (tag, end) = (number(hints, 0, 2), 4 + number(hints, 2, 2) as usize);
                if tag < least || end > hints.len() {
                    return false;
                }
                (least, hints) = (tag + 1, &hints[end..]);
            }
            hints.is_empty()
        }
        (kind::LOCATOR, _) => false,
        _ => true,
    }
}

/// Opens the authoritative copy for the container with this header (E-4.1 to E-4.5, E-5.1).
pub fn open(
    envelope: &[u8],
    header: &[u8; 128],
    context: Option<&[u8]>,
    secret: Secret<'_>,
) -> Result<OpenedEnvelope, &'static str> {
    let slots = slots(envelope).ok_or("malformed")?;
    if envelope[32..64] != header[32..64] {
        return Err("another_container");
    }
    match (header[15] & 1 == 1, context) {
        (true, None) => return Err("context_required"),
        (false, Some(_)) => return Err("context_unexpected"),
        _ => {}
    }
    let mut error = "no_such_slot";
    for slot in slots {
        let secret = match (effective_kind(slot), secret) {
            (Some(kind::RECOVERY_KEY | kind::LOCATOR), Secret::Key(key)) => *key,
            (Some(kind::PASSPHRASE), Secret::Passphrase(text)) => {
                let Some([passes, memory, lanes]) = cost_of(slot) else {
                    error = "too_costly";
                    continue;
                };
                let salt = slot[8..].first_chunk().expect("the length was checked");
                stretch(text, salt, passes, memory, lanes)
            }
            _ => continue,
        };
        let (head, sealed) = slot.split_at(slot.len() - SEALED_LEN);
        let t1 = t1(&secret, head);
        if t1[32..] == sealed[..32] {
            return unwrap(envelope, header, context, id(slot), head, &t1, &sealed[32..]);
        }
        if error != "too_costly" {
            error = "wrong_secret";
        }
    }
    Err(error)
}

/// Unwraps the container's key from a slot whose commitment matches, and checks the MAC.
fn unwrap(
    envelope: &[u8],
    header: &[u8; 128],
    context: Option<&[u8]>,
    slot: u16,
    head: &[u8],
    t1: &[u8; 64],
    wrapped: &[u8],
) -> Result<OpenedEnvelope, &'static str> {
    let bound = reference::bound(header);
    let aad = [head, &bound].concat();
    let cipher = Aes256Gcm::new_from_slice(&t1[..32]).expect("a wrapping key has 32 bytes");
    let key = cipher
        .decrypt(&Nonce::default(), Payload { msg: wrapped, aad: &aad })
        .map_err(|_| "another_container")?;
    let key: [u8; 32] = key.try_into().expect("48 bytes are a 32-byte key and a tag");
    let keys = reference::schedule(&key, &bound, context);
    if keys.commitment != header[64..96] {
        return Err("another_container");
    }
    let (covered, tail) = envelope.split_at(envelope.len() - TAIL_LEN);
    let mac =
        reference::hmac_sha512(&reference::export(&keys.exporter, b"bulla envelope"), &[covered]);
    Ok(OpenedEnvelope { key, slot, intact: mac[..32] == tail[..32] })
}

/// Decodes a `len`-byte big-endian number.
fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
