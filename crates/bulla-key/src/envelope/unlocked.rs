//! An opened envelope.

use bulla::{Header, Key};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::mac::{EXPORT_LABEL, MacKey};
use super::parse::{Envelope, Secret};
use super::slot::{EncodedSlot, SlotId, SlotKeys, SlotKind};
use super::slots::{EnvelopeParams, Slots};
use crate::error::{Error, Result};

/// An opened envelope, which gives access to the container's key and can write a new revision.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Draft, Key, Options, Preamble};
/// use bulla_key::{Envelope, Secret, Slots};
///
/// let recovery_key = Key::generate()?;
/// let mut slots = Slots::new();
/// slots.add_recovery_key(&recovery_key)?;
///
/// let container_key = Key::generate()?;
/// let draft = Draft::new(&container_key, &Options::new().envelope_len(Envelope::DEFAULT_LEN))?;
/// let envelope = slots.seal(&draft, &container_key)?;
/// let container = draft.envelope(&envelope)?.seal(b"a message")?;
///
/// let preamble = Preamble::read_at(&container)?;
/// let (envelope, _) = Envelope::from_preamble(&preamble)?;
/// let unlocked = envelope.open(&Secret::Key(&recovery_key), preamble.header(), None)?;
/// let (plaintext, _) = bulla::open(unlocked.key(), &container, &Options::new())?;
/// assert_eq!(plaintext, &b"a message"[..]);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Unlocked {
    key: Key,
    opened_by: SlotId,
    pub(super) envelope: Envelope,
    pub(super) header: Header,
    #[cfg_attr(
        not(any(unix, windows)),
        allow(dead_code, reason = "only `rewrap` reads this field, and it needs a file system")
    )]
    pub(super) context: Option<Vec<u8>>,
    mac_key: MacKey,
    intact: bool,
}

impl Envelope {
    /// Opens the envelope for the container with this header (E-4.3 to E-4.5).
    ///
    /// `context` is the context that the container was sealed with, if any.
    ///
    /// A passphrase is hashed once for each passphrase slot that is tried. Each hash takes about
    /// 0.1 s at the default cost, and its cost is bounded for any envelope (E-3.3).
    ///
    /// # Errors
    ///
    /// Returns [`Error::AnotherContainer`] if the envelope belongs to another container or the
    /// context is wrong; [`Error::WrongSecret`], [`Error::NoSuchSlot`] or [`Error::TooCostly`] if
    /// the secret opens no slot; [`Error::OutOfMemory`] if there is not enough memory to hash the
    /// passphrase; or [`Error::Container`] if the container needs a context and none is given, or
    /// vice versa.
    pub fn open(
        &self,
        secret: &Secret<'_>,
        header: &Header,
        context: Option<&[u8]>,
    ) -> Result<Unlocked> {
        match context {
            _ if !self.belongs_to(header) => return Err(Error::AnotherContainer),
            None if header.needs_context() => return Err(bulla::Error::ContextRequired.into()),
            Some(_) if !header.needs_context() => {
                return Err(bulla::Error::ContextUnexpected.into());
            }
            _ => {}
        }
        let (slot, keys) = self.find_slot(secret)?;
        let key = slot.unwrap(&keys, header.bound()).ok_or(Error::AnotherContainer)?;
        Unlocked::new(self, slot.info().id, key, header, context)
    }

    /// Finds the first slot that the secret opens (E-4.3).
    fn find_slot(&self, secret: &Secret<'_>) -> Result<(&EncodedSlot, SlotKeys)> {
        let mut error = Error::NoSuchSlot;
        for slot in self.slots() {
            let stretched = match (secret, &slot.info().kind) {
                (Secret::Key(key), SlotKind::RecoveryKey | SlotKind::Locator(_)) => {
                    Zeroizing::new(*key.expose())
                }
                (Secret::Passphrase(passphrase), SlotKind::Passphrase(cost)) => match slot.salt() {
                    Some(salt) => cost.stretch(passphrase, salt)?,
                    None => continue,
                },
                (Secret::Passphrase(_), SlotKind::TooCostly) => {
                    error = Error::TooCostly;
                    continue;
                }
                _ => continue,
            };
            if let Some(keys) = slot.check(&stretched) {
                return Ok((slot, keys));
            }
            if matches!(error, Error::NoSuchSlot) {
                error = Error::WrongSecret;
            }
        }
        Err(error)
    }
}

impl Unlocked {
    /// Accepts a slot's key if it is the container's key.
    fn new(
        envelope: &Envelope,
        opened_by: SlotId,
        key: Key,
        header: &Header,
        context: Option<&[u8]>,
    ) -> Result<Unlocked> {
        let secret = match header.export(&key, context, EXPORT_LABEL) {
            Err(bulla::Error::WrongKey) => return Err(Error::AnotherContainer),
            secret => secret?,
        };
        let mac_key = MacKey(secret);
        let (covered, stored) = envelope.authenticated();
        let intact = bool::from(mac_key.mac(covered)[..].ct_eq(stored));
        Ok(Unlocked {
            key,
            opened_by,
            envelope: envelope.clone(),
            header: header.clone(),
            context: context.map(<[u8]>::to_vec),
            mac_key,
            intact,
        })
    }

    /// Returns the container's key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Consumes the envelope and returns the container's key.
    pub fn into_key(self) -> Key {
        self.key
    }

    /// Returns the number of the slot that was opened.
    pub fn opened_by(&self) -> SlotId {
        self.opened_by
    }

    /// Returns whether the envelope was last written by someone with the container's key.
    ///
    /// The container opens either way, but callers should warn if the envelope was modified
    /// without the key (E-5.2).
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// Returns the slots, which can be changed and sealed again. Kept slots are copied byte for
    /// byte.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Altered`] if the envelope is not [intact](Unlocked::is_intact). In that
    /// case, start from [`Slots::new`].
    pub fn slots(&self) -> Result<Slots> {
        if self.intact {
            Ok(Slots::from_existing(self.envelope.slots(), self.header.salt()))
        } else {
            Err(Error::Altered)
        }
    }

    /// Seals the next revision of the envelope with these slots and the same length, for a separate
    /// file or for an object store without partial writes.
    ///
    /// To update the container's file, use [`rewrap`](Unlocked::rewrap).
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Slots::seal`].
    pub fn seal(&self, slots: &Slots) -> Result<Vec<u8>> {
        self.seal_with_len(slots, self.envelope.bytes().len())
    }

    /// Seals the next revision with another length. An envelope in a separate file may have any
    /// length up to 2^20 bytes.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Slots::seal`].
    pub fn seal_with_len(&self, slots: &Slots, len: usize) -> Result<Vec<u8>> {
        slots.encode(&EnvelopeParams {
            header: &self.header,
            key: &self.key,
            mac_key: &self.mac_key,
            // The revision stops at its maximum. Rewriting in place is safe even then (E-6.2).
            revision: self.envelope.revision().saturating_add(1),
            len,
        })
    }
}
