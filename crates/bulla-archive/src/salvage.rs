//! Gets back what is left of a damaged archive (A-7).

use std::cell::RefCell;
use std::ops::Range;
use std::vec;

use bulla::{ContentType, Header, Key, Options, ReadAt, SalvageReader};
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::entry::{Entry, Kind};
use crate::error::{Error, Result};
use crate::notes::{self, Note};
use crate::record::{MARKER_LABEL, Marker, RecordKind};
use crate::walk::{Remains, walk};
use crate::way_in::{Plaintext, read_block, read_fences, read_record, read_trailer};

/// Gets back what is left of a damaged archive, entry by entry, as an iterator: directories first,
/// then files, each with its pieces and its holes, then symbolic links.
///
/// If the index is whole it is used, and each entry is named, also one of which nothing is left. If
/// not, the records are walked from marker to marker.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{ChunkSize, Key, Options};
/// use bulla_archive::{ArchiveWriter, Metadata, Recovered, Salvage};
/// use bytes::Bytes;
///
/// let mut writer = ArchiveWriter::new();
/// writer.file(b"video", &Metadata::new(), 10_000, Bytes::from(vec![7; 10_000]))?;
/// let key = Key::generate()?;
/// let options = Options::new().chunk_size(ChunkSize::MIN);
/// let (mut archive, _) = writer.seal_to(&key, Vec::new(), &options)?;
/// archive[5000] ^= 1; // in chunk 1
///
/// let mut salvage = Salvage::new(&key, archive, &options)?;
/// let holes: Vec<_> = salvage
///     .by_ref()
///     .filter_map(|recovered| match recovered {
///         Recovered::Hole { range } => Some(range),
///         _ => None,
///     })
///     .collect();
/// assert_eq!(holes.len(), 1);
/// assert_eq!(salvage.summary().lost, 4096);
/// # Ok(()) }
/// ```
pub struct Salvage<S: ReadAt> {
    remains: Chunks<S>,
    header: Header,
    entries: vec::IntoIter<Entry>,
    /// What is to come of the entry that was handed out last: a range of the plaintext, and where
    /// its content begins.
    content: Range<u64>,
    start: u64,
    lost: u64,
    index: IndexState,
    notes: Option<Vec<Note>>,
    gaps: bool,
}

/// What salvage hands out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Recovered {
    /// An entry. The pieces and holes up to the next one are those of its content, in order;
    /// together they are all of it, if it is [there to be read](Entry::check_readable), and
    /// else nothing comes.
    Entry(Entry),
    /// Bytes of its content, authenticated.
    Piece {
        /// Where in the content.
        offset: u64,
        /// The bytes.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// Bytes of its content that are lost.
    Hole {
        /// Which ones.
        range: Range<u64>,
    },
}

/// How much of the index was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// All of it: every entry is named.
    Whole,
    /// Some of its blocks.
    Partly,
    /// Nothing; the entries are those whose records were found.
    Lost,
}

/// What salvage came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// How much of the index was left.
    pub index: IndexState,
    /// What was not as planned when the archive was made; `None` if that is lost too. Then a file
    /// that was short may end in zeros.
    pub notes: Option<Vec<Note>>,
    /// Bytes in all holes.
    pub lost: u64,
    /// Whether there may have been entries that nobody can path.
    pub unnamed: bool,
}

impl<S: ReadAt> Salvage<S> {
    /// Looks for what is left.
    ///
    /// # Errors
    ///
    /// As [`SalvageReader::new`]; [`Error::NotAnArchive`].
    pub fn new(key: &Key, source: S, options: &Options<'_>) -> Result<Salvage<S>> {
        let reader = SalvageReader::new(key, source, options)?;
        let header = reader.header().clone();
        if header.content_type() != ContentType::ARCHIVE {
            return Err(Error::NotAnArchive { content_type: header.content_type().0 });
        }
        let marker = Marker::new(&reader.export(MARKER_LABEL));
        let remains = Chunks::new(reader);
        let (index, notes, mut entries, gaps) = match by_index(&remains, &marker) {
            Some((entries, notes)) => (IndexState::Whole, notes, entries, false),
            None => {
                let walked = walk(&remains, &marker);
                let index = if walked.found_block { IndexState::Partly } else { IndexState::Lost };
                let gaps = !walked.gaps.is_empty() || !remains.ends;
                (index, walked.notes, walked.entries.into_values().collect(), gaps)
            }
        };
        let order = |kind| match kind {
            Kind::Directory => 0,
            Kind::File => 1,
            Kind::Symlink => 2,
        };
        // Stable: directories keep the order of their paths.
        entries.sort_by_key(|entry| (order(entry.kind), entry.offset));
        let entries = entries.into_iter();
        Ok(Salvage {
            remains,
            header,
            entries,
            content: 0..0,
            start: 0,
            lost: 0,
            index,
            notes,
            gaps,
        })
    }

    /// The container's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What salvage came to, once everything was handed out.
    pub fn summary(&self) -> Summary {
        Summary {
            index: self.index,
            notes: self.notes.clone(),
            lost: self.lost,
            unnamed: self.gaps,
        }
    }

