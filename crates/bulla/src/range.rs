//! Reads any byte range of a container.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::chunk::ChunkOpener;
use crate::error::{Error, Result};
use crate::extents::{EXTENT_LEN, for_each};
use crate::geometry::{Body, HEADER_LEN, Layout, TAG_LEN};
use crate::header::Header;
use crate::key::Key;
use crate::options::Options;
use crate::preamble::{Copies, Opened, Preamble, read_foot};
use crate::read_at::{ReadAt, read_full_at};
use crate::run::open_run;
use crate::schedule::Exporter;

/// How far before the end a footer is looked for, to tell trailing data from a cut (F-7.4).
const TRAILING_WINDOW: u64 = 65536;

/// Reads byte ranges of a container's plaintext, from many threads at once if need be.
///
/// The length of the plaintext is authenticated when it is opened (F-7.6). There is no cache: a range costs the reading
/// and opening of every chunk it touches, and nothing is kept between calls. A large range is opened on
/// all [`Workers`](crate::Workers).
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
    copies: Copies,
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
    /// [`Error::ContextRequired`], [`Error::ContextUnexpected`], [`Error::WrongKey`]; and, of the last chunk,
    /// [`Error::TrailingData`], [`Error::ChunkRejected`], [`Error::Truncated`]; [`Error::TooLarge`], [`Error::Io`].
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

    /// For whoever is to read all of the container: as [`with_preamble`](RangeReader::with_preamble), but where several chunks are
    /// damaged and the last is one of them, the error names the first (F-7.5).
    pub(crate) fn for_all(
        preamble: Preamble,
        key: &Key,
        source: S,
        options: &Options<'a>,
    ) -> Result<RangeReader<'a, S>> {
        let reader = RangeReader::unverified(preamble, key, source, options)?;
        match reader.verify_last() {
            Err(error @ Error::ChunkRejected { .. }) => {
                reader.verify_before(reader.body.full)?;
                Err(error)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(reader),
        }
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
            copies: match preamble.copies() {
                Some(copies) => copies,
                None => Preamble::read_at(&source)?.copies().unwrap_or(Copies::FooterDamaged),
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
        Opened { header: self.header.clone(), plaintext_len: self.len, copies: self.copies }
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
    /// [`Error::OutOfRange`], [`Error::ChunkRejected`] with the lowest number among the chunks of the range,
    /// [`Error::Cancelled`], [`Error::Io`]. What `out` then holds is of no use, but nothing of it is unverified.
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
            |scratch, piece| {
                let plaintext = self.open_chunks(piece.chunks, scratch)?;
                piece.out.copy_from_slice(&plaintext[piece.skip..piece.skip + piece.out.len()]);
                Ok(piece.out.len() as u64)
            },
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

    /// All chunks, in runs of about an extent.
    pub(crate) fn all_extents(&self) -> impl ExactSizeIterator<Item = Range<u64>> + Send + use<S> {
        self.extents(self.body.chunks())
    }

    /// Chunks 0 to `end`, in runs of about an extent.
    fn extents(&self, end: u64) -> impl ExactSizeIterator<Item = Range<u64>> + Send + use<S> {
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
        let log2 = self.layout.chunk.log2();
        let per_extent = self.layout.chunk.per(EXTENT_LEN) as u64;
        let mut pieces = Vec::new();
        let mut at = offset;
        while !out.is_empty() {
            let first = at >> log2;
            let extent_end = (first + per_extent) << log2;
            let (piece, rest) = out.split_at_mut(out.len().min((extent_end - at) as usize));
            let end = at + piece.len() as u64;
            pieces.push(Piece {
                chunks: first..((end - 1) >> log2) + 1,
                skip: (at - (first << log2)) as usize,
                out: piece,
            });
            (out, at) = (rest, end);
        }
        pieces
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

    /// Authenticates the length: the last chunk is the only short one (F-7.6).
    fn verify_last(&self) -> Result<()> {
        let n = self.body.full;
        if self.body.rest >= TAG_LEN as u64 {
            match self.open_chunks(n..n + 1, &mut Zeroizing::default()) {
                Err(Error::ChunkRejected { .. }) => {}
                opened => return opened.map(drop),
            }
        }
        let size = self.source.size()?;
        if let Some(extra) = self.trailing_data(size)? {
            return Err(Error::TrailingData { extra });
        }
        let stands = read_foot(&self.source, size)?.is_some_and(|foot| self.header.stands_in(&foot));
        if stands && self.body.rest >= TAG_LEN as u64 {
            Err(Error::ChunkRejected { index: n })
        } else {
            Err(Error::Truncated { after: n })
        }
    }

    /// How many bytes lie behind a footer that stands a little before the end (F-7.4).
    fn trailing_data(&self, size: u64) -> Result<Option<u64>> {
        let foot = HEADER_LEN as u64;
        // The smallest container with this envelope has its footer there.
        let lowest = self.layout.head_len() + TAG_LEN as u64 + u64::from(self.layout.envelope_len);
        let start = size.saturating_sub(foot + TRAILING_WINDOW).max(lowest);
        let mut window = vec![0; size.saturating_sub(start) as usize];
        let read = read_full_at(&self.source, &mut window, start)?;
        let stands = |at: &usize| window[*at..].first_chunk().is_some_and(|foot| self.header.stands_in(foot));
        let latest = (0..read.saturating_sub(HEADER_LEN)).rev().find(stands);
        Ok(latest.map(|at| size - start - at as u64 - foot))
    }
}

/// What one thread reads at once.
struct Piece<'o> {
    chunks: Range<u64>,
    /// Bytes of plaintext before the piece in its first chunk.
    skip: usize,
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
