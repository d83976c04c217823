//! An envelope that was opened.

use bulla::{Header, Key};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::authentication::{Authentication, LABEL};
use crate::envelope::{Envelope, Secret};
use crate::error::{Error, Result};
use crate::slot::{Opening, Slot, SlotId, SlotKind};
use crate::slots::{Making, Slots};

/// An envelope that was opened: the container's key, and what it takes to write the envelope anew.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Draft, Key, Opener, Options, Preamble};
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
    pub(crate) envelope: Envelope,
    pub(crate) header: Header,
    #[cfg_attr(
        not(any(unix, windows)),
        allow(dead_code, reason = "files are for systems that have them")
    )]
    pub(crate) context: Option<Vec<u8>>,
    authentication: Authentication,
    intact: bool,
}

impl Envelope {
    /// Opens it, for the container with this header (E-4.3 to E-4.5). Give the context that the
    /// container was sealed with, if any.
    ///
    /// With a passphrase this takes as long as the slots ask for: within bounds, about 0.1 s for
    /// each with the default cost.
    ///
    /// # Errors
    ///
    /// [`Error::AnotherContainer`], [`Error::WrongSecret`], [`Error::NoSuchSlot`],
    /// [`Error::TooCostly`], [`Error::OutOfMemory`]; [`Error::Container`] if a context is
    /// needed and none was given, or the other way round.
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
        let (slot, opening) = self.find(secret)?;
        let key = slot.unwrap(&opening, header.bound()).ok_or(Error::AnotherContainer)?;
        Unlocked::new(self, slot.info().id, key, header, context)
    }

    /// The slot that a secret opens (E-4.3).
    fn find(&self, secret: &Secret<'_>) -> Result<(&Slot, Opening)> {
        let mut failure = Error::NoSuchSlot;
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
                    failure = Error::TooCostly;
                    continue;
                }
                _ => continue,
            };
            if let Some(opening) = slot.opening(&stretched) {
                return Ok((slot, opening));
            }
            if matches!(failure, Error::NoSuchSlot) {
                failure = Error::WrongSecret;
            }
        }
        Err(failure)
    }
}

impl Unlocked {
    /// Takes the key that a slot gave, if it is the container's.
    pub(crate) fn new(
        envelope: &Envelope,
        opened_by: SlotId,
        key: Key,
        header: &Header,
        context: Option<&[u8]>,
    ) -> Result<Unlocked> {
        let secret = match header.export(&key, context, LABEL) {
            Err(bulla::Error::WrongKey) => return Err(Error::AnotherContainer),
            secret => secret?,
        };
        let authentication = Authentication(secret);
        let (covered, stored) = envelope.authenticated();
        let intact = bool::from(authentication.mac(covered)[..].ct_eq(stored));
        Ok(Unlocked {
            key,
            opened_by,
            envelope: envelope.clone(),
            header: header.clone(),
            context: context.map(<[u8]>::to_vec),
            authentication,
            intact,
        })
    }

    /// The container's key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The container's key, to be kept.
    pub fn into_key(self) -> Key {
        self.key
    }

    /// The slot that was opened.
    pub fn opened_by(&self) -> SlotId {
        self.opened_by
    }

    /// Whether the envelope is as somebody with the container's key made it. If not, the container
    /// opens all the same, and that somebody changed its envelope is worth a warning (E-5.2).
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// The slots, to be changed and sealed anew: those that are kept stay as they are, byte for
    /// byte.
    ///
    /// # Errors
    ///
    /// [`Error::Altered`] unless the envelope [`is_intact`](Unlocked::is_intact). Begin with
    /// [`Slots::new`] then.
    pub fn slots(&self) -> Result<Slots> {
        if self.intact {
            Ok(Slots::kept(self.envelope.slots(), self.header.salt()))
        } else {
            Err(Error::Altered)
        }
    }

    /// The envelope's next revision, of the same length, with these slots: for a file beside the
    /// container, or an object in a store that cannot be patched. [`rewrap`](Unlocked::rewrap)
    /// writes it into the container.
    ///
    /// # Errors
    ///
    /// As [`Slots::seal`].
    pub fn seal(&self, slots: &Slots) -> Result<Vec<u8>> {
        self.seal_with_len(slots, self.envelope.bytes().len())
    }

    /// As [`seal`](Unlocked::seal), with another length. An envelope beside the container may have
    /// any, up to 2^20 bytes.
    ///
    /// # Errors
    ///
    /// As [`Slots::seal`].
    pub fn seal_with_len(&self, slots: &Slots, len: usize) -> Result<Vec<u8>> {
        slots.make(&Making {
            header: &self.header,
            key: &self.key,
            authentication: &self.authentication,
            // At the last revision it stays: rewriting in place is safe with that too (E-6.2).
            revision: self.envelope.revision().saturating_add(1),
            len,
        })
    }
}
