//! Builds the slots of a new envelope.

use std::fmt;

use bulla::{Draft, Header, Key};
use zeroize::Zeroizing;

use super::mac::{EXPORT_LABEL, MacKey};
use super::parse::{
    HEAD_LEN, MAGIC, MAX_LEN, MAX_PASSPHRASE_SLOTS, MAX_SLOTS, TAIL_LEN, VERSION, check,
};
use super::slot::{EncodedSlot, SlotId, SlotInfo, SlotKind};
use crate::error::{Error, Result};
use crate::locator::Locator;
use crate::passphrase::{Passphrase, PassphraseCost};

/// The slots for a new envelope: newly added slots, and slots kept from an opened envelope.
///
/// The secrets of newly added slots are held in memory and wiped on drop. Sealing these slots twice
/// yields different envelopes, because each of them gets a fresh salt every time (E-3.1).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::Key;
/// use bulla_key::{Passphrase, PassphraseCost, Slots};
///
/// let mut slots = Slots::new();
/// let key = slots.add_recovery_key(&Key::generate()?)?;
/// let passphrase = Passphrase::new("correct horse battery staple")?;
/// slots.add_passphrase(&passphrase, PassphraseCost::default())?;
/// slots.remove(key)?;
/// assert_eq!(slots.list().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Slots {
    slots: Vec<PendingSlot>,
    /// The salt of the container that the kept slots belong to.
    salt: Option<[u8; 32]>,
}

impl Slots {
    /// Creates an empty set of slots.
    pub fn new() -> Slots {
        Slots::default()
    }

    /// Creates a set of slots kept from an opened envelope, whose container has this salt.
    pub(super) fn from_existing(slots: &[EncodedSlot], salt: &[u8; 32]) -> Slots {
        Slots { slots: slots.iter().cloned().map(PendingSlot::Kept).collect(), salt: Some(*salt) }
    }

    /// Adds a slot for a recovery key.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooManySlots`] if there are already 32 slots.
    pub fn add_recovery_key(&mut self, key: &Key) -> Result<SlotId> {
        self.add(SlotKind::RecoveryKey, SlotSecret::Key(Key::from_bytes(key.expose())))
    }

    /// Adds a slot for a passphrase.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooManySlots`] if there are already 32 slots, or 8 passphrase slots.
    pub fn add_passphrase(
        &mut self,
        passphrase: &Passphrase,
        cost: PassphraseCost,
    ) -> Result<SlotId> {
        let is_passphrase =
            |info: &SlotInfo| matches!(info.kind, SlotKind::Passphrase(_) | SlotKind::TooCostly);
        if self.slots.iter().filter(|slot| is_passphrase(slot.info())).count()
            >= MAX_PASSPHRASE_SLOTS
        {
            return Err(Error::TooManySlots);
        }
        self.add(SlotKind::Passphrase(cost), SlotSecret::Passphrase(passphrase.clone(), cost))
    }

    /// Adds a slot for a recovery key stored in a vault, along with the information needed to fetch
    /// that key.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooManySlots`] if there are already 32 slots.
    pub fn add_locator(&mut self, key: &Key, locator: Locator) -> Result<SlotId> {
        self.add(SlotKind::Locator(locator), SlotSecret::Key(Key::from_bytes(key.expose())))
    }

    /// Removes a slot.
    ///
    /// **Removing a slot does not revoke its secret.** Anyone with an older copy of the envelope
    /// and the secret, or with the container's key, can still open the container. To revoke access,
    /// seal the data again under a new key (E-5.4).
    ///
    /// # Errors
    ///
    /// Returns [`Error::UnknownSlot`] if there is no slot with this number.
    pub fn remove(&mut self, id: SlotId) -> Result<()> {
        let at = self
            .slots
            .iter()
            .position(|slot| slot.info().id == id)
            .ok_or(Error::UnknownSlot { id: id.0 })?;
        self.slots.remove(at);
        Ok(())
    }

    /// Returns the public part of each slot.
    pub fn list(&self) -> Vec<SlotInfo> {
        self.slots.iter().map(|slot| slot.info().clone()).collect()
    }

    /// Seals the envelope for a new container, with the length that the draft reserves.
    ///
    /// This hashes the passphrase of every new passphrase slot.
    ///
    /// # Errors
    ///
    /// Returns [`Error::WrongContainerKey`] if the draft was made with another key;
    /// [`Error::AnotherContainer`] if slots were kept from another container's envelope;
    /// [`Error::NoSlots`] if no slot can be opened; [`Error::NoRoom`] if the slots do not fit;
    /// [`Error::OutOfMemory`] if there is not enough memory to hash a passphrase; or
    /// [`Error::Container`] if the system's random number generator fails.
    pub fn seal(&self, draft: &Draft<'_>, container_key: &Key) -> Result<Vec<u8>> {
        self.seal_with_len(draft, container_key, draft.header().envelope_len() as usize)
    }

