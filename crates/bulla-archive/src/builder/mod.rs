//! Plans and seals archives.

// Modules are listed in dependency order: each imports only from those above it.
pub(crate) mod source;
pub(crate) mod progress;
mod slots;
mod planned_entries;
mod content_reader;
mod padding;
mod tail;
mod plaintext;

use std::fs::File;
use std::io::Write;

use bulla::{ContentType, Draft, Key, Options, Sealed};

use crate::builder::plaintext::ArchivePlaintext;
use crate::builder::planned_entries::PlannedEntries;
use crate::builder::progress::EntryProgress;
use crate::builder::source::Source;
use crate::error::{Error, Result};
use crate::format::attributes::{self, Metadata};
use crate::format::entry::{Entry, Kind};
use crate::format::notes::Note;
use crate::format::record::{MARKER_LABEL, Marker};

/// Builds an archive: entries are planned one by one, then sealed together on all cores.
///
/// File contents are stored in the order in which the files are planned, and the plan fixes their
/// sizes. If a source turns out to have a different size or cannot be read, sealing continues, and
/// [`SealReport::notes`] lists the entry.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Key, Options};
/// use bulla_archive::{ArchiveBuilder, ArchiveReader, Metadata};
/// use bytes::Bytes;
///
/// let mut builder = ArchiveBuilder::new();
/// builder.directory(b"photos", &Metadata::new().mode(0o755))?;
/// let photo = Bytes::from_static(b"\xff\xd8 a photograph");
/// builder.file(b"photos/1.jpg", &Metadata::new(), photo.len() as u64, photo)?;
///
/// let key = Key::generate()?;
/// let (archive, report) = builder.seal_to(&key, Vec::new(), &Options::new())?;
/// assert_eq!(report.entries, 2);
///
/// let reader = ArchiveReader::new(&key, archive, &Options::new())?;
/// let entry = reader.lookup(b"photos/1.jpg")?.expect("the archive has this entry");
/// assert_eq!(reader.content(&entry)?.range(3..15)?, "a photograph");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ArchiveBuilder<S> {
    entries: PlannedEntries<S>,
    skipped: Vec<Vec<u8>>,
    padded: bool,
    progress: EntryProgress,
}

/// The result of sealing an archive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SealReport {
    /// The result of sealing the container.
    pub sealed: Sealed,
    /// The number of entries.
    pub entries: u64,
    /// Entries that differ from the plan, and [skipped](ArchiveBuilder::skip) paths. Empty if every
    /// entry is complete and nothing was skipped.
    pub notes: Vec<Note>,
}

impl<S> Default for ArchiveBuilder<S> {
    fn default() -> ArchiveBuilder<S> {
        ArchiveBuilder {
            entries: PlannedEntries::default(),
            skipped: Vec::new(),
            padded: false,
            progress: EntryProgress::default(),
        }
    }
}

impl<S: Source> ArchiveBuilder<S> {
    /// Creates an empty builder.
    pub fn new() -> ArchiveBuilder<S> {
        ArchiveBuilder::default()
    }

    /// Plans a file of `len` bytes.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidPath`], or [`Error::TooLarge`] if there are more than 2^32 - 1
    /// entries or more bytes than a container can hold.
    pub fn file(&mut self, path: &[u8], metadata: &Metadata, len: u64, source: S) -> Result<()> {
        self.entries.add(Kind::File, path, metadata, None, len, Some(source))
    }

    /// Plans a directory. Parent directories need not be planned unless their metadata should be
    /// kept.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`file`](ArchiveBuilder::file).
    pub fn directory(&mut self, path: &[u8], metadata: &Metadata) -> Result<()> {
        self.entries.add(Kind::Directory, path, metadata, None, 0, None)
    }

    /// Plans a symbolic link to `target`, which need not exist or be a valid entry path.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`file`](ArchiveBuilder::file), and [`Error::InvalidPath`] if the
    /// target is empty, contains a NUL byte or is longer than 4096 bytes.
    pub fn symlink(&mut self, path: &[u8], metadata: &Metadata, target: &[u8]) -> Result<()> {
        attributes::check_target(target)
            .map_err(|why| Error::InvalidPath { path: target.to_vec(), why })?;
        self.entries.add(Kind::Symlink, path, metadata, Some(target), 0, None)
    }

    /// Plans a copy of an entry from another archive, with the same attributes and
    /// [state](Entry::state). `source` provides the content of a file and is unused for other
    /// entries.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`file`](ArchiveBuilder::file), and [`Error::ExternalContent`] or
    /// [`Error::UnknownEncoding`] if the content cannot be read from the other archive.
    pub fn copy_entry(&mut self, entry: &Entry, source: S) -> Result<()> {
        if entry.kind() == Kind::File {
            entry.check_readable()?;
        }
        self.entries.copy_entry(entry, source)
    }

