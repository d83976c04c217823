//! Reads archives: what is in them, and any entry of them.

// Modules are listed in dependency order: each imports only from those above it.
pub(crate) mod entries;
pub(crate) mod content;
mod verify;

use bulla::{ContentType, Key, Opened, Options, Preamble, RangeReader, ReadAt};

use crate::error::{Error, Result};
use crate::format::block::Block;
use crate::format::entry::Entry;
use crate::format::notes::{self, Note};
use crate::format::record::{MARKER_LABEL, Marker, RecordKind};
use crate::format::trailer::{Fence, Trailer};
use crate::index_reader::{read_block, read_fences, read_record, read_trailer};

/// Reads an archive. Opening it costs the trailer and the fence; finding an entry costs one block
/// of the index, which is two chunks. Nothing is kept between calls but the fence.
///
/// It is `&self` throughout, and may be used from many threads at once.
///
/// What is read was authenticated by the container. That the archive is well-formed is checked as
/// far as it is read; [`entries`](ArchiveReader::entries) and
/// [`verify`](ArchiveReader::verify) check all of it.
pub struct ArchiveReader<'a, S: ReadAt> {
    range: RangeReader<'a, S>,
    marker: Marker,
    trailer: Trailer,
    fences: Vec<Fence>,
}

impl<'a, S: ReadAt> ArchiveReader<'a, S> {
    /// Opens a container that holds an archive.
    ///
    /// # Errors
    ///
    /// As [`RangeReader::new`]; [`Error::NotAnArchive`], [`Error::Malformed`].
    pub fn new(key: &Key, source: S, options: &Options<'a>) -> Result<ArchiveReader<'a, S>> {
        let preamble = Preamble::read_at(&source)?;
        ArchiveReader::with_preamble(preamble, key, source, options)
    }

    /// Opens an archive in a container whose preamble was read already.
    ///
    /// # Errors
    ///
    /// As [`RangeReader::with_preamble`]; [`Error::NotAnArchive`], [`Error::Malformed`].
    pub fn with_preamble(
        preamble: Preamble,
        key: &Key,
        source: S,
        options: &Options<'a>,
    ) -> Result<ArchiveReader<'a, S>> {
        let content_type = preamble.header().content_type();
        let range = RangeReader::with_preamble(preamble, key, source, options)?;
        if content_type != ContentType::ARCHIVE {
            return Err(Error::NotAnArchive { content_type: content_type.0 });
        }
        let marker = Marker::new(&range.export(MARKER_LABEL));
        let trailer = read_trailer(&range, &marker)?;
        let fences = read_fences(&range, &marker, &trailer)?;
        Ok(ArchiveReader { range, marker, trailer, fences })
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.trailer.entries
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.trailer.entries == 0
    }

    /// Bytes in the contents of all entries.
    pub fn content_len(&self) -> u64 {
        self.trailer.content_len
    }

    /// What was found of the container: its header, and the state of its copies.
    pub fn opened(&self) -> Opened {
        self.range.opened()
    }

    /// The entry of this path; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], [`Error::Container`].
    pub fn lookup(&self, path: &[u8]) -> Result<Option<Entry>> {
        let Some(block) = self.block_of(path) else {
            return Ok(None);
        };
        let mut entries = self.block(block)?.entries;
        let found = entries.binary_search_by(|entry| entry.path().cmp(path));
        Ok(found.ok().map(|at| entries.swap_remove(at)))
    }

    /// What is not as it was meant to be, and what was left out.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], [`Error::Container`].
    pub fn notes(&self) -> Result<Vec<Note>> {
        let Trailer { notes_offset, index_offset, .. } = self.trailer;
        let bytes =
            read_record(&self.range, &self.marker, RecordKind::NOTES, notes_offset..index_offset)?;
        notes::decode(&bytes)
            .ok_or(Error::Malformed { offset: notes_offset, what: "the notes are cut" })
    }

    pub(crate) fn range(&self) -> &RangeReader<'a, S> {
        &self.range
    }

    pub(crate) fn marker(&self) -> &Marker {
        &self.marker
    }

    pub(crate) fn trailer(&self) -> &Trailer {
        &self.trailer
    }

    /// The number of the block in which `path` has its place; `None` if it would come before all.
    pub(crate) fn block_of(&self, path: &[u8]) -> Option<usize> {
        self.fences.partition_point(|fence| &*fence.first <= path).checked_sub(1)
    }

    pub(crate) fn blocks(&self) -> usize {
        self.fences.len()
    }

    /// Reads one block of the index, and checks it (A-6.1, 4).
    pub(crate) fn block(&self, number: usize) -> Result<Block> {
        read_block(&self.range, &self.marker, &self.trailer, &self.fences, number)
    }
}
