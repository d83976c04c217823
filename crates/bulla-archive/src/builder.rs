//! Plans an archive, and seals it.

// Modules are listed in dependency order: each imports only from those above it.
pub(crate) mod source;
mod slots;
mod planned_entries;
mod content_reader;
mod tail;
mod plaintext;

use std::fs::File;
use std::io::Write;
use std::sync::atomic::AtomicU64;

use bulla::{ContentType, Draft, Key, Options, Sealed};

use crate::builder::plaintext::Log;
use crate::builder::planned_entries::Planning;
use crate::builder::source::Source;
use crate::error::{Error, Result};
use crate::format::attributes::{self, Metadata};
use crate::format::entry::{Entry, Kind};
use crate::format::notes::Note;
use crate::format::record::{MARKER_LABEL, Marker};

/// An archive in the making: first the plan, entry by entry, then the sealing, all at once and on
/// all cores.
///
/// The order of planning is the order in which contents lie in the archive. Sizes are fixed in the
/// plan; what turns out to be another size when it is read, or cannot be read at all, is noted and
/// stops nothing ([`Report::notes`]).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Key, Options};
/// use bulla_archive::{ArchiveReader, ArchiveWriter, Metadata};
/// use bytes::Bytes;
///
/// let mut writer = ArchiveWriter::new();
/// writer.directory(b"photos", &Metadata::new().mode(0o755))?;
/// let photo = Bytes::from_static(b"\xff\xd8 a photograph");
/// writer.file(b"photos/1.jpg", &Metadata::new(), photo.len() as u64, photo)?;
///
/// let key = Key::generate()?;
/// let (archive, report) = writer.seal_to(&key, Vec::new(), &Options::new())?;
/// assert_eq!(report.entries, 2);
///
/// let reader = ArchiveReader::new(&key, archive, &Options::new())?;
/// let entry = reader.lookup(b"photos/1.jpg")?.expect("it was put there");
/// assert_eq!(reader.content(&entry)?.range(3..15)?, "a photograph");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ArchiveWriter<S> {
    planning: Planning<S>,
}

/// What became of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The container.
    pub sealed: Sealed,
    /// Number of entries.
    pub entries: u64,
    /// What is not as it was planned, and what was [left out](ArchiveWriter::skip); empty if all
    /// is well.
    pub notes: Vec<Note>,
}

impl<S> Default for ArchiveWriter<S> {
    fn default() -> ArchiveWriter<S> {
        ArchiveWriter { planning: Planning::default() }
    }
}

impl<S: Source> ArchiveWriter<S> {
    /// An empty plan.
    pub fn new() -> ArchiveWriter<S> {
        ArchiveWriter::default()
    }

    /// Plans a file of `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPath`]; [`Error::TooLarge`] for more than 2^32 - 1 entries, or more bytes
    /// than a container holds.
    pub fn file(&mut self, path: &[u8], metadata: &Metadata, len: u64, source: S) -> Result<()> {
        self.planning.add(Kind::File, path, metadata, None, len, Some(source))
    }

    /// Plans a directory. Only one that is empty, or whose metadata is to be kept, needs to be
    /// planned.
    ///
    /// # Errors
    ///
    /// As [`file`](ArchiveWriter::file).
    pub fn directory(&mut self, path: &[u8], metadata: &Metadata) -> Result<()> {
        self.planning.add(Kind::Directory, path, metadata, None, 0, None)
    }

    /// Plans a symbolic link to `target`, which may be anything.
    ///
    /// # Errors
    ///
    /// As [`file`](ArchiveWriter::file); [`Error::InvalidPath`] if the target is empty, has a NUL
    /// byte or more than 4096 bytes.
    pub fn symlink(&mut self, path: &[u8], metadata: &Metadata, target: &[u8]) -> Result<()> {
        attributes::check_target(target)
            .map_err(|why| Error::InvalidPath { path: target.to_vec(), why })?;
        self.planning.add(Kind::Symlink, path, metadata, Some(target), 0, None)
    }

    /// Plans an entry as another archive has it: with its attributes, and what was
    /// [noted](Entry::state) of it. The source gives the content of a file, and is not asked
    /// for anything else.
    ///
    /// # Errors
    ///
    /// As [`file`](ArchiveWriter::file); [`Error::ExternalContent`], [`Error::UnknownEncoding`] for
    /// a content that is not in that archive.
    pub fn copy_entry(&mut self, entry: &Entry, source: S) -> Result<()> {
        if entry.kind() == Kind::File {
            entry.check_readable()?;
        }
        self.planning.copy_entry(entry, source)
    }

