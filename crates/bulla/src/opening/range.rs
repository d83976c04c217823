//! Reads byte ranges of a container.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::crypto::backend::TAG_LEN;
use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::ChunkOpener;
use crate::format::geometry::{Body, Layout};
use crate::format::header::Header;
use crate::format::run::open_run;
use crate::format::schedule::Exporter;
use crate::io::read_at::{ReadAt, read_full_at};
use crate::opening::preamble::{HeaderState, Opened, Preamble};
use crate::opening::tail_check::diagnose_last_chunk;
use crate::options::Options;
use crate::parallel::for_each::{EXTENT_LEN, for_each};

/// Reads byte ranges of a container's plaintext, concurrently from many threads if needed.
///
/// Creating a reader authenticates the plaintext length (F-7.6). Nothing is cached: every call
/// reads and opens all chunks that its range touches. A large range is opened on all
/// [`Workers`](crate::Workers).
///
/// A `RangeReader` is itself a [`ReadAt`] source of the plaintext.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use bulla::{Key, Options, RangeReader};
///
/// let key = Key::generate()?;
/// let container = bulla::seal(&key, b"a long message", &Options::new())?;
///
/// let reader = RangeReader::new(&key, container, &Options::new())?;
/// assert_eq!(reader.len(), 14);
/// assert_eq!(reader.range(2..6)?, "long");
/// # Ok(()) }
/// ```
pub struct RangeReader<'a, S: ReadAt> {
    source: S,
    header: Header,
    header_state: HeaderState,
    exporter: Exporter,
    pub(super) cipher: ChunkOpener,
    pub(super) layout: Layout,
    pub(super) body: Body,
    len: u64,
    pub(super) options: Options<'a>,
}

impl<'a, S: ReadAt> RangeReader<'a, S> {
    /// Reads the header, the footer and the last chunk, and checks the key.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Preamble::read_at`] and
    /// [`with_preamble`](RangeReader::with_preamble).
    pub fn new(key: &Key, source: S, options: &Options<'a>) -> Result<RangeReader<'a, S>> {
        let preamble = Preamble::read_at(&source)?;
        RangeReader::with_preamble(preamble, key, source, options)
    }

    /// Opens a container whose preamble has already been read.
    ///
    /// # Errors
    ///
    /// Returns [`Error::ContextRequired`], [`Error::ContextUnexpected`], [`Error::WrongKey`],
    /// [`Error::TooLarge`] or [`Error::Io`]. If the last chunk cannot be verified, returns
    /// [`Error::TrailingData`], [`Error::ChunkRejected`] or [`Error::Truncated`].
    pub fn with_preamble(
        preamble: Preamble,
        key: &Key,
        source: S,
        options: &Options<'a>,
    ) -> Result<RangeReader<'a, S>> {
        let reader = RangeReader::unverified(preamble, key, source, options)?;
        reader.verify_last()?;
        Ok(reader)
    }

    /// Returns the plaintext length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether the plaintext is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the header, the plaintext length, and the state of the header and the footer.
    pub fn opened(&self) -> Opened {
        Opened {
            header: self.header.clone(),
            plaintext_len: self.len,
            header_state: self.header_state,
        }
    }

