//! Reads archives: lists, looks up, reads and verifies their entries.

// Modules are listed in dependency order: each imports only from those above it.
pub(crate) mod content;
pub(crate) mod entries;
mod verify;

use std::io;

use bulla::{ContentType, Key, Opened, Options, Preamble, RangeReader, ReadAt};

use crate::error::{Error, Result};
use crate::format::entry::Entry;
use crate::format::notes::Note;
use crate::format::path::is_below;
use crate::format::record::{MARKER_LABEL, Marker};
use crate::index_reader::IndexReader;
use crate::reader::content::EntryContent;
use crate::reader::entries::Entries;

/// Reads an archive.
///
/// Opening an archive reads the trailer and the fence, and keeps them in memory. Looking up an
/// entry reads one index block, which takes up about two chunks. All methods take `&self` and can
/// be called from several threads concurrently.
///
/// Everything that is returned has been authenticated by the container. The archive's structure is
/// checked only as far as it is read: [`entries`](ArchiveReader::entries) checks the whole
/// index, and [`verify`](ArchiveReader::verify) checks the whole archive.
pub struct ArchiveReader<'a, S: ReadAt> {
    index: IndexReader<RangeReader<'a, S>>,
}

impl<'a, S: ReadAt> ArchiveReader<'a, S> {
    /// Opens an archive.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`RangeReader::new`], and [`Error::NotAnArchive`] or
    /// [`Error::Malformed`].
    pub fn new(key: &Key, source: S, options: &Options<'a>) -> Result<ArchiveReader<'a, S>> {
        let preamble = Preamble::read_at(&source)?;
        ArchiveReader::with_preamble(preamble, key, source, options)
    }

    /// Opens an archive whose preamble the caller has already read.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`RangeReader::with_preamble`], and [`Error::NotAnArchive`] or
    /// [`Error::Malformed`].
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
        Ok(ArchiveReader { index: IndexReader::new(range, marker)? })
    }

    /// Returns the number of entries.
    pub fn len(&self) -> u64 {
        self.index.trailer().entries
    }

    /// Returns whether the archive has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the total length of all file contents in bytes.
    pub fn content_len(&self) -> u64 {
        self.index.trailer().content_len
    }

    /// Returns the container's header and the state of its two copies.
    pub fn opened(&self) -> Opened {
        self.range().opened()
    }

    /// Returns the entry with this path, or `None` if the archive does not contain it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Malformed`] or [`Error::Container`].
    pub fn lookup(&self, path: &[u8]) -> Result<Option<Entry>> {
        let Some(block) = self.index.block_of(path) else {
            return Ok(None);
        };
        let mut entries = self.index.block(block)?;
        let found = entries.binary_search_by(|entry| entry.path().cmp(path));
        Ok(found.ok().map(|at| entries.swap_remove(at)))
    }

    /// Returns all entries in ascending path order.
    ///
    /// The iterator also checks the rules that concern the whole index. If one is violated,
    /// the iterator returns an error before it ends.
    pub fn entries(&self) -> Entries<'_, 'a, S> {
        Entries::all(&self.index)
    }

    /// Returns the entry for `directory`, if there is one, and all entries below it, in ascending
    /// path order. If `directory` is empty, returns all entries.
    pub fn directory<'r>(
        &'r self,
        directory: &'r [u8],
    ) -> impl Iterator<Item = Result<Entry>> + use<'r, 'a, S> {
        let start = self.index.block_of(directory).unwrap_or(0);
        // Entries below the directory are not contiguous: `a-b` is between `a` and `a/b`. But all
        // of them start with the directory's path, and the paths that do are contiguous.
        let may_continue = move |entry: &Result<Entry>| match entry {
            Ok(entry) => entry.path() <= directory || entry.path().starts_with(directory),
            Err(_) => true,
        };
        let matches = move |entry: &Result<Entry>| match entry {
            Ok(entry) => entry.path() == directory || is_below(entry.path(), directory),
            Err(_) => true,
        };
        Entries::from_block(&self.index, start).take_while(may_continue).filter(matches)
    }

    /// Returns the content of an entry in this archive.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoContent`], [`Error::ExternalContent`] or [`Error::UnknownEncoding`].
    pub fn content(&self, entry: &Entry) -> Result<EntryContent<'_, 'a, S>> {
        entry.check_readable()?;
        Ok(EntryContent::new(self.range(), entry.offset, entry.len))
    }

    /// Reads the contents of many entries on all workers. Each byte of the container is read once.
    ///
    /// Calls `visit` with each piece of content. The arguments are the entry's index in `entries`,
    /// the piece's offset in the content, and its bytes. `visit` is called from several threads and
    /// in any order, and is never called for empty content.
    ///
    /// # Errors
    ///
    /// Before anything is read, returns the same errors as [`content`](ArchiveReader::content), and
    /// [`Error::Malformed`] if contents overlap. After that, returns the same errors as
    /// [`RangeReader::for_each_extent`].
    pub fn read_all(
        &self,
        entries: &[Entry],
        visit: impl Fn(usize, u64, &[u8]) -> io::Result<()> + Sync,
    ) -> Result<()> {
        content::read_all(self.range(), entries, visit)
    }

    /// Returns the notes: entries that differ from what was planned, and skipped paths.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Malformed`] or [`Error::Container`].
    pub fn notes(&self) -> Result<Vec<Note>> {
        self.index.notes()
    }

    /// Verifies every chunk of the container and every record of the archive, and checks that the
    /// records and the index agree.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`RangeReader::verify`], and [`Error::Malformed`],
    /// [`Error::Duplicate`], [`Error::ParentNotDirectory`] or [`Error::UnknownKind`].
    pub fn verify(&self) -> Result<()> {
        self.range().verify()?;
        let entries = self.entries().collect::<Result<Vec<_>>>()?;
        self.notes()?;
        verify::check_records(&self.index, &entries)
    }

    fn range(&self) -> &RangeReader<'a, S> {
        self.index.plaintext()
    }
}
