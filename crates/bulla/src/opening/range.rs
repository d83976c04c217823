//! Reads any byte range of a container.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::ChunkOpener;
use crate::format::geometry::{Body, Layout, TAG_LEN};
use crate::format::header::Header;
use crate::format::run::open_run;
use crate::format::schedule::Exporter;
use crate::io::read_at::{ReadAt, read_full_at};
use crate::opening::preamble::{HeaderState, Opened, Preamble};
use crate::opening::tail_check::failure_of_last;
use crate::options::Options;
use crate::parallel::for_each::{EXTENT_LEN, for_each};
use crate::parallel::ordered::for_each_in_order;

/// Reads byte ranges of a container's plaintext, from many threads at once if need be.
///
/// The length of the plaintext is authenticated when it is opened (F-7.6). There is no cache: a
/// range costs the reading and opening of every chunk it touches, and nothing is kept between
/// calls. A large range is opened on all [`Workers`](crate::Workers).
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
    cipher: ChunkOpener,
    layout: Layout,
    body: Body,
    len: u64,
    options: Options<'a>,
}

impl<'a, S: ReadAt> RangeReader<'a, S> {
    /// Reads header, footer and the last chunk, and checks the key.
    ///
    /// # Errors
    ///
    /// As [`Preamble::read_at`] and [`with_preamble`](RangeReader::with_preamble).
    pub fn new(key: &Key, source: S, options: &Options<'a>) -> Result<RangeReader<'a, S>> {
        let preamble = Preamble::read_at(&source)?;
        RangeReader::with_preamble(preamble, key, source, options)
    }

    /// Opens a container whose preamble was read already.
    ///
    /// # Errors
    ///
    /// [`Error::ContextRequired`], [`Error::ContextUnexpected`], [`Error::WrongKey`]; and, of the
    /// last chunk, [`Error::TrailingData`], [`Error::ChunkRejected`], [`Error::Truncated`];
    /// [`Error::TooLarge`], [`Error::Io`].
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

    /// For whoever is to read all of the container: as
    /// [`with_preamble`](RangeReader::with_preamble), but where several chunks are damaged and
    /// the last is one of them, the error names the first (F-7.5).
    #[cfg_attr(
        not(any(unix, windows)),
        allow(dead_code, reason = "files are for systems that have them")
    )]
    pub(crate) fn for_all(
        preamble: Preamble,
        key: &Key,
        source: S,
        options: &Options<'a>,
    ) -> Result<RangeReader<'a, S>> {
        let reader = RangeReader::unverified(preamble, key, source, options)?;
        reader.verify_last_for_all()?;
        Ok(reader)
    }

    /// For whoever opens every chunk of the plaintext before any of it is released: the last chunk
    /// is verified with the others, so that it is not opened twice. What then fails goes
    /// through [`failure_of_all`](RangeReader::failure_of_all).
    pub(crate) fn for_all_at_once(
        preamble: Preamble,
        key: &Key,
        source: S,
        options: &Options<'a>,
    ) -> Result<RangeReader<'a, S>> {
        let reader = RangeReader::unverified(preamble, key, source, options)?;
        // One that is empty has no place in the plaintext; one that is not there has failed.
        if reader.body.rest <= TAG_LEN as u64 {
            reader.verify_last_for_all()?;
        }
        Ok(reader)
    }

    /// What to say when opening all chunks failed: of a cut or of trailing data, and not of the
    /// chunk that was rejected for it (F-7.4).
    pub(crate) fn failure_of_all(&self, error: Error) -> Error {
        if let Error::ChunkRejected { .. } = error
            && let Err(of_last) = self.verify_last()
            && !matches!(of_last, Error::ChunkRejected { .. })
        {
            return of_last;
        }
        error
    }

    fn unverified(
        preamble: Preamble,
        key: &Key,
        source: S,
        options: &Options<'a>,
    ) -> Result<RangeReader<'a, S>> {
        let schedule = preamble.unlock(key, options)?;
        let header = preamble.header().clone();
        let layout = header.layout();
        let body = layout.body_of_container(source.size()?)?;
        Ok(RangeReader {
            header_state: match preamble.header_state() {
                Some(copies) => copies,
                None => {
                    Preamble::read_at(&source)?.header_state().unwrap_or(HeaderState::FooterDamaged)
                }
            },
            source,
            header,
            cipher: ChunkOpener::new(&schedule),
            exporter: schedule.exporter,
            layout,
            len: body.plaintext_len().unwrap_or(0),
            body,
            options: *options,
        })
    }

    /// Bytes of plaintext.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the plaintext is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What was found: the header, the plaintext's length, the state of header and footer.
    pub fn opened(&self) -> Opened {
        Opened {
            header: self.header.clone(),
            plaintext_len: self.len,
            header_state: self.header_state,
        }
    }

    /// A secret of this container for a layer above, as [`Draft::export`](crate::Draft::export).
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.exporter.export(label)
    }

    /// The plaintext of a range.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`]; else as [`read_into`](RangeReader::read_into).
    pub fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let out_of_range = Error::OutOfRange { len: self.len };
        if range.start > range.end || range.end > self.len {
            return Err(out_of_range);
        }
        // Not larger than the source itself, which is there.
        let len = usize::try_from(range.end - range.start).map_err(|_| out_of_range)?;
        let mut plaintext = vec![0; len];
        self.read_into(&mut plaintext, range.start)?;
        Ok(plaintext.into())
    }

    /// Fills `out` with the plaintext from `offset` on.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`], [`Error::ChunkRejected`] with the lowest number among the chunks of
    /// the range, [`Error::Cancelled`], [`Error::Io`]. What `out` then holds is of no use, but
    /// nothing of it is unverified.
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
            Zeroizing::default,
            |scratch, Piece { at, out }| {
                out.copy_from_slice(self.open_range(at..at + out.len() as u64, scratch)?);
                Ok(out.len() as u64)
            },
        )
    }

    /// Opens `ranges` of the plaintext extent by extent, on all workers, and gives each piece to
    /// `visit` where it was opened: its offset, and its bytes, about 1 MiB at most. Pieces come
    /// in any order, from several threads.
    ///
    /// A chunk that two ranges share is opened for both; who has many small ranges close together
    /// joins them first.
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
    ///     spaces.fetch_add(piece.iter().filter(|b| **b == b' ').count() as u64, Ordering::Relaxed);
    ///     Ok(())
    /// })?;
    /// assert_eq!(spaces.into_inner(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`read_into`](RangeReader::read_into), and those of `visit`: of several, the one that
    /// lies first.
    pub fn for_each_extent(
        &self,
        ranges: &[Range<u64>],
        visit: impl Fn(u64, &[u8]) -> Result<()> + Sync,
    ) -> Result<()> {
        if ranges.iter().any(|range| range.start > range.end || range.end > self.len) {
            return Err(Error::OutOfRange { len: self.len });
        }
        let pieces = ranges.iter().flat_map(|range| self.cut(range.clone()));
        let Options { workers, progress, .. } = &self.options;
        for_each(workers, *progress, pieces, Zeroizing::default, |scratch, range| {
            let len = range.end - range.start;
            visit(range.start, self.open_range(range, scratch)?)?;
            Ok(len)
        })
    }

    /// Opens all of the plaintext on all workers, and gives it to `take` in order, on the calling
    /// thread.
    #[cfg_attr(
        not(any(unix, windows)),
        allow(dead_code, reason = "files are for systems that have them")
    )]
    pub(crate) fn for_each_in_order(
        &self,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let Options { workers, progress, .. } = &self.options;
        for_each_in_order(
            workers,
            *progress,
            self.extents(self.body.chunks()),
            |buffer: &mut Zeroizing<Vec<u8>>, chunks| {
                let len = self.open_chunks(chunks, buffer)?.len();
                buffer.truncate(len);
                Ok(len as u64)
            },
            |plaintext| take(plaintext),
        )
    }

    /// Verifies every chunk, and keeps nothing.
    ///
    /// # Errors
    ///
    /// As [`read_into`](RangeReader::read_into).
    pub fn verify(&self) -> Result<()> {
        self.verify_before(self.body.chunks())
    }

    /// Verifies chunks 0 to `end`.
    fn verify_before(&self, end: u64) -> Result<()> {
        let Options { workers, progress, .. } = &self.options;
        for_each(workers, *progress, self.extents(end), Zeroizing::default, |scratch, chunks| {
            Ok(self.open_chunks(chunks, scratch)?.len() as u64)
        })
    }

    /// For what opens the chunks by another way than this reader's.
    pub(crate) fn parts(&self) -> (&ChunkOpener, &Options<'a>, Layout) {
        (&self.cipher, &self.options, self.layout)
    }

    /// Chunks 0 to `end`, in runs of about an extent.
    fn extents(&self, end: u64) -> impl Iterator<Item = Range<u64>> + Send + use<S> {
        let step = self.layout.chunk.per(EXTENT_LEN) as u64;
        // At most 2^32 chunks.
        let extents = usize::try_from(end.div_ceil(step)).unwrap_or(usize::MAX);
        (0..extents).map(move |extent| {
            let first = extent as u64 * step;
            first..end.min(first + step)
        })
    }

    /// Cuts `out` into pieces that lie in one extent each.
    fn pieces<'o>(&self, mut out: &'o mut [u8], offset: u64) -> Vec<Piece<'o>> {
        let mut pieces = Vec::new();
        for range in self.cut(offset..offset + out.len() as u64) {
            let (piece, rest) = out.split_at_mut((range.end - range.start) as usize);
            pieces.push(Piece { at: range.start, out: piece });
            out = rest;
        }
        pieces
    }

    /// Cuts a range of the plaintext where extents end.
    fn cut(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> + Send + use<S> {
        let extent = (self.layout.chunk.per(EXTENT_LEN) * self.layout.chunk.bytes()) as u64;
        let mut at = range.start;
        std::iter::from_fn(move || {
            let end = range.end.min((at / extent + 1) * extent);
            (at < end).then(|| std::mem::replace(&mut at, end)..end)
        })
    }

    /// Opens the chunks that a range touches in `scratch`, and gives the plaintext of the range.
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

    /// Reads and opens a run of chunks in `scratch`.
    pub(crate) fn open_chunks<'s>(
        &self,
        chunks: Range<u64>,
        scratch: &'s mut Zeroizing<Vec<u8>>,
    ) -> Result<&'s [u8]> {
        let start = self.layout.chunk_offset(chunks.start);
        let last = chunks.end.saturating_sub(1);
        let end = self.layout.chunk_offset(last) + self.body.sealed_len(last) as u64;
        scratch.resize((end - start) as usize, 0);
        let read = read_full_at(&self.source, scratch, start)?;
        // A source that ended earlier than it said gives chunks that cannot be verified.
        scratch[read..].fill(0);
        let run = open_run(&self.cipher, chunks.start, self.layout.chunk, scratch);
        match run.rejected {
            Some(index) => Err(Error::ChunkRejected { index }),
            None => Ok(&scratch[..run.plain_len]),
        }
    }

    /// As [`verify_last`](RangeReader::verify_last), but where several chunks are damaged, the
    /// error names the first.
    fn verify_last_for_all(&self) -> Result<()> {
        let verified = self.verify_last();
        if let Err(Error::ChunkRejected { .. }) = verified {
            self.verify_before(self.body.full)?;
        }
        verified
    }

    /// Authenticates the length: the last chunk is the only short one (F-7.6).
    fn verify_last(&self) -> Result<()> {
        let n = self.body.full;
        if self.body.rest >= TAG_LEN as u64 {
            match self.open_chunks(n..n + 1, &mut Zeroizing::default()) {
                Err(Error::ChunkRejected { .. }) => {}
                opened => return opened.map(drop),
            }
        }
        Err(failure_of_last(&self.source, &self.header, &self.body)?)
    }
}

/// What one thread reads at once.
struct Piece<'o> {
    at: u64,
    out: &'o mut [u8],
}

/// The plaintext can be read at an offset in its turn.
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