    /// Adds a note that `path` was skipped, for example because it is a socket or cannot be read.
    /// The path need not be valid, and is truncated to 65535 bytes.
    pub fn skip(&mut self, path: &[u8]) {
        let len = path.len().min(u16::MAX.into());
        self.skipped.push(path[..len].to_vec());
    }

    /// Sets whether padding hides the exact size of the archive. Padding adds less than an eighth
    /// to the size, and proportionally less for large archives (A-8.1).
    pub fn pad(&mut self, padded: bool) {
        self.padded = padded;
    }

    /// Returns the number of planned entries.
    pub fn len(&self) -> u64 {
        self.entries.as_slice().len() as u64
    }

    /// Returns whether no entries are planned.
    pub fn is_empty(&self) -> bool {
        self.entries.as_slice().is_empty()
    }

    /// Returns the planned number of plaintext bytes: the records of all entries, without the
    /// index.
    pub fn planned_len(&self) -> u64 {
        self.entries.end()
    }

    /// Returns a counter of the entries that have been read, for display on another thread. It
    /// starts at 0 and reaches [`len`](ArchiveBuilder::len) when sealing succeeds.
    pub fn progress(&self) -> EntryProgress {
        self.progress.clone()
    }

    /// Seals the archive into `output`, which must be empty.
    ///
    /// If `output` is a regular file, all workers read, seal and write in parallel. Any other
    /// output is written in order. As with [`bulla::seal_file`], write to a temporary file and
    /// rename it once this function has succeeded.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Duplicate`] or [`Error::ParentNotDirectory`], and [`Error::Container`] with
    /// the errors of [`bulla::seal_file`]. Errors from sources are noted instead of returned.
    pub fn seal(self, key: &Key, output: &File, options: &Options<'_>) -> Result<SealReport> {
        self.seal_draft(new_draft(key, options)?, output)
    }

    /// Seals the archive into a stream, in order, and returns the stream.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`seal`](ArchiveBuilder::seal).
    pub fn seal_to<W: Write>(
        self,
        key: &Key,
        writer: W,
        options: &Options<'_>,
    ) -> Result<(W, SealReport)> {
        self.seal_draft_to(new_draft(key, options)?, writer)
    }

    /// Seals the archive into `output` like [`seal`](ArchiveBuilder::seal), but in a container that
    /// the caller has drafted and that may have an envelope. The draft's [`Options::content_type`]
    /// must be [`ContentType::ARCHIVE`].
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`seal`](ArchiveBuilder::seal), and [`Error::NotAnArchive`] if
    /// the draft has a different content type.
    pub fn seal_draft(self, draft: Draft<'_>, output: &File) -> Result<SealReport> {
        let plaintext = self.into_plaintext(&draft)?;
        let sealed = draft.seal_plan(&plaintext, output)?;
        Ok(SealReport::new(&plaintext, sealed))
    }

    /// Seals the archive into a stream like [`seal_to`](ArchiveBuilder::seal_to), but in a
    /// container that the caller has drafted.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`seal_draft`](ArchiveBuilder::seal_draft).
    pub fn seal_draft_to<W: Write>(self, draft: Draft<'_>, writer: W) -> Result<(W, SealReport)> {
        let plaintext = self.into_plaintext(&draft)?;
        let (writer, sealed) = draft.seal_plan_to(&plaintext, writer)?;
        Ok((writer, SealReport::new(&plaintext, sealed)))
    }

    fn into_plaintext(self, draft: &Draft<'_>) -> Result<ArchivePlaintext<S>> {
        let content_type = draft.header().content_type();
        if content_type != ContentType::ARCHIVE {
            return Err(Error::NotAnArchive { content_type: content_type.0 });
        }
        let ArchiveBuilder { entries, skipped, padded, progress } = self;
        let by_path = entries.sorted_by_path()?;
        let marker = Marker::new(&draft.export(MARKER_LABEL));
        Ok(ArchivePlaintext::new(entries, by_path, skipped, padded, marker, progress))
    }
}

impl SealReport {
    fn new<S: Source>(plaintext: &ArchivePlaintext<S>, sealed: Sealed) -> SealReport {
        SealReport { sealed, entries: plaintext.entries_len(), notes: plaintext.notes() }
    }
}

fn new_draft<'a>(key: &Key, options: &Options<'a>) -> Result<Draft<'a>> {
    Ok(Draft::new(key, &options.content_type(ContentType::ARCHIVE))?)
}
