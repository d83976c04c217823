//! An envelope slot: the container's key, wrapped under one secret (ENVELOPE.md, sections 3 and 4).

use std::fmt;

use bulla::Key;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac::{Context, HMAC_SHA512, Key as HmacKey};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::locator::Locator;
use crate::passphrase::PassphraseCost;

/// The number of a slot, unique within its envelope. A slot keeps its number when other slots are
/// added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u16);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The public part of a slot, readable without a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlotInfo {
    /// The slot's number.
    pub id: SlotId,
    /// The kind of secret that opens the slot.
    pub kind: SlotKind,
}

/// The kind of secret that opens a slot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SlotKind {
    /// A 64-digit recovery key.
    RecoveryKey,
    /// A passphrase, with the cost of hashing it.
    Passphrase(PassphraseCost),
    /// A passphrase whose cost is out of range (E-3.3). The slot is kept but never tried.
    TooCostly,
    /// A recovery key stored in a vault.
    Locator(Locator),
    /// A kind that this release does not support. The slot is kept unchanged (E-3.5).
    Unknown(u16),
}

/// Bytes in a slot's frame: kind, id, length (E-2.3).
pub(super) const FRAME_LEN: usize = 8;
/// Offset of the parameters, after the frame and the salt.
const PARAMS_AT: usize = FRAME_LEN + 32;
/// Bytes after the slot head: commitment, wrapped key, tag.
const SEALED_LEN: usize = 32 + Key::LEN + 16;
/// Bytes in the parameters of a passphrase slot (E-3.3).
const COST_LEN: usize = 16;
/// The first four bytes of a passphrase slot's parameters: Argon2id version 0x13 over an
/// OpaqueString (E-3.3).
const ARGON2ID_OF_OPAQUE_STRING: [u8; 4] = [1, 1, 0, 0];

const RECOVERY_KEY: u16 = 1;
const PASSPHRASE: u16 = 2;
const LOCATOR: u16 = 3;

/// The prefix of the key derivation input (E-4.1).
const INFO: &[u8] = b"bulla v1 slot\0";

/// An encoded slot, with a length and parameters that are valid for its kind.
#[derive(Clone)]
pub(super) struct EncodedSlot {
    bytes: Vec<u8>,
    info: SlotInfo,
}

impl EncodedSlot {
    /// Parses a slot. `bytes` must have exactly the length that the slot's frame states.
    ///
    /// # Errors
    ///
    /// Returns the offset of the first invalid field.
    pub(super) fn parse(bytes: &[u8]) -> std::result::Result<EncodedSlot, usize> {
        let frame = bytes.first_chunk::<FRAME_LEN>().ok_or(0_usize)?;
        let number = u16::from_be_bytes([frame[0], frame[1]]);
        let id = SlotId(u16::from_be_bytes([frame[2], frame[3]]));
        if id.0 == 0 {
            return Err(2);
        }
        let params = bytes.len().checked_sub(SEALED_LEN).and_then(|end| bytes.get(PARAMS_AT..end));
        let kind = match (number, params) {
            (RECOVERY_KEY, Some([])) => SlotKind::RecoveryKey,
            (PASSPHRASE, Some(params)) if params.len() == COST_LEN => passphrase_kind(params),
            (LOCATOR, Some(params)) => {
                SlotKind::Locator(Locator::from_bytes(params).ok_or(PARAMS_AT)?)
            }
            (RECOVERY_KEY | PASSPHRASE | LOCATOR, _) => return Err(4),
            (other, _) => SlotKind::Unknown(other),
        };
        Ok(EncodedSlot { bytes: bytes.to_vec(), info: SlotInfo { id, kind } })
    }

    /// Wraps `key` in a new slot with a fresh salt (E-3.1).
    ///
    /// `secret` returns the 32-byte secret for that salt. `bound` is bytes 8 to 63 of the
    /// container's header.
    pub(super) fn seal(
        info: SlotInfo,
        secret: impl FnOnce(&[u8; 32]) -> Result<Zeroizing<[u8; 32]>>,
        bound: &[u8; 56],
        key: &Key,
    ) -> Result<EncodedSlot> {
        let (number, params) = match &info.kind {
            SlotKind::Passphrase(cost) => (PASSPHRASE, cost_bytes(cost).to_vec()),
            SlotKind::Locator(locator) => (LOCATOR, locator.to_bytes()),
            _ => (RECOVERY_KEY, Vec::new()),
        };
        let len = PARAMS_AT + params.len() + SEALED_LEN;
        let mut salt = [0; 32];
        SystemRandom::new().fill(&mut salt).map_err(|_| bulla::Error::NoRandomness)?;

        let mut bytes = Vec::with_capacity(len);
        bytes.extend(number.to_be_bytes());
        bytes.extend(info.id.0.to_be_bytes());
        // The cast is lossless, because hints are bounded and a slot has at most 1,208 bytes.
        bytes.extend((len as u32).to_be_bytes());
        bytes.extend(salt);
        bytes.extend(params);

        let keys = SlotKeys::derive(&*secret(&salt)?, &bytes);
        // Encrypt in place, so that the plaintext key exists only in a buffer that is wiped.
        let mut wrapped = Zeroizing::new(*key.expose());
        let tag = keys
            .cipher()
            .seal_in_place_separate_tag(zero_nonce(), aad(&bytes, bound), &mut wrapped[..])
            .map_err(|_| bulla::Error::TooLarge)?;
        bytes.extend(keys.commitment);
        bytes.extend(wrapped.iter());
        bytes.extend(tag.as_ref());
        Ok(EncodedSlot { bytes, info })
    }

