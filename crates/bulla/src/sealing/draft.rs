//! A container about to be sealed: salt drawn, keys derived, nothing written.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::key::{Key, fill_random};
use crate::error::{Error, Result};
use crate::format::chunk::ChunkSealer;
use crate::format::geometry::{Layout, MAX_ENVELOPE_LEN};
use crate::format::header::{ContentType, Header};
use crate::format::schedule::{Exporter, Schedule};
use crate::options::Options;

/// A container about to be sealed. All sealing starts here, and consumes the draft: a salt is used
/// for one container (F-6.1), so there is no `Clone`.
///
/// It is of use by itself when the envelope depends on the salt or on exported secrets (F-8.3);
/// else [`seal`](crate::seal), [`Sealer::new`](crate::Sealer::new) and
/// [`seal_file`](crate::seal_file) make one on their own.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use bulla::{Draft, Key, Options, Preamble};
///
/// let key = Key::generate()?;
/// let draft = Draft::new(&key, &Options::new().envelope_len(64))?;
/// let secret = draft.export(b"example.org wrap");
/// # let wrap = |_: &[u8], _: &[u8]| [7; 64];
/// let envelope = wrap(&secret[..], draft.header().salt());
/// let container = draft.envelope(&envelope)?.seal(b"a message")?;
///
/// let preamble = Preamble::read_at(&container)?;
/// assert_eq!(preamble.envelope(), envelope);
/// # Ok(()) }
/// ```
#[must_use = "a draft seals nothing until it is told to"]
pub struct Draft<'a> {
    pub(crate) header: Header,
    pub(crate) envelope: Vec<u8>,
    /// Shared with the threads that seal.
    pub(crate) cipher: Arc<ChunkSealer>,
    pub(crate) exporter: Exporter,
    pub(crate) options: Options<'a>,
}

impl<'a> Draft<'a> {
    /// Draws a salt and derives the keys.
    ///
    /// # Errors
    ///
    /// [`Error::NoRandomness`]; [`Error::EnvelopeLength`] if the envelope is to be longer than 2^20
    /// bytes.
    pub fn new(key: &Key, options: &Options<'a>) -> Result<Draft<'a>> {
        let mut salt = [0; 32];
        fill_random(&mut salt)?;
        Draft::under(key, options, &salt)
    }

    pub(crate) fn under(key: &Key, options: &Options<'a>, salt: &[u8; 32]) -> Result<Draft<'a>> {
        if options.envelope_len > MAX_ENVELOPE_LEN {
            return Err(Error::EnvelopeLength {
                expected: MAX_ENVELOPE_LEN.into(),
                given: options.envelope_len.into(),
            });
        }
        let layout = layout(options);
        let content_type = options.content_type.unwrap_or(ContentType::BYTES);
        let header = Header::new(layout, content_type, options.context.is_some(), salt);
        let schedule = Schedule::derive(key, &header, options.context);
        Ok(Draft {
            header: header.with_commitment(&schedule.commitment),
            envelope: vec![0; options.envelope_len as usize],
            cipher: Arc::new(ChunkSealer::new(&schedule)),
            exporter: schedule.exporter,
            options: *options,
        })
    }

    /// The header that the container will have.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A secret of this container for a layer above (F-4.5). Labels that begin with `bulla ` or
    /// `archive` are reserved.
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.exporter.export(label)
    }

    /// Whether this is the key that the container will be sealed under: to be asked before the key
    /// is wrapped.
    pub fn matches(&self, key: &Key) -> bool {
        self.header.matches(key, self.options.context)
    }

    /// Sets the envelope.
    ///
    /// # Errors
    ///
    /// [`Error::EnvelopeLength`] unless it is exactly as long as [`Options::envelope_len`] said.
    pub fn envelope(mut self, envelope: &[u8]) -> Result<Draft<'a>> {
        if envelope.len() != self.envelope.len() {
            return Err(Error::EnvelopeLength {
                expected: self.envelope.len() as u64,
                given: envelope.len() as u64,
            });
        }
        self.envelope.copy_from_slice(envelope);
        Ok(self)
    }

    /// The bytes before the first chunk.
    pub(crate) fn head(&self) -> Vec<u8> {
        [&self.header.to_head()[..], &self.envelope].concat()
    }

    /// The bytes behind the last chunk of a container of `container_len` bytes.
    pub(crate) fn tail(&self, container_len: u64) -> Vec<u8> {
        [&self.envelope, &self.header.to_foot(container_len)[..]].concat()
    }
}

pub(crate) fn layout(options: &Options<'_>) -> Layout {
    Layout { chunk: options.chunk_size, envelope_len: options.envelope_len }
}

/// What sealing did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sealed {
    /// The container's header.
    pub header: Header,
    /// Bytes of plaintext.
    pub plaintext_len: u64,
    /// Bytes of the whole container.
    pub container_len: u64,
    /// Whether the source had become longer than it was when sealing started; it was cut there.
    pub source_grew: bool,
}
