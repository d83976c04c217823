//! Recovers chunks from a damaged container.

use zeroize::Zeroizing;

use crate::crypto::backend::TAG_LEN;
use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::ChunkOpener;
use crate::format::geometry::{Body, ChunkSize, HEADER_LEN, Layout};
use crate::format::header::{Header, HeaderCopy, is_valid};
use crate::format::run::open_run;
use crate::format::schedule::{Exporter, Schedule};
use crate::io::read_at::{ReadAt, read_full_at};
use crate::opening::preamble::{Preamble, read_footer};
use crate::opening::tail_check::trailing_data;
use crate::options::Options;

/// Reads the chunks of a damaged container that are present and authentic, whatever is wrong with
/// the others.
///
/// Use it for recovery only. It accepts whichever copy of the header matches the key, whereas
/// opening selects a copy independently of the key (F-3.4), and it does not authenticate the
/// plaintext length. Each chunk that it returns is authenticated individually.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use bulla::{ChunkSize, Key, Options, SalvageReader};
///
/// let key = Key::generate()?;
/// let options = Options::new().chunk_size(ChunkSize::MIN);
/// let container = bulla::seal(&key, &[7; 10_000], &options)?;
///
/// // Truncated within chunk 1.
/// let salvage = SalvageReader::new(&key, &container[..5000], &options)?;
/// assert_eq!(salvage.chunk(0).unwrap()[..], [7; 4096]);
/// assert!(salvage.chunk(1).is_none());
/// # Ok(()) }
/// ```
pub struct SalvageReader<S: ReadAt> {
    source: S,
    header: Header,
    exporter: Exporter,
    cipher: ChunkOpener,
    layout: Layout,
    /// The length of the source in bytes.
    size: u64,
    /// The chunks that an intact container of this length would have, not counting trailing data.
    body: Body,
}

impl<S: ReadAt> SalvageReader<S> {
    /// Reads both copies of the header and uses the first one that matches the key.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Preamble::read_at`], [`Error::ContextRequired`],
    /// [`Error::ContextUnexpected`] or [`Error::WrongKey`], and [`Error::Io`] if the length of the
    /// source cannot be read.
    pub fn new(key: &Key, source: S, options: &Options<'_>) -> Result<SalvageReader<S>> {
        let size = source.size()?;
        let (header, schedule) = unlock(&source, size, key, options)?;
        let layout = header.layout();
        let extra = trailing_data(&source, &header).ok().flatten().unwrap_or(0);
        Ok(SalvageReader {
            cipher: ChunkOpener::new(&schedule),
            exporter: schedule.exporter,
            body: layout.body_of_container(size - extra)?,
            layout,
            header,
            size,
            source,
        })
    }

    /// Returns the copy of the header that matches the key.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the number of plaintext bytes in every chunk except the last.
    pub fn chunk_size(&self) -> ChunkSize {
        self.layout.chunk
    }

    /// Derives a container-specific secret for a higher layer, like
    /// [`Draft::export`](crate::Draft::export).
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.exporter.export(label)
    }

    /// Returns the plaintext length, or `None` if the last chunk, which authenticates the length,
    /// is lost.
    pub fn plaintext_len(&self) -> Option<u64> {
        let last = self.chunk(self.body.full)?.len();
        let size = self.layout.chunk.bytes();
        (last < size).then(|| self.body.full * size as u64 + last as u64)
    }

    /// Returns the largest number of chunks that a source of this length can hold.
    pub fn max_chunks(&self) -> u64 {
        let full =
            self.size.saturating_sub(self.layout.head_len()) / self.layout.chunk.sealed() as u64;
        full.max(self.body.chunks())
    }

    /// Returns the plaintext of a chunk, or `None` if the chunk is missing, cannot be read, or is
    /// not authentic. Only the last chunk is shorter than
    /// [`chunk_size`](SalvageReader::chunk_size).
    pub fn chunk(&self, index: u64) -> Option<Zeroizing<Vec<u8>>> {
        if index >= self.max_chunks() {
            return None;
        }
        // A truncated container may have full chunks where an intact container of the same length
        // has its last chunk and its tail.
        let full = self.open(index, self.layout.chunk.sealed());
        full.or_else(|| {
            (index == self.body.full).then(|| self.open(index, self.body.rest as usize)).flatten()
        })
    }

    fn open(&self, index: u64, len: usize) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(vec![0; len]);
        let read = read_full_at(&self.source, &mut buffer, self.layout.chunk_offset(index)).ok()?;
        if read < len || len < TAG_LEN {
            return None;
        }
        let run = open_run(&self.cipher, index, self.layout.chunk, &mut buffer);
        buffer.truncate(run.plain_len);
        run.rejected.is_none().then_some(buffer)
    }
}

/// Returns the first copy of the header that matches the key, or the authoritative copy's error.
fn unlock<S: ReadAt>(
    source: &S,
    size: u64,
    key: &Key,
    options: &Options<'_>,
) -> Result<(Header, Schedule)> {
    let mut head = [0; HEADER_LEN];
    let is_whole = read_full_at(source, &mut head, 0).is_ok_and(|read| read == HEADER_LEN);
    let head = Some(head).filter(|head| is_whole && is_valid(head, HeaderCopy::Header));
    let footer = read_footer(source, size).ok().flatten();
    let footer = footer.filter(|footer| is_valid(footer, HeaderCopy::Footer));
    let unlock_copy = |copy: &[u8; HEADER_LEN]| {
        let header = Header::from_copy(copy)?;
        let schedule = header.unlock(key, options.context)?;
        Ok((header, schedule))
    };
    match (head.as_ref().map(unlock_copy), footer.as_ref().map(unlock_copy)) {
        (Some(Ok(found)), _) | (_, Some(Ok(found))) => Ok(found),
        (Some(Err(error)), _) | (None, Some(Err(error))) => Err(error),
        (None, None) => Err(Preamble::read_at(source).err().unwrap_or(Error::DamagedHeader)),
    }
}