    /// Derives a container-specific secret for a higher layer, like
    /// [`Draft::export`](crate::Draft::export).
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.exporter.export(label)
    }

    /// Returns the plaintext in `range`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`read_into`](RangeReader::read_into).
    pub fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let out_of_range = Error::OutOfRange { len: self.len };
        if range.start > range.end || range.end > self.len {
            return Err(out_of_range);
        }
        // The range is shorter than the source, so the allocation is bounded (F-7.7).
        let len = usize::try_from(range.end - range.start).map_err(|_| out_of_range)?;
        let mut plaintext = vec![0; len];
        self.read_into(&mut plaintext, range.start)?;
        Ok(plaintext.into())
    }

    /// Fills `out` with the plaintext at `offset`.
    ///
    /// # Errors
    ///
    /// Returns [`Error::OutOfRange`], [`Error::ChunkRejected`] with the number of the first
    /// rejected chunk in the range, [`Error::Cancelled`] or [`Error::Io`]. After an error, the
    /// content of `out` is unspecified, but it contains no unverified plaintext.
    pub fn read_into(&self, out: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.len);
        if end.is_none() {
            return Err(Error::OutOfRange { len: self.len });
        }
        let pieces = self.pieces(out, offset);
        for_each(
            &self.options.workers,
            self.options.progress,
            pieces.into_iter(),
            |scratch: &mut Zeroizing<Vec<u8>>, Piece { offset, out }| {
                out.copy_from_slice(self.open_range(offset..offset + out.len() as u64, scratch)?);
                Ok(out.len() as u64)
            },
        )
    }

    /// Opens `ranges` on all workers and passes the plaintext to `visit` in pieces of at most about
    /// 1 MiB, each with its offset. `visit` is called in any order and from several threads.
    ///
    /// A chunk that two ranges share is opened twice, so merge small ranges that are close
    /// together.
    ///
    /// ```
    /// # fn main() -> bulla::Result<()> {
    /// # use bulla::{Key, Options, RangeReader};
    /// # let key = Key::generate()?;
    /// # let container = bulla::seal(&key, b"a long message", &Options::new())?;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// let reader = RangeReader::new(&key, container, &Options::new())?;
    /// let spaces = AtomicU64::new(0);
    /// reader.for_each_extent(&[0..4, 7..reader.len()], |_offset, piece| {
    ///     let count = piece.iter().filter(|byte| **byte == b' ').count();
    ///     spaces.fetch_add(count as u64, Ordering::Relaxed);
    ///     Ok(())
    /// })?;
    /// assert_eq!(spaces.into_inner(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`read_into`](RangeReader::read_into), and any error from
    /// `visit`. If several pieces fail, returns the error of the first one in the order of
    /// `ranges`.
    pub fn for_each_extent(
        &self,
        ranges: &[Range<u64>],
        visit: impl Fn(u64, &[u8]) -> Result<()> + Sync,
    ) -> Result<()> {
        if ranges.iter().any(|range| range.start > range.end || range.end > self.len) {
            return Err(Error::OutOfRange { len: self.len });
        }
        let pieces = ranges.iter().flat_map(|range| self.split_at_extents(range.clone()));
        for_each(
            &self.options.workers,
            self.options.progress,
            pieces,
            |scratch: &mut Zeroizing<Vec<u8>>, range| {
                let len = range.end - range.start;
                visit(range.start, self.open_range(range, scratch)?)?;
                Ok(len)
            },
        )
    }

    /// Verifies every chunk and discards the plaintext.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`read_into`](RangeReader::read_into).
    pub fn verify(&self) -> Result<()> {
        self.verify_chunks_before(self.body.chunks())
    }

    /// Creates a reader after checking the key, but leaves the last chunk for the caller to verify.
    /// Until then, no length may be reported and no plaintext released (F-7.6).
    pub(super) fn unverified(
        preamble: Preamble,
        key: &Key,
        source: S,
        options: &Options<'a>,
    ) -> Result<RangeReader<'a, S>> {
        let schedule = preamble.header().unlock(key, options.context)?;
        let header = preamble.header().clone();
        let layout = header.layout();
        let body = layout.body_of_container(source.size()?)?;
        let header_state = match preamble.header_state() {
            Some(state) => state,
            // The preamble was read from a stream.
            None => {
                Preamble::read_at(&source)?.header_state().unwrap_or(HeaderState::FooterDamaged)
            }
        };
        Ok(RangeReader {
            source,
            header,
            header_state,
            cipher: ChunkOpener::new(&schedule),
            exporter: schedule.exporter,
            layout,
            len: body.plaintext_len().unwrap_or(0),
            body,
            options: *options,
        })
    }

    /// Verifies the last chunk, which authenticates the length because every other chunk is full
    /// (F-7.6).
    pub(super) fn verify_last(&self) -> Result<()> {
        let n = self.body.full;
        if self.body.rest >= TAG_LEN as u64 {
            match self.open_chunks(n..n + 1, &mut Zeroizing::default()) {
                Err(Error::ChunkRejected { .. }) => {}
                opened => return opened.map(drop),
            }
        }
        Err(diagnose_last_chunk(&self.source, &self.header, &self.body)?)
    }

    /// Verifies the last chunk for an operation that reads all chunks. If the last chunk is
    /// rejected, the error names the lowest-numbered rejected chunk (F-7.5).
    pub(super) fn verify_last_of_all(&self) -> Result<()> {
        let verified = self.verify_last();
        if let Err(Error::ChunkRejected { .. }) = verified {
            self.verify_chunks_before(self.body.full)?;
        }
        verified
    }

    fn verify_chunks_before(&self, end: u64) -> Result<()> {
        for_each(
            &self.options.workers,
            self.options.progress,
            self.extents(end),
            |scratch: &mut Zeroizing<Vec<u8>>, chunks| {
                Ok(self.open_chunks(chunks, scratch)?.len() as u64)
            },
        )
    }

    /// Splits the chunks before `end` into runs of about one extent each.
    pub(super) fn extents(&self, end: u64) -> impl Iterator<Item = Range<u64>> + Send + use<S> {
        let step = self.layout.chunk.chunks_in(EXTENT_LEN) as u64;
        // At most 2^32, as there are at most 2^32 chunks.
        let extents = usize::try_from(end.div_ceil(step)).unwrap_or(usize::MAX);
        (0..extents).map(move |extent| {
            let first = extent as u64 * step;
            first..end.min(first + step)
        })
    }

    /// Splits `out` into pieces, each within one extent.
    fn pieces<'o>(&self, mut out: &'o mut [u8], offset: u64) -> Vec<Piece<'o>> {
        let mut pieces = Vec::new();
        for range in self.split_at_extents(offset..offset + out.len() as u64) {
            let (piece, rest) = out.split_at_mut((range.end - range.start) as usize);
            pieces.push(Piece { offset: range.start, out: piece });
            out = rest;
        }
        pieces
    }

    /// Splits a range of the plaintext at extent boundaries.
    fn split_at_extents(
        &self,
        range: Range<u64>,
    ) -> impl Iterator<Item = Range<u64>> + Send + use<S> {
        let extent = (self.layout.chunk.chunks_in(EXTENT_LEN) * self.layout.chunk.bytes()) as u64;
        let mut at = range.start;
        std::iter::from_fn(move || {
            let end = range.end.min((at / extent + 1) * extent);
            (at < end).then(|| std::mem::replace(&mut at, end)..end)
        })
    }

    /// Reads the chunks that `range` touches into `scratch`, opens them there, and returns the
    /// plaintext in `range`.
    fn open_range<'s>(
        &self,
        range: Range<u64>,
        scratch: &'s mut Zeroizing<Vec<u8>>,
    ) -> Result<&'s [u8]> {
        let log2 = self.layout.chunk.log2();
        let first = range.start >> log2;
        let skip = (range.start - (first << log2)) as usize;
        let plaintext =
            self.open_chunks(first..(range.end.saturating_sub(1) >> log2) + 1, scratch)?;
        Ok(&plaintext[skip..skip + (range.end - range.start) as usize])
    }

    /// Reads a run of chunks into `scratch`, opens them there, and returns their plaintext.
    pub(super) fn open_chunks<'s>(
        &self,
        chunks: Range<u64>,
        scratch: &'s mut Zeroizing<Vec<u8>>,
    ) -> Result<&'s [u8]> {
        let start = self.layout.chunk_offset(chunks.start);
        let last = chunks.end.saturating_sub(1);
        let end = self.layout.chunk_offset(last) + self.body.sealed_len(last) as u64;
        scratch.resize((end - start) as usize, 0);
        let read = read_full_at(&self.source, scratch, start)?;
        // If the source ends before its reported length, the missing chunks must be rejected,
        // whatever bytes `scratch` held before.
        scratch[read..].fill(0);
        let run = open_run(&self.cipher, chunks.start, self.layout.chunk, scratch);
        match run.rejected {
            Some(index) => Err(Error::ChunkRejected { index }),
            None => Ok(&scratch[..run.plain_len]),
        }
    }
}

/// A part of the caller's buffer that one thread fills.
struct Piece<'o> {
    /// The offset in the plaintext.
    offset: u64,
    out: &'o mut [u8],
}

impl<S: ReadAt> ReadAt for RangeReader<'_, S> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.len.saturating_sub(offset);
        let read = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        if read > 0 {
            self.read_into(&mut buf[..read], offset)?;
        }
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len)
    }
}