    /// The next piece or hole of the content.
    fn next_part(&mut self) -> Recovered {
        let at = self.content.start;
        let offset = at - self.start;
        if let Some(bytes) = self.remains.piece(self.content.clone()) {
            self.content.start += bytes.len() as u64;
            return Recovered::Piece { offset, bytes };
        }
        while !self.content.is_empty() && self.remains.piece(self.content.clone()).is_none() {
            // Behind the end nothing comes any more, however long the content says it is.
            let more = self.content.start < self.remains.len;
            let end = if more { self.remains.chunk_end(self.content.start) } else { u64::MAX };
            self.content.start = end.min(self.content.end);
        }
        let range = offset..self.content.start - self.start;
        self.lost = self.lost.saturating_add(range.end - range.start);
        Recovered::Hole { range }
    }
}

impl<S: ReadAt> Iterator for Salvage<S> {
    type Item = Recovered;

    fn next(&mut self) -> Option<Recovered> {
        if !self.content.is_empty() {
            return Some(self.next_part());
        }
        let entry = self.entries.next()?;
        self.start = entry.offset;
        self.content = match entry.check_readable() {
            Ok(()) => entry.offset..entry.offset.saturating_add(entry.len),
            Err(_) => 0..0,
        };
        Some(Recovered::Entry(entry))
    }
}

/// The entries if the index is whole, and the notes if those are.
#[allow(clippy::type_complexity, reason = "named where it is used")]
fn by_index<S: ReadAt>(
    plain: &Chunks<S>,
    marker: &Marker,
) -> Option<(Vec<Entry>, Option<Vec<Note>>)> {
    plain.ends.then_some(())?;
    let trailer = read_trailer(plain, marker).ok()?;
    let fences = read_fences(plain, marker, &trailer).ok()?;
    let mut entries = Vec::new();
    for number in 0..fences.len() {
        entries.extend(read_block(plain, marker, &trailer, &fences, number).ok()?.entries);
    }
    let notes = trailer.notes_offset..trailer.index_offset;
    let notes = read_record(plain, marker, RecordKind::NOTES, notes).ok();
    Some((entries, notes.and_then(|bytes| notes::decode(&bytes))))
}

/// The chunks that are left.
struct Chunks<S: ReadAt> {
    reader: SalvageReader<S>,
    /// Bytes of plaintext in a chunk.
    chunk: u64,
    /// Bytes of plaintext; of a cut container, as many as there is room for.
    len: u64,
    /// Whether the last chunk is there.
    ends: bool,
    /// The chunk that was read last: small entries share one.
    last: RefCell<(u64, Option<Zeroizing<Vec<u8>>>)>,
}

impl<S: ReadAt> Chunks<S> {
    fn new(reader: SalvageReader<S>) -> Chunks<S> {
        let chunk = reader.chunk_size().bytes() as u64;
        let len = reader.plaintext_len();
        Chunks {
            chunk,
            len: len.unwrap_or(reader.max_chunks() * chunk),
            ends: len.is_some(),
            last: RefCell::new((u64::MAX, None)),
            reader,
        }
    }

    fn chunk_end(&self, at: u64) -> u64 {
        (at / self.chunk + 1) * self.chunk
    }

    /// Does something with the bytes of the chunk that holds offset `at`, from there on; `None` if
    /// it is not there.
    fn with_chunk<T>(&self, at: u64, work: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let index = at / self.chunk;
        let mut last = self.last.borrow_mut();
        if last.0 != index {
            *last = (index, self.reader.chunk(index));
        }
        let bytes = last.1.as_ref()?.get((at % self.chunk) as usize..)?;
        (!bytes.is_empty()).then(|| work(bytes))
    }

    /// The bytes of `range` that its first chunk holds.
    fn piece(&self, range: Range<u64>) -> Option<Zeroizing<Vec<u8>>> {
        let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        self.with_chunk(range.start, |bytes| Zeroizing::new(bytes[..bytes.len().min(len)].to_vec()))
    }
}

impl<S: ReadAt> Plaintext for Chunks<S> {
    fn len(&self) -> u64 {
        self.len
    }

    fn range(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.len {
            return Err(bulla::Error::OutOfRange { len: self.len }.into());
        }
        let mut bytes = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let piece = self.piece(at..range.end);
            let piece = piece.ok_or(bulla::Error::ChunkRejected { index: at / self.chunk })?;
            bytes.extend_from_slice(&piece);
            at += piece.len() as u64;
        }
        Ok(bytes.into())
    }
}

impl<S: ReadAt> Remains for Chunks<S> {
    fn find(&self, marker: &Marker, from: u64) -> Option<u64> {
        let marker = marker.bytes();
        // The end of the chunk before, where the marker may begin.
        let (mut before, mut at) = (Vec::new(), from);
        while at < self.len {
            let end = self.chunk_end(at);
            let found = self.with_chunk(at, |bytes| {
                let start = at - before.len() as u64;
                before.extend_from_slice(bytes);
                let found = before.windows(marker.len()).position(|window| window == marker);
                before.drain(..before.len().saturating_sub(marker.len() - 1));
                found.map(|found| start + found as u64)
            });
            match found {
                Some(Some(found)) => return Some(found),
                Some(None) => {}
                None => before.clear(),
            }
            at = end;
        }
        None
    }
}
