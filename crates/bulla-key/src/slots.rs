//! The slots of an envelope about to be made.

use bulla::{Draft, Header, Key};
use zeroize::Zeroizing;

use crate::authentication::{Authentication, LABEL};
use crate::envelope::{HEAD_LEN, MAGIC, MAX_PASSPHRASE_SLOTS, MAX_SLOTS, TAIL_LEN, VERSION, check};
use crate::error::{Error, Result};
use crate::locator::Locator;
use crate::passphrase::{Passphrase, PassphraseCost};
use crate::slot::{Slot, SlotId, SlotInfo, SlotKind};

/// The slots of an envelope about to be made: new ones, and those that are kept of one that was
/// opened.
///
/// It holds the secrets of new slots until it is dropped, when they are wiped. Sealing it twice
/// gives different envelopes: salts are fresh each time (E-3.1).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::Key;
/// use bulla_key::{Passphrase, PassphraseCost, Slots};
///
/// let mut slots = Slots::new();
/// let key = slots.add_recovery_key(&Key::generate()?)?;
/// slots.add_passphrase(&Passphrase::new("correct horse battery staple")?, PassphraseCost::default())?;
/// slots.remove(key)?;
/// assert_eq!(slots.list().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Slots {
    entries: Vec<Entry>,
    /// The container that the kept ones belong to.
    salt: Option<[u8; 32]>,
}

enum Entry {
    Kept(Slot),
    New(SlotInfo, NewSecret),
}

enum NewSecret {
    Key(Key),
    Passphrase(Passphrase, PassphraseCost),
}

/// What an envelope is made for.
pub(crate) struct Making<'m> {
    pub(crate) header: &'m Header,
    pub(crate) key: &'m Key,
    pub(crate) authentication: &'m Authentication,
    pub(crate) revision: u64,
    pub(crate) len: usize,
}

impl Slots {
    /// No slots.
    pub fn new() -> Slots {
        Slots::default()
    }

    pub(crate) fn kept(slots: &[Slot], salt: &[u8; 32]) -> Slots {
        Slots { entries: slots.iter().cloned().map(Entry::Kept).collect(), salt: Some(*salt) }
    }

    /// Adds a slot that a recovery key opens.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySlots`].
    pub fn add_recovery_key(&mut self, key: &Key) -> Result<SlotId> {
        self.add(SlotKind::RecoveryKey, NewSecret::Key(Key::from_bytes(key.expose())))
    }

    /// Adds a slot that a passphrase opens.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySlots`], also if there are 8 for passphrases already.
    pub fn add_passphrase(
        &mut self,
        passphrase: &Passphrase,
        cost: PassphraseCost,
    ) -> Result<SlotId> {
        let is_passphrase =
            |info: &SlotInfo| matches!(info.kind, SlotKind::Passphrase(_) | SlotKind::TooCostly);
        if self.entries.iter().filter(|entry| is_passphrase(entry.info())).count()
            >= MAX_PASSPHRASE_SLOTS
        {
            return Err(Error::TooManySlots);
        }
        self.add(SlotKind::Passphrase(cost), NewSecret::Passphrase(passphrase.clone(), cost))
    }

    /// Adds a slot that a recovery key opens which lies in a vault, and says where.
    ///
    /// # Errors
    ///
    /// [`Error::TooManySlots`].
    pub fn add_locator(&mut self, key: &Key, locator: Locator) -> Result<SlotId> {
        self.add(SlotKind::Locator(locator), NewSecret::Key(Key::from_bytes(key.expose())))
    }

    /// Removes a slot. **It does not take back what its secret has opened**: who has an older copy
    /// of the envelope, or the container's key, still opens the container. Only sealing anew
    /// shuts them out (E-5.4).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSlot`].
    pub fn remove(&mut self, id: SlotId) -> Result<()> {
        let at = self
            .entries
            .iter()
            .position(|entry| entry.info().id == id)
            .ok_or(Error::UnknownSlot { id: id.0 })?;
        self.entries.remove(at);
        Ok(())
    }

    /// The slots there are.
    pub fn list(&self) -> Vec<SlotInfo> {
        self.entries.iter().map(|entry| entry.info().clone()).collect()
    }

