//! Recovers entries from damaged archives (A-7).

// Modules are listed in dependency order: each imports only from those above it.
mod chunks;
mod walk;

use std::ops::Range;
use std::vec;

use bulla::{ContentType, Header, Key, Options, ReadAt, SalvageReader};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::format::entry::{Entry, Kind};
use crate::format::notes::Note;
use crate::format::record::{MARKER_LABEL, Marker};
use crate::index_reader::{IndexReader, Plaintext};
use crate::salvage::chunks::Chunks;
use crate::salvage::walk::walk;

/// Recovers what is left of a damaged archive.
///
/// Iterates over the entries: directories first, then files, each followed by the pieces and holes
/// of its content, then symbolic links. If the index is intact, every entry is returned, even if
/// nothing is left of its content. Otherwise, only the entries that can be found by searching for
/// markers are returned.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{ChunkSize, Key, Options};
/// use bulla_archive::{ArchiveBuilder, Metadata, Recovered, Salvage};
/// use bytes::Bytes;
///
/// let mut builder = ArchiveBuilder::new();
/// builder.file(b"video", &Metadata::new(), 10_000, Bytes::from(vec![7; 10_000]))?;
/// let key = Key::generate()?;
/// let options = Options::new().chunk_size(ChunkSize::MIN);
/// let (mut archive, _) = builder.seal_to(&key, Vec::new(), &options)?;
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
    chunks: Chunks<S>,
    header: Header,
    entries: vec::IntoIter<Entry>,
    /// Range of the plaintext that holds the rest of the current entry's content.
    content: Range<u64>,
    /// Offset of the current entry's content in the plaintext.
    content_start: u64,
    lost: u64,
    index: IndexState,
    notes: Option<Vec<Note>>,
    unnamed: bool,
}

/// An item returned by [`Salvage`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Recovered {
    /// An entry. The pieces and holes before the next entry make up its content, in order and
    /// without gaps. If the entry is [not readable](Entry::check_readable), no pieces or holes
    /// follow.
    Entry(Entry),
    /// Authenticated bytes of the entry's content.
    Piece {
        /// Offset in the content.
        offset: u64,
        /// The bytes.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// Lost bytes of the entry's content.
    Hole {
        /// Range in the content.
        range: Range<u64>,
    },
}

/// How much of the index is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// The whole index is left. Every entry is returned.
    Whole,
    /// Some index blocks are left.
    Partial,
    /// Nothing is left. Only the entries whose records were found are returned.
    Lost,
}

/// The result of salvaging an archive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// How much of the index is left.
    pub index: IndexState,
    /// The notes of the archive, or `None` if they are lost. Without the notes, the recovered
    /// content of a file that was shorter than planned may end in zeros.
    pub notes: Option<Vec<Note>>,
    /// Total bytes in the holes returned so far.
    pub lost: u64,
    /// Whether the archive may have had entries that salvage did not find.
    pub unnamed: bool,
}

impl<S: ReadAt> Salvage<S> {
    /// Searches a damaged archive for its entries.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`SalvageReader::new`], and [`Error::NotAnArchive`].
    pub fn new(key: &Key, source: S, options: &Options<'_>) -> Result<Salvage<S>> {
        let reader = SalvageReader::new(key, source, options)?;
        let header = reader.header().clone();
        if header.content_type() != ContentType::ARCHIVE {
            return Err(Error::NotAnArchive { content_type: header.content_type().0 });
        }
        let marker = Marker::new(&reader.export(MARKER_LABEL));
        let chunks = Chunks::new(reader);
        let (index, notes, mut entries, unnamed) = match read_index(&chunks, &marker) {
            Some((entries, notes)) => (IndexState::Whole, notes, entries, false),
            None => {
                let walked = walk(&chunks, &marker);
                let index = if walked.found_block { IndexState::Partial } else { IndexState::Lost };
                let unnamed = walked.has_gaps || !chunks.has_last();
                (index, walked.notes, walked.entries.into_values().collect(), unnamed)
            }
        };
        let order = |kind| match kind {
            Kind::Directory => 0,
            Kind::File => 1,
            Kind::Symlink => 2,
        };
        // The sort is stable, so directories stay in ascending path order.
        entries.sort_by_key(|entry| (order(entry.kind), entry.offset));
        Ok(Salvage {
            chunks,
            header,
            entries: entries.into_iter(),
            content: 0..0,
            content_start: 0,
            lost: 0,
            index,
            notes,
            unnamed,
        })
    }

    /// Returns the container's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the result. It is final once the iterator has ended.
    pub fn summary(&self) -> Summary {
        Summary {
            index: self.index,
            notes: self.notes.clone(),
            lost: self.lost,
            unnamed: self.unnamed,
        }
    }

    /// Returns the next piece or hole of the current entry's content.
    fn next_part(&mut self) -> Recovered {
        let offset = self.content.start - self.content_start;
        if let Some(bytes) = self.chunks.piece(self.content.clone()) {
            self.content.start += bytes.len() as u64;
            return Recovered::Piece { offset, bytes };
        }
        while !self.content.is_empty() && self.chunks.piece(self.content.clone()).is_none() {
            // A forged length may be huge, so a hole past the end of the plaintext is skipped in
            // one step.
            let is_within = self.content.start < self.chunks.len();
            let end = if is_within { self.chunks.chunk_end(self.content.start) } else { u64::MAX };
            self.content.start = end.min(self.content.end);
        }
        let range = offset..self.content.start - self.content_start;
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
        self.content_start = entry.offset;
        self.content = match entry.check_readable() {
            Ok(()) => entry.offset..entry.offset.saturating_add(entry.len),
            Err(_) => 0..0,
        };
        Some(Recovered::Entry(entry))
    }
}

/// Returns the entries and the notes of the index, or `None` if part of the index is lost. If only
/// the notes are lost, the notes are `None`.
fn read_index<S: ReadAt>(
    chunks: &Chunks<S>,
    marker: &Marker,
) -> Option<(Vec<Entry>, Option<Vec<Note>>)> {
    if !chunks.has_last() {
        return None;
    }
    let index = IndexReader::new(chunks, marker.clone()).ok()?;
    let mut entries = Vec::new();
    for number in 0..index.blocks() {
        entries.extend(index.block(number).ok()?);
    }
    Some((entries, index.notes().ok()))
}