    /// Seals a `len`-byte envelope, to be kept in a separate file.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`seal`](Slots::seal).
    pub fn seal_with_len(
        &self,
        draft: &Draft<'_>,
        container_key: &Key,
        len: usize,
    ) -> Result<Vec<u8>> {
        if !draft.matches(container_key) {
            return Err(Error::WrongContainerKey);
        }
        self.encode(&EnvelopeParams {
            header: draft.header(),
            key: container_key,
            mac_key: &MacKey(draft.export(EXPORT_LABEL)),
            revision: 1,
            len,
        })
    }

    /// Encodes the envelope (E-2.1).
    pub(super) fn encode(&self, params: &EnvelopeParams<'_>) -> Result<Vec<u8>> {
        let EnvelopeParams { header, key, mac_key, revision, len } = params;
        if self.salt.is_some_and(|salt| salt != *header.salt()) {
            return Err(Error::AnotherContainer);
        }
        if self
            .slots
            .iter()
            .all(|slot| matches!(slot.info().kind, SlotKind::Unknown(_) | SlotKind::TooCostly))
        {
            return Err(Error::NoSlots);
        }
        let mut slots: Vec<u8> = Vec::new();
        for slot in &self.slots {
            match slot {
                PendingSlot::Kept(slot) => slots.extend(slot.bytes()),
                PendingSlot::New(info, secret) => {
                    let slot = EncodedSlot::seal(
                        info.clone(),
                        |salt| secret.stretch(salt),
                        header.bound(),
                        key,
                    )?;
                    slots.extend(slot.bytes());
                }
            }
        }
        let needed = HEAD_LEN + slots.len() + TAIL_LEN;
        if needed > *len || *len > MAX_LEN {
            return Err(Error::NoRoom { needed, room: *len });
        }
        let mut bytes = Vec::with_capacity(*len);
        bytes.extend(MAGIC);
        bytes.extend([VERSION, 0]);
        // The casts are lossless, because there are at most 32 slots and 2^20 bytes.
        bytes.extend((self.slots.len() as u16).to_be_bytes());
        bytes.extend((*len as u32).to_be_bytes());
        bytes.extend(revision.to_be_bytes());
        bytes.extend([0; 8]);
        bytes.extend(header.salt());
        bytes.extend(slots);
        bytes.resize(len - TAIL_LEN, 0);
        bytes.extend(mac_key.mac(&bytes));
        bytes.extend(check(&bytes));
        Ok(bytes)
    }

    fn add(&mut self, kind: SlotKind, secret: SlotSecret) -> Result<SlotId> {
        if self.slots.len() >= MAX_SLOTS {
            return Err(Error::TooManySlots);
        }
        let id = self.unused_id();
        self.slots.push(PendingSlot::New(SlotInfo { id, kind }, secret));
        Ok(id)
    }

    /// Returns the number after the highest one in use, so that the number of a removed slot is
    /// usually not reused immediately. If there is no higher number, returns the lowest free one.
    fn unused_id(&self) -> SlotId {
        let is_used = |id: u16| self.slots.iter().any(|slot| slot.info().id.0 == id);
        let highest = self.slots.iter().map(|slot| slot.info().id.0).max().unwrap_or(0);
        let lowest = || (1..u16::MAX).find(|id| !is_used(*id)).unwrap_or(u16::MAX);
        SlotId(highest.checked_add(1).unwrap_or_else(lowest))
    }
}

/// The container, revision and length of an envelope to encode.
pub(super) struct EnvelopeParams<'p> {
    pub(super) header: &'p Header,
    pub(super) key: &'p Key,
    pub(super) mac_key: &'p MacKey,
    pub(super) revision: u64,
    pub(super) len: usize,
}

/// A slot of a new envelope, either copied from the old envelope or still to be sealed.
enum PendingSlot {
    Kept(EncodedSlot),
    New(SlotInfo, SlotSecret),
}

impl PendingSlot {
    fn info(&self) -> &SlotInfo {
        match self {
            PendingSlot::Kept(slot) => slot.info(),
            PendingSlot::New(info, _) => info,
        }
    }
}

impl fmt::Debug for PendingSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info().fmt(f)
    }
}

/// The secret of a slot that is still to be sealed.
enum SlotSecret {
    Key(Key),
    Passphrase(Passphrase, PassphraseCost),
}

impl SlotSecret {
    /// Returns the 32 bytes that the slot's keys are derived from (E-4.1).
    fn stretch(&self, salt: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>> {
        match self {
            SlotSecret::Key(key) => Ok(Zeroizing::new(*key.expose())),
            SlotSecret::Passphrase(passphrase, cost) => cost.stretch(passphrase, salt),
        }
    }
}
