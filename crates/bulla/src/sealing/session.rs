//! The state of a seal operation, and its result.

use std::sync::Arc;

use crate::crypto::key::{Key, fill_random};
use crate::error::{Error, Result};
use crate::format::chunk::ChunkSealer;
use crate::format::geometry::MAX_ENVELOPE_LEN;
use crate::format::header::{ContentType, Header};
use crate::format::schedule::{Exporter, Schedule};
use crate::options::Options;

/// The result of sealing a container.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sealed {
    /// The container's header.
    pub header: Header,
    /// The plaintext length in bytes.
    pub plaintext_len: u64,
    /// The container length in bytes.
    pub container_len: u64,
    /// Whether the source grew while it was being sealed. The added bytes were not sealed.
    pub source_grew: bool,
}

/// Everything needed to seal one container, except its plaintext and its output.
///
/// A session seals only one container, because a chunk may be sealed only once per salt (F-6.1).
pub(crate) struct Session<'a> {
    pub(super) header: Header,
    pub(super) envelope: Vec<u8>,
    /// Shared with the threads that seal.
    pub(super) cipher: Arc<ChunkSealer>,
    pub(super) exporter: Exporter,
    pub(super) options: Options<'a>,
}

impl<'a> Session<'a> {
    /// Generates a random salt and derives the keys.
    pub(super) fn new(key: &Key, options: &Options<'a>) -> Result<Session<'a>> {
        let mut salt = [0; 32];
        fill_random(&mut salt)?;
        Session::with_salt(key, options, &salt)
    }

    pub(super) fn with_salt(
        key: &Key,
        options: &Options<'a>,
        salt: &[u8; 32],
    ) -> Result<Session<'a>> {
        if options.envelope_len > MAX_ENVELOPE_LEN {
            return Err(Error::EnvelopeLength {
                expected: MAX_ENVELOPE_LEN.into(),
                given: options.envelope_len.into(),
            });
        }
        let content_type = options.content_type.unwrap_or(ContentType::BYTES);
        let header = Header::new(options.layout(), content_type, options.context.is_some(), salt);
        let schedule = Schedule::derive(key, header.bound(), options.context);
        Ok(Session {
            header: header.with_commitment(&schedule.commitment),
            envelope: vec![0; options.envelope_len as usize],
            cipher: Arc::new(ChunkSealer::new(&schedule)),
            exporter: schedule.exporter,
            options: *options,
        })
    }

    /// Returns the bytes before the first chunk.
    pub(super) fn head(&self) -> Vec<u8> {
        [&self.header.to_bytes()[..], &self.envelope].concat()
    }

    /// Returns the bytes after the last chunk of a container of `container_len` bytes.
    pub(super) fn tail(&self, container_len: u64) -> Vec<u8> {
        [&self.envelope, &self.header.to_footer(container_len)[..]].concat()
    }
}
