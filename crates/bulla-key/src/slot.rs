//! One slot of an envelope: the container's key, wrapped under one secret (ENVELOPE.md, sections 3
//! and 4).

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

/// Bytes of a slot that every kind has: kind, id, length.
pub(crate) const FRAME_LEN: usize = 8;
/// Where the parameters begin, behind frame and salt.
const PARAMS: usize = FRAME_LEN + 32;
/// Bytes behind the head: commitment, wrapped key, tag.
const SEALED_LEN: usize = 32 + Key::LEN + 16;
/// Bytes of a passphrase's parameters.
const COST_LEN: usize = 16;
/// Argon2id, version 0x13, over an OpaqueString: the first four bytes of those parameters.
const ARGON2ID_OF_OPAQUE_STRING: [u8; 4] = [1, 1, 0, 0];

const RECOVERY_KEY: u16 = 1;
const PASSPHRASE: u16 = 2;
const LOCATOR: u16 = 3;

const INFO: &[u8] = b"bulla v1 slot\0";

/// The number of a slot, unique in its envelope. A slot keeps it when others come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u16);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a slot shows to everybody.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Its number.
    pub id: SlotId,
    /// What opens it.
    pub kind: SlotKind,
}

/// What opens a slot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SlotKind {
    /// A recovery key: 64 digits.
    RecoveryKey,
    /// A passphrase, at this cost.
    Passphrase(PassphraseCost),
    /// A passphrase, at a cost that is out of range (E-3.3). It is kept and never tried.
    TooCostly,
    /// A recovery key that lies in a vault.
    Locator(Locator),
    /// Something that this release does not know. It is kept as it is (E-3.5).
    Unknown(u16),
}

/// A slot as it lies in an envelope. Its length and parameters are those of its kind.
#[derive(Clone)]
pub(crate) struct Slot {
    bytes: Vec<u8>,
    info: SlotInfo,
}

impl Slot {
    /// The slot in these bytes, which are as many as its frame says; else where a rule is broken.
    pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Slot, usize> {
        let frame = bytes.first_chunk::<FRAME_LEN>().ok_or(0_usize)?;
        let number = u16::from_be_bytes([frame[0], frame[1]]);
        let id = SlotId(u16::from_be_bytes([frame[2], frame[3]]));
        if id.0 == 0 {
            return Err(2);
        }
        let params = bytes.len().checked_sub(SEALED_LEN).and_then(|end| bytes.get(PARAMS..end));
        let kind = match (number, params) {
            (RECOVERY_KEY, Some([])) => SlotKind::RecoveryKey,
            (PASSPHRASE, Some(params)) if params.len() == COST_LEN => passphrase_kind(params),
            (LOCATOR, Some(params)) => {
                SlotKind::Locator(Locator::from_bytes(params).ok_or(PARAMS)?)
            }
            (RECOVERY_KEY | PASSPHRASE | LOCATOR, _) => return Err(4),
            (other, _) => SlotKind::Unknown(other),
        };
        Ok(Slot { bytes: bytes.to_vec(), info: SlotInfo { id, kind } })
    }

    /// A new slot, under a fresh salt (E-3.1). `secret` gives the secret's 32 bytes, which may
    /// depend on the salt.
    pub(crate) fn seal(
        info: SlotInfo,
        secret: impl FnOnce(&[u8; 32]) -> Result<Zeroizing<[u8; 32]>>,
        bound: &[u8; 56],
        key: &Key,
    ) -> Result<Slot> {
        let (number, params) = match &info.kind {
            SlotKind::Passphrase(cost) => (PASSPHRASE, cost_bytes(cost).to_vec()),
            SlotKind::Locator(locator) => (LOCATOR, locator.to_bytes()),
            _ => (RECOVERY_KEY, Vec::new()),
        };
        let len = PARAMS + params.len() + SEALED_LEN;
        let mut salt = [0; 32];
        SystemRandom::new().fill(&mut salt).map_err(|_| bulla::Error::NoRandomness)?;

        let mut bytes = Vec::with_capacity(len);
        bytes.extend(number.to_be_bytes());
        bytes.extend(info.id.0.to_be_bytes());
        // At most 1,208: a locator's hints are bounded.
        bytes.extend((len as u32).to_be_bytes());
        bytes.extend(salt);
        bytes.extend(params);

        let opening = Opening::derive(&*secret(&salt)?, &bytes);
        // Opened in place, so that the key lies in a buffer that is wiped until it is ciphertext.
        let mut wrapped = Zeroizing::new(*key.expose());
        let tag = opening
            .cipher()
            .seal_in_place_separate_tag(zero_nonce(), aad(&bytes, bound), &mut wrapped[..])
            .map_err(|_| bulla::Error::TooLarge)?;
        bytes.extend(opening.commitment);
        bytes.extend(wrapped.iter());
        bytes.extend(tag.as_ref());
        Ok(Slot { bytes, info })
    }