    pub(super) fn info(&self) -> &SlotInfo {
        &self.info
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns whether the slot opens with a recovery key rather than a passphrase.
    pub(super) fn takes_key(&self) -> bool {
        matches!(self.info.kind, SlotKind::RecoveryKey | SlotKind::Locator(_))
    }

    /// Returns the salt. Only slots of a known kind have one.
    pub(super) fn salt(&self) -> Option<&[u8; 32]> {
        self.bytes.get(FRAME_LEN..)?.first_chunk()
    }

    /// Derives the slot's keys. Returns `None` if `secret` does not match the slot's commitment,
    /// which is compared in constant time (E-4.2).
    pub(super) fn check(&self, secret: &[u8; 32]) -> Option<SlotKeys> {
        let (head, commitment, _) = self.split()?;
        let keys = SlotKeys::derive(secret, head);
        bool::from(keys.commitment[..].ct_eq(commitment)).then_some(keys)
    }

    /// Unwraps the container's key. Returns `None` if the slot does not belong to that container
    /// (E-4.4).
    pub(super) fn unwrap(&self, keys: &SlotKeys, bound: &[u8; 56]) -> Option<Key> {
        let (head, _, wrapped) = self.split()?;
        let mut wrapped = Zeroizing::new(wrapped.to_vec());
        let key =
            keys.cipher().open_in_place(zero_nonce(), aad(head, bound), &mut wrapped[..]).ok()?;
        Some(Key::from_bytes((&*key).try_into().ok()?))
    }

    /// Splits a slot of a known kind into its head, its commitment, and its wrapped key with the
    /// tag.
    fn split(&self) -> Option<(&[u8], &[u8], &[u8])> {
        let (head, sealed) =
            self.bytes.split_at_checked(self.bytes.len().checked_sub(SEALED_LEN)?)?;
        let (commitment, wrapped) = sealed.split_at(32);
        Some((head, commitment, wrapped))
    }
}

/// A slot's wrapping key and commitment, derived from its secret and its head (E-4.1).
pub(super) struct SlotKeys {
    wrapping_key: Zeroizing<[u8; 32]>,
    commitment: [u8; 32],
}

impl SlotKeys {
    /// Computes one block of HKDF-Expand with SHA-512 (E-4.1).
    fn derive(secret: &[u8; 32], head: &[u8]) -> SlotKeys {
        let mut mac = Context::with_key(&HmacKey::new(HMAC_SHA512, secret));
        for part in [INFO, head, &[1]] {
            mac.update(part);
        }
        let tag = mac.sign();
        let (wrapping_key, commitment) = tag.as_ref().split_at(32);
        let mut keys = SlotKeys { wrapping_key: Zeroizing::new([0; 32]), commitment: [0; 32] };
        keys.wrapping_key.copy_from_slice(wrapping_key);
        keys.commitment.copy_from_slice(commitment);
        keys
    }

    fn cipher(&self) -> LessSafeKey {
        match UnboundKey::new(&AES_256_GCM, &self.wrapping_key[..]) {
            Ok(key) => LessSafeKey::new(key),
            Err(_) => unreachable!("AES-256 keys have 32 bytes"),
        }
    }
}

/// Returns the all-zero nonce. It is never reused, because each wrapping key is derived from a
/// fresh salt and encrypts only once (E-4.1).
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn aad(head: &[u8], bound: &[u8; 56]) -> Aad<Vec<u8>> {
    Aad::from([head, bound].concat())
}

fn cost_bytes(cost: &PassphraseCost) -> [u8; COST_LEN] {
    let mut bytes = [0; COST_LEN];
    bytes[..4].copy_from_slice(&ARGON2ID_OF_OPAQUE_STRING);
    bytes[4..8].copy_from_slice(&cost.passes().to_be_bytes());
    bytes[8..12].copy_from_slice(&cost.memory_kib().to_be_bytes());
    bytes[12..].copy_from_slice(&cost.lanes().to_be_bytes());
    bytes
}

/// Returns the kind of a passphrase slot with these parameters. If the algorithm or the text
/// encoding is not the supported one, the kind is unknown (E-3.3).
fn passphrase_kind(params: &[u8]) -> SlotKind {
    let number =
        |at: usize| params[at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    if !params.starts_with(&ARGON2ID_OF_OPAQUE_STRING) {
        return SlotKind::Unknown(PASSPHRASE);
    }
    match PassphraseCost::new(number(4), number(8), number(12)) {
        Ok(cost) => SlotKind::Passphrase(cost),
        Err(_) => SlotKind::TooCostly,
    }
}
