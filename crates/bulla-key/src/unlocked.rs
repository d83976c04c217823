//! An envelope that was opened.

use bulla::{Header, Key};
use ring::hmac::{Context, HMAC_SHA512, Key as HmacKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::slot::SlotId;
use crate::slots::{Making, Slots};

/// The label of the secret that an envelope is authenticated with (E-5.1).
pub(crate) const LABEL: &[u8] = b"bulla envelope";

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
/// let (envelope, _) = Envelope::of(&preamble)?;
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
    pub(crate) context: Option<Vec<u8>>,
    authentication: Authentication,
    intact: bool,
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

    /// Whether the envelope is as somebody with the container's key made it. If not, the container opens all the same, and that
    /// somebody changed its envelope is worth a warning (E-5.2).
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// The slots, to be changed and sealed anew: those that are kept stay as they are, byte for byte.
    ///
    /// # Errors
    ///
    /// [`Error::Altered`] unless the envelope [`is_intact`](Unlocked::is_intact). Begin with [`Slots::new`] then.
    pub fn slots(&self) -> Result<Slots> {
        if self.intact {
            Ok(Slots::kept(self.envelope.slots(), self.header.salt()))
        } else {
            Err(Error::Altered)
        }
    }

    /// The envelope's next revision, of the same length, with these slots: for a file beside the container, or an object in a store
    /// that cannot be patched. [`rewrap`](Unlocked::rewrap) writes it into the container.
    ///
    /// # Errors
    ///
    /// As [`Slots::seal`].
    pub fn seal(&self, slots: &Slots) -> Result<Vec<u8>> {
        self.seal_with_len(slots, self.envelope.bytes().len())
    }

    /// As [`seal`](Unlocked::seal), with another length. An envelope beside the container may have any, up to 2^20 bytes.
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

/// The secret that an envelope is authenticated with: exported from its container (E-5.1).
pub(crate) struct Authentication(pub(crate) Zeroizing<[u8; 32]>);

impl Authentication {
    pub(crate) fn mac(&self, covered: &[u8]) -> [u8; 32] {
        let mut context = Context::with_key(&HmacKey::new(HMAC_SHA512, &self.0[..]));
        context.update(covered);
        let mut mac = [0; 32];
        mac.copy_from_slice(&context.sign().as_ref()[..32]);
        mac
    }
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authentication(..)")
    }
}
