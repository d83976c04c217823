//! Everything that can be read without a key: the header, the footer and the envelope (FORMAT.md,
//! sections 3 and 8).

use std::io::Read;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::geometry::HEADER_LEN;
use crate::format::header::{Header, HeaderCopy, diagnose, is_valid};
use crate::io::read_at::{ReadAt, read_full_at};

/// The state of a container's header and footer (F-3.6).
///
/// The container opens in every state. If one copy is damaged, seal the plaintext into a new
/// container before the other copy is lost too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderState {
    /// The header and the footer are valid and match.
    Intact,
    /// The header is damaged. The footer was used.
    HeaderDamaged,
    /// The footer is damaged. The header was used.
    FooterDamaged,
    /// The header and the footer are valid but differ. The header was used.
    Differ,
}

/// The parts of a container that can be read without a key.
///
/// Read the preamble first if the key has to be unwrapped from the container's envelope. If the key
/// is already known, use [`open`](crate::open), [`Opener::new`](crate::Opener::new),
/// [`RangeReader::new`](crate::RangeReader::new) or [`open_file`](crate::open_file), which read the
/// preamble themselves.
#[derive(Clone, Debug)]
pub struct Preamble {
    header: Header,
    envelope: Bytes,
    envelope_copy: Option<Bytes>,
    header_state: Option<HeaderState>,
}

impl Preamble {
    /// Reads the header and the envelope from a stream, which is then positioned at chunk 0. The
    /// footer is not accessible in a stream, so the header must be valid.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotAContainer`], [`Error::UnsupportedVersion`], [`Error::DamagedHeader`],
    /// [`Error::UnsupportedSuite`], [`Error::UnsupportedFeature`], [`Error::Truncated`] or
    /// [`Error::Io`]. The checks are made in the order given in F-7.1.
    pub fn read(reader: &mut impl Read) -> Result<Preamble> {
        let mut head = Vec::with_capacity(HEADER_LEN);
        reader.by_ref().take(HEADER_LEN as u64).read_to_end(&mut head)?;
        let header = match head.first_chunk() {
            Some(head) if is_valid(head, HeaderCopy::Header) => Header::from_copy(head)?,
            _ => return Err(diagnose(&head)),
        };
        // `read_to_end` allocates as bytes arrive, so a header that claims a longer envelope than
        // there is does not cause a large allocation (F-7.7).
        let mut envelope = Vec::new();
        reader.by_ref().take(header.envelope_len().into()).read_to_end(&mut envelope)?;
        if envelope.len() < header.envelope_len() as usize {
            return Err(Error::Truncated { after: 0 });
        }
        Ok(Preamble { header, envelope: envelope.into(), envelope_copy: None, header_state: None })
    }

    /// Reads the header, the footer and both copies of the envelope.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`read`](Preamble::read), except that a damaged header is an
    /// error only if the footer cannot be used instead (F-3.4).
    pub fn read_at<S: ReadAt + ?Sized>(source: &S) -> Result<Preamble> {
        let len = source.size()?;
        let mut head = [0; HEADER_LEN];
        let head_len = read_full_at(source, &mut head, 0)?;
        let footer = read_footer(source, len)?;
        let (header, state) = select_copy(&head[..head_len], footer.as_ref())?;

        if len < header.body_offset() {
            return Err(Error::Truncated { after: 0 });
        }
        let read_envelope = |offset| -> Result<Bytes> {
            let mut envelope = vec![0; header.envelope_len() as usize];
            source.read_exact_at(&mut envelope, offset)?;
            Ok(envelope.into())
        };
        let envelope = read_envelope(HEADER_LEN as u64)?;
        let envelope_copy = header.envelope_copy_offset(len).map(read_envelope).transpose()?;
        Ok(Preamble { header, envelope, envelope_copy, header_state: Some(state) })
    }

    /// Returns the authoritative copy of the header: the header itself, or the footer if the header
    /// is damaged.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the envelope that follows the header. It is not authenticated (F-8.1).
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// Returns the copy of the envelope that precedes the footer, or `None` if it could not be
    /// read.
    pub fn envelope_copy(&self) -> Option<&[u8]> {
        self.envelope_copy.as_deref()
    }

    /// Returns the state of the header and the footer, or `None` if the preamble was read from a
    /// stream, where the footer is not known until the end.
    pub fn header_state(&self) -> Option<HeaderState> {
        self.header_state
    }
}

/// Information about a container that has been opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The container's header, authenticated by its commitment.
    pub header: Header,
    /// The plaintext length in bytes.
    pub plaintext_len: u64,
    /// The state of the header and the footer.
    pub header_state: HeaderState,
}

/// Reads the last 128 bytes of a source of `len` bytes. Returns `None` if they would overlap the
/// header.
pub(super) fn read_footer<S: ReadAt + ?Sized>(
    source: &S,
    len: u64,
) -> Result<Option<[u8; HEADER_LEN]>> {
    if len < 2 * HEADER_LEN as u64 {
        return Ok(None);
    }
    let mut footer = [0; HEADER_LEN];
    source.read_exact_at(&mut footer, len - HEADER_LEN as u64)?;
    Ok(Some(footer))
}

/// Returns how `footer` relates to the authoritative header.
pub(super) fn footer_state(header: &Header, footer: Option<&[u8; HEADER_LEN]>) -> HeaderState {
    match footer {
        Some(footer) if header.matches_footer(footer) => HeaderState::Intact,
        Some(footer) if is_valid(footer, HeaderCopy::Footer) => HeaderState::Differ,
        _ => HeaderState::FooterDamaged,
    }
}

/// Selects the authoritative copy: the header if it is valid, otherwise the footer. The choice must
/// not depend on a key (F-3.4).
fn select_copy(head: &[u8], footer: Option<&[u8; HEADER_LEN]>) -> Result<(Header, HeaderState)> {
    let valid_head = head.first_chunk().filter(|head| is_valid(head, HeaderCopy::Header));
    let valid_footer = footer.filter(|footer| is_valid(footer, HeaderCopy::Footer));
    match (valid_head, valid_footer) {
        (Some(head), footer) => {
            let header = Header::from_copy(head)?;
            let state = footer_state(&header, footer);
            Ok((header, state))
        }
        (None, Some(footer)) => Ok((Header::from_copy(footer)?, HeaderState::HeaderDamaged)),
        (None, None) => Err(diagnose(head)),
    }
}
