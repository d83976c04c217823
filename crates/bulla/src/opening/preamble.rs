//! What can be read of a container before a key is at hand: header and envelope (FORMAT.md, 3 and
//! 8).

use std::io::Read;

use bytes::Bytes;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::geometry::HEADER_LEN;
use crate::format::header::{Header, Place, is_valid, refusal};
use crate::format::schedule::Schedule;
use crate::io::read_at::{ReadAt, read_full_at};
use crate::options::Options;

/// The state of the two copies of a container's public facts (F-3.6). Nothing of it keeps a
/// container from opening; but a copy that is damaged should be mended, by sealing anew, before the
/// other one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderState {
    /// Both are valid and the same.
    Intact,
    /// The header is damaged; the footer was used.
    HeaderDamaged,
    /// The footer is damaged; the header was used.
    FooterDamaged,
    /// Both are valid and they differ; the header was used.
    Differ,
}

/// What a container shows before a key is at hand.
///
/// It is the first step of opening a container whose key has to be unwrapped from its envelope
/// first; with the key at hand, [`open`](crate::open), [`Opener::new`](crate::Opener::new),
/// [`RangeReader::new`](crate::RangeReader::new) and [`open_file`](crate::open_file) take it on
/// their own.
#[derive(Clone, Debug)]
pub struct Preamble {
    header: Header,
    envelope: Bytes,
    envelope_copy: Option<Bytes>,
    header_state: Option<HeaderState>,
}

impl Preamble {
    /// Reads header and envelope from a stream, which then stands at chunk 0. Without positional
    /// access a damaged header cannot be made up for.
    ///
    /// # Errors
    ///
    /// [`Error::NotAContainer`], [`Error::UnsupportedVersion`], [`Error::DamagedHeader`],
    /// [`Error::UnsupportedSuite`], [`Error::UnsupportedFeature`], [`Error::Truncated`],
    /// [`Error::Io`], in the order of F-7.1.
    pub fn read(reader: &mut impl Read) -> Result<Preamble> {
        let mut head = Vec::with_capacity(HEADER_LEN);
        reader.by_ref().take(HEADER_LEN as u64).read_to_end(&mut head)?;
        let header = match head.first_chunk() {
            Some(head) if is_valid(head, Place::Head) => Header::from_copy(head)?,
            _ => return Err(refusal(&head)),
        };
        // `read_to_end` grows with what comes in: a header that lies about its envelope costs
        // nothing.
        let mut envelope = Vec::new();
        reader.by_ref().take(header.envelope_len().into()).read_to_end(&mut envelope)?;
        if envelope.len() < header.envelope_len() as usize {
            return Err(Error::Truncated { after: 0 });
        }
        Ok(Preamble { header, envelope: envelope.into(), envelope_copy: None, header_state: None })
    }

    /// Reads header, footer and both copies of the envelope.
    ///
    /// # Errors
    ///
    /// As [`read`](Preamble::read), but a damaged header is an error only if the footer cannot
    /// stand in for it (F-3.4).
    pub fn read_at<S: ReadAt + ?Sized>(source: &S) -> Result<Preamble> {
        let len = source.size()?;
        let mut head = [0; HEADER_LEN];
        let head_len = read_full_at(source, &mut head, 0)?;
        let foot = read_foot(source, len)?;
        let (header, copies) = choose(&head[..head_len], foot.as_ref())?;

        let layout = header.layout();
        if len < layout.head_len() {
            return Err(Error::Truncated { after: 0 });
        }
        let envelope_at = |offset| -> Result<Bytes> {
            let mut envelope = vec![0; header.envelope_len() as usize];
            source.read_exact_at(&mut envelope, offset)?;
            Ok(envelope.into())
        };
        let envelope = envelope_at(HEADER_LEN as u64)?;
        let envelope_copy = if len >= layout.head_len() + layout.tail_len() {
            Some(envelope_at(len - layout.tail_len())?)
        } else {
            None
        };
        Ok(Preamble { header, envelope, envelope_copy, header_state: Some(copies) })
    }

    /// The header, or the footer that stands in for it.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The envelope, as it is stored behind the header. Nothing of it is authenticated (F-8.1).
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// The envelope's copy before the footer, where it could be read.
    pub fn envelope_copy(&self) -> Option<&[u8]> {
        self.envelope_copy.as_deref()
    }

    /// The state of header and footer; `None` from a stream, which tells it at its end.
    pub fn header_state(&self) -> Option<HeaderState> {
        self.header_state
    }

    pub(crate) fn unlock(&self, key: &Key, options: &Options<'_>) -> Result<Schedule> {
        Schedule::of_sealed(key, &self.header, options.context)
    }
}

/// What opening found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opened {
    /// The container's header, now authenticated by its commitment.
    pub header: Header,
    /// Bytes of plaintext.
    pub plaintext_len: u64,
    /// The state of header and footer.
    pub header_state: HeaderState,
}

/// The last 128 bytes; none if they would overlap with the header.
pub(crate) fn read_foot<S: ReadAt + ?Sized>(
    source: &S,
    len: u64,
) -> Result<Option<[u8; HEADER_LEN]>> {
    if len < 2 * HEADER_LEN as u64 {
        return Ok(None);
    }
    let mut foot = [0; HEADER_LEN];
    source.read_exact_at(&mut foot, len - HEADER_LEN as u64)?;
    Ok(Some(foot))
}

/// Which copy counts: the header if it is valid, else the footer (F-3.4). No key has a say in it.
fn choose(head: &[u8], foot: Option<&[u8; HEADER_LEN]>) -> Result<(Header, HeaderState)> {
    let valid_head = head.first_chunk().filter(|head| is_valid(head, Place::Head));
    let valid_foot = foot.filter(|foot| is_valid(foot, Place::Foot));
    match (valid_head, valid_foot) {
        (Some(head), foot) => {
            let header = Header::from_copy(head)?;
            let copies = state_of_foot(&header, foot);
            Ok((header, copies))
        }
        (None, Some(foot)) => Ok((Header::from_copy(foot)?, HeaderState::HeaderDamaged)),
        (None, None) => Err(refusal(head)),
    }
}

/// How a footer relates to the header that counts; `None` for a footer that is not there.
pub(crate) fn state_of_foot(header: &Header, foot: Option<&[u8; HEADER_LEN]>) -> HeaderState {
    match foot {
        Some(foot) if header.stands_in(foot) => HeaderState::Intact,
        Some(foot) if is_valid(foot, Place::Foot) => HeaderState::Differ,
        _ => HeaderState::FooterDamaged,
    }
}