    /// The envelope of a container about to be sealed, of the length that the draft reserves.
    ///
    /// This takes as long as opening every new slot.
    ///
    /// # Errors
    ///
    /// [`Error::WrongContainerKey`] if the draft was made with another key; [`Error::NoSlots`],
    /// [`Error::NoRoom`], [`Error::OutOfMemory`]; [`Error::AnotherContainer`] if slots were
    /// kept of another container's envelope; [`Error::Container`] if the system gave no random
    /// bytes.
    pub fn seal(&self, draft: &Draft<'_>, container_key: &Key) -> Result<Vec<u8>> {
        self.seal_with_len(draft, container_key, draft.header().envelope_len() as usize)
    }

    /// As [`seal`](Slots::seal), with a length of its own: for a file beside the container, which
    /// may have none reserved.
    ///
    /// # Errors
    ///
    /// As [`seal`](Slots::seal).
    pub fn seal_with_len(
        &self,
        draft: &Draft<'_>,
        container_key: &Key,
        len: usize,
    ) -> Result<Vec<u8>> {
        if !draft.matches(container_key) {
            return Err(Error::WrongContainerKey);
        }
        self.make(&Making {
            header: draft.header(),
            key: container_key,
            authentication: &Authentication(draft.export(LABEL)),
            revision: 1,
            len,
        })
    }

    /// The envelope's bytes (E-2.1).
    pub(crate) fn make(&self, making: &Making<'_>) -> Result<Vec<u8>> {
        let Making { header, key, authentication, revision, len } = making;
        if self.salt.is_some_and(|salt| salt != *header.salt()) {
            return Err(Error::AnotherContainer);
        }
        if self
            .entries
            .iter()
            .all(|entry| matches!(entry.info().kind, SlotKind::Unknown(_) | SlotKind::TooCostly))
        {
            return Err(Error::NoSlots);
        }
        let mut slots: Vec<u8> = Vec::new();
        for entry in &self.entries {
            match entry {
                Entry::Kept(slot) => slots.extend(slot.bytes()),
                Entry::New(info, secret) => {
                    let slot =
                        Slot::seal(info.clone(), |salt| secret.stretch(salt), header.bound(), key)?;
                    slots.extend(slot.bytes());
                }
            }
        }
        let needed = HEAD_LEN + slots.len() + TAIL_LEN;
        if needed > *len || *len > 1 << 20 {
            return Err(Error::NoRoom { needed, room: *len });
        }
        let mut bytes = Vec::with_capacity(*len);
        bytes.extend(MAGIC);
        bytes.extend([VERSION, 0]);
        // At most 32 slots, and 2^20 bytes.
        bytes.extend((self.entries.len() as u16).to_be_bytes());
        bytes.extend((*len as u32).to_be_bytes());
        bytes.extend(revision.to_be_bytes());
        bytes.extend([0; 8]);
        bytes.extend(header.salt());
        bytes.extend(slots);
        bytes.resize(len - TAIL_LEN, 0);
        bytes.extend(authentication.mac(&bytes));
        bytes.extend(check(&bytes));
        Ok(bytes)
    }

    fn add(&mut self, kind: SlotKind, secret: NewSecret) -> Result<SlotId> {
        if self.entries.len() >= MAX_SLOTS {
            return Err(Error::TooManySlots);
        }
        let id = self.unused_id();
        self.entries.push(Entry::New(SlotInfo { id, kind }, secret));
        Ok(id)
    }

    /// One above the highest, so that the number of a slot that was removed is not given out at
    /// once; else the lowest that is free.
    fn unused_id(&self) -> SlotId {
        let is_used = |id: u16| self.entries.iter().any(|entry| entry.info().id.0 == id);
        let highest = self.entries.iter().map(|entry| entry.info().id.0).max().unwrap_or(0);
        let lowest = || (1..u16::MAX).find(|id| !is_used(*id)).unwrap_or(u16::MAX);
        SlotId(highest.checked_add(1).unwrap_or_else(lowest))
    }
}

impl Entry {
    fn info(&self) -> &SlotInfo {
        match self {
            Entry::Kept(slot) => slot.info(),
            Entry::New(info, _) => info,
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.info().fmt(f)
    }
}

impl NewSecret {
    fn stretch(&self, salt: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>> {
        match self {
            NewSecret::Key(key) => Ok(Zeroizing::new(*key.expose())),
            NewSecret::Passphrase(passphrase, cost) => cost.stretch(passphrase, salt),
        }
    }
}