    pub(crate) fn info(&self) -> &SlotInfo {
        &self.info
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a key, rather than a passphrase, opens it.
    pub(crate) fn is_for_keys(&self) -> bool {
        matches!(self.info.kind, SlotKind::RecoveryKey | SlotKind::Locator(_))
    }

    /// The salt. Only of a slot of a known kind.
    pub(crate) fn salt(&self) -> Option<&[u8; 32]> {
        self.bytes.get(FRAME_LEN..)?.first_chunk()
    }

    /// What opens it, if this is the secret (E-4.2): the commitments are compared in constant time.
    pub(crate) fn opening(&self, secret: &[u8; 32]) -> Option<Opening> {
        let (head, commitment, _) = self.parts()?;
        let opening = Opening::derive(secret, head);
        bool::from(opening.commitment[..].ct_eq(commitment)).then_some(opening)
    }

    /// The container's key, if the slot belongs to the container (E-4.4).
    pub(crate) fn unwrap(&self, opening: &Opening, bound: &[u8; 56]) -> Option<Key> {
        let (head, _, wrapped) = self.parts()?;
        let mut wrapped = Zeroizing::new(wrapped.to_vec());
        let key = opening
            .cipher()
            .open_in_place(zero_nonce(), aad(head, bound), &mut wrapped[..])
            .ok()?;
        Some(Key::from_bytes((&*key).try_into().ok()?))
    }

    /// Head, commitment, and wrapped key with its tag, of a slot of a known kind.
    fn parts(&self) -> Option<(&[u8], &[u8], &[u8])> {
        let (head, sealed) =
            self.bytes.split_at_checked(self.bytes.len().checked_sub(SEALED_LEN)?)?;
        let (commitment, wrapped) = sealed.split_at(32);
        Some((head, commitment, wrapped))
    }
}

/// What opens one slot: derived from its secret and its head.
pub(crate) struct Opening {
    wrapping_key: Zeroizing<[u8; 32]>,
    commitment: [u8; 32],
}

impl Opening {
    /// One block of HKDF-Expand with SHA-512 (E-4.1).
    fn derive(secret: &[u8; 32], head: &[u8]) -> Opening {
        let mut mac = Context::with_key(&HmacKey::new(HMAC_SHA512, secret));
        for part in [INFO, head, &[1]] {
            mac.update(part);
        }
        let tag = mac.sign();
        let (wrapping_key, commitment) = tag.as_ref().split_at(32);
        let mut opening = Opening { wrapping_key: Zeroizing::new([0; 32]), commitment: [0; 32] };
        opening.wrapping_key.copy_from_slice(wrapping_key);
        opening.commitment.copy_from_slice(commitment);
        opening
    }

    fn cipher(&self) -> LessSafeKey {
        match UnboundKey::new(&AES_256_GCM, &self.wrapping_key[..]) {
            Ok(key) => LessSafeKey::new(key),
            Err(_) => unreachable!("the key has 32 bytes"),
        }
    }
}

/// A wrapping key wraps one key: it is derived from the slot's fresh salt. So the nonce is zero
/// (E-4.1).
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

/// What a passphrase's parameters ask for. Another algorithm or another way to write the passphrase
/// is as good as another kind.
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
