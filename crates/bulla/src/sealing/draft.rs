//! The entry point for sealing.

#[cfg(any(unix, windows))]
use std::fs::File;
use std::io::Write;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::header::Header;
use crate::options::Options;
#[cfg(any(unix, windows))]
use crate::sealing::file;
use crate::sealing::plan::Plan;
use crate::sealing::sealer::Sealer;
use crate::sealing::session::{Sealed, Session};
use crate::sealing::{extents, memory};

/// A container that is about to be sealed: its salt and keys have been generated, but nothing has
/// been written.
///
/// Use it when the envelope depends on the salt or on exported secrets (F-8.3). Otherwise,
/// [`seal`](crate::seal), [`Sealer::new`] and [`seal_file`](crate::seal_file) are simpler.
///
/// Sealing consumes the draft, and a draft cannot be cloned, because a salt must be used for only
/// one container (F-6.1).
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
#[must_use = "a draft does nothing until it is sealed"]
pub struct Draft<'a>(Session<'a>);

impl<'a> Draft<'a> {
    /// Generates a random salt and derives the keys.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoRandomness`], or [`Error::EnvelopeLength`] if [`Options::envelope_len`]
    /// is above 2^20 bytes.
    pub fn new(key: &Key, options: &Options<'a>) -> Result<Draft<'a>> {
        Ok(Draft(Session::new(key, options)?))
    }

    /// Returns the header that the container will have.
    pub fn header(&self) -> &Header {
        &self.0.header
    }

    /// Derives a container-specific secret for a higher layer (F-4.5). Labels that begin with
    /// `archive` or `bulla ` are reserved.
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.0.exporter.export(label)
    }

    /// Returns whether the container will be sealed under `key`. Check this before wrapping the key
    /// in the envelope.
    pub fn matches(&self, key: &Key) -> bool {
        self.0.header.matches(key, self.0.options.context)
    }

    /// Sets the content of the envelope.
    ///
    /// # Errors
    ///
    /// Returns [`Error::EnvelopeLength`] unless `envelope` is exactly [`Options::envelope_len`]
    /// bytes long.
    pub fn envelope(mut self, envelope: &[u8]) -> Result<Draft<'a>> {
        let reserved = &mut self.0.envelope;
        if envelope.len() != reserved.len() {
            return Err(Error::EnvelopeLength {
                expected: reserved.len() as u64,
                given: envelope.len() as u64,
            });
        }
        reserved.copy_from_slice(envelope);
        Ok(self)
    }

    /// Seals `plaintext` into a new buffer.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`] or [`Error::Cancelled`].
    pub fn seal(self, plaintext: &[u8]) -> Result<Bytes> {
        memory::seal_session(&self.0, plaintext)
    }

    /// Seals `plaintext` into `out`, which must be exactly [`sealed_len`](crate::sealed_len) bytes
    /// long.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`seal`](Draft::seal), and [`Error::BufferLength`].
    pub fn seal_into(self, plaintext: &[u8], out: &mut [u8]) -> Result<()> {
        memory::seal_session_into(&self.0, plaintext, out)
    }

    /// Writes the header and the envelope to `writer`, and returns a [`Sealer`] for the plaintext.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Io`] if writing fails.
    pub fn sealer<W: Write>(self, writer: W) -> Result<Sealer<'a, W>> {
        Sealer::start(self.0, writer)
    }

    /// Seals all of `input` into `output`, like [`seal_file`](crate::seal_file).
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`seal_file`](crate::seal_file).
    #[cfg(any(unix, windows))]
    pub fn seal_file(self, input: &File, output: &File) -> Result<Sealed> {
        file::seal_session(self.0, input, output)
    }

    /// Seals `plan` into `output`, which must be empty. If `output` is a regular file, all workers
    /// fill, seal and write extents in parallel. Otherwise, extents are written in order.
    ///
    /// # Errors
    ///
    /// Returns any error from the plan, and those errors of [`seal_file`](crate::seal_file) that
    /// concern the output. On an error, a regular `output` is truncated to zero bytes.
    #[cfg(any(unix, windows))]
    pub fn seal_plan(self, plan: &impl Plan, output: &File) -> Result<Sealed> {
        file::seal_session_plan(self.0, plan, output)
    }

    /// Seals `plan` into `writer` and returns `writer`. Extents are filled and sealed on all
    /// workers, and written in order on the calling thread.
    ///
    /// # Errors
    ///
    /// Returns any error from the plan, and any error that [`Sealer`] returns.
    pub fn seal_plan_to<W: Write>(self, plan: &impl Plan, writer: W) -> Result<(W, Sealed)> {
        extents::seal_in_order(self.0, plan, writer)
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn with_salt(
        key: &Key,
        options: &Options<'a>,
        salt: &[u8; 32],
    ) -> Result<Draft<'a>> {
        Ok(Draft(Session::with_salt(key, options, salt)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-3.8, F-4.4, F-4.5
    #[test]
    fn header_matches_its_key_and_context_and_exports_the_same_secrets() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        for sealed_with in [None, Some(&b"a"[..])] {
            let options = Options { context: sealed_with, ..Options::new() };
            let draft = Draft::new(&key, &options).unwrap();
            let header = draft.header();
            for given in [None, Some(&b"a"[..]), Some(b"b")] {
                assert_eq!(header.matches(&key, given), given == sealed_with);
                assert!(!header.matches(&other, given));
            }
            let exported = header.export(&key, sealed_with, b"label").unwrap();
            assert_eq!(*exported, *draft.export(b"label"));
            assert_ne!(*exported, *draft.export(b"another"));
            assert_eq!(header.export(&other, sealed_with, b"label"), Err(Error::WrongKey));
            let export = |given| header.export(&key, given, b"label");
            match sealed_with {
                Some(_) => assert_eq!(export(None), Err(Error::ContextRequired)),
                None => assert_eq!(export(Some(b"a")), Err(Error::ContextUnexpected)),
            }
            assert!(draft.matches(&key) && !draft.matches(&other));
        }
    }
}