    /// Notes a path that is to be no entry: a socket, say, or a file that must not be read. The
    /// archive tells of it.
    pub fn skip(&mut self, path: &[u8]) {
        let len = path.len().min(u16::MAX.into());
        self.planning.skipped.push(path[..len].to_vec());
    }

    /// Hides the exact size by padding of at most an eighth, less for large archives (A-8.1).
    pub fn pad(&mut self, padded: bool) {
        self.planning.padded = padded;
    }

    /// Number of entries planned so far.
    pub fn len(&self) -> u64 {
        self.planning.planned.len() as u64
    }

    /// Whether nothing is planned so far.
    pub fn is_empty(&self) -> bool {
        self.planning.planned.is_empty()
    }

    /// Bytes that are planned so far: the contents, and what surrounds each.
    pub fn planned_len(&self) -> u64 {
        self.planning.end
    }

    /// Seals the archive into `output`, which must be empty. Into a regular file, all workers read,
    /// seal and write at once; anything else is written in order. Give a file a temporary path
    /// until this has returned, as with [`bulla::seal_file`].
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`], [`Error::ParentNotDirectory`]; [`Error::Container`] with what
    /// [`bulla::seal_file`] returns. No source makes it fail.
    pub fn seal(self, key: &Key, output: &File, options: &Options<'_>) -> Result<Report> {
        self.seal_counting(key, output, options, &AtomicU64::new(0))
    }

    /// As [`seal`](ArchiveWriter::seal), and counts in `done` the entries that were read, for who
    /// shows it meanwhile.
    ///
    /// # Errors
    ///
    /// As [`seal`](ArchiveWriter::seal).
    pub fn seal_counting(
        self,
        key: &Key,
        output: &File,
        options: &Options<'_>,
        done: &AtomicU64,
    ) -> Result<Report> {
        self.seal_draft(draft(key, options)?, output, done)
    }

    /// Seals the archive into a stream, in order, and gives that back.
    ///
    /// # Errors
    ///
    /// As [`seal`](ArchiveWriter::seal).
    pub fn seal_to<W: Write>(
        self,
        key: &Key,
        writer: W,
        options: &Options<'_>,
    ) -> Result<(W, Report)> {
        self.seal_draft_to(draft(key, options)?, writer)
    }

    /// As [`seal_counting`](ArchiveWriter::seal_counting), in a container that was drafted already,
    /// so that it has an envelope. It was drafted with [`Options::content_type`] of
    /// [`bulla::ContentType::ARCHIVE`].
    ///
    /// # Errors
    ///
    /// As [`seal`](ArchiveWriter::seal); [`Error::NotAnArchive`] if the draft is for content of
    /// another kind.
    pub fn seal_draft(self, draft: Draft<'_>, output: &File, done: &AtomicU64) -> Result<Report> {
        let log = self.start(&draft, done)?;
        let sealed = draft.seal_plan(&log, output)?;
        Ok(report(&log, sealed))
    }

    /// As [`seal_draft`](ArchiveWriter::seal_draft), into a stream.
    ///
    /// # Errors
    ///
    /// As [`seal_draft`](ArchiveWriter::seal_draft).
    pub fn seal_draft_to<W: Write>(self, draft: Draft<'_>, writer: W) -> Result<(W, Report)> {
        let done = AtomicU64::new(0);
        let log = self.start(&draft, &done)?;
        let (writer, sealed) = draft.seal_plan_to(&log, writer)?;
        Ok((writer, report(&log, sealed)))
    }

    fn start<'d>(self, draft: &Draft<'_>, done: &'d AtomicU64) -> Result<Log<'d, S>> {
        let content_type = draft.header().content_type();
        if content_type != ContentType::ARCHIVE {
            return Err(Error::NotAnArchive { content_type: content_type.0 });
        }
        let by_path = self.planning.by_path()?;
        let marker = Marker::new(&draft.export(MARKER_LABEL));
        Ok(Log::new(self.planning, by_path, marker, done))
    }
}

fn draft<'a>(key: &Key, options: &Options<'a>) -> Result<Draft<'a>> {
    Ok(Draft::new(key, &options.content_type(ContentType::ARCHIVE))?)
}

fn report<S: Source>(log: &Log<'_, S>, sealed: Sealed) -> Report {
    Report { sealed, entries: log.entries_len(), notes: log.notes() }
}
