//! Plans an archive, and seals it.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::AtomicU64;

use bulla::{Content as ContentNumber, Draft, Key, Options, Sealed};

use crate::attributes::{self, MAX_ATTR_LEN, Metadata};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::log::Log;
use crate::name::{self, Ascending};
use crate::notes::Note;
use crate::record::{HEAD_LEN, Head, MARKER_LABEL, Marker};
use crate::source::Source;

/// An archive in the making: first the plan, entry by entry, then the sealing, all at once and on all cores.
///
/// The order of planning is the order in which contents lie in the archive. Sizes are fixed in the plan; what turns out to be another
/// size when it is read, or cannot be read at all, is noted and stops nothing ([`Report::notes`]).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Key, Options};
/// use bulla_archive::{ArchiveReader, ArchiveWriter, Metadata};
/// use bytes::Bytes;
///
/// let mut writer = ArchiveWriter::new();
/// writer.folder(b"photos", &Metadata::new().mode(0o755))?;
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
    pub(crate) planned: Vec<Planned<S>>,
    /// The name and attributes of each entry, as its record has them.
    pub(crate) named: Vec<u8>,
    /// Where the next record begins.
    pub(crate) end: u64,
    pub(crate) left_out: Vec<Vec<u8>>,
    pub(crate) padded: bool,
}

/// An entry to be.
#[derive(Debug)]
pub(crate) struct Planned<S> {
    /// Offset of the record.
    pub(crate) start: u64,
    /// Where name and attributes begin in `named`.
    at: usize,
    pub(crate) len: u64,
    attr_len: u32,
    pub(crate) name_len: u16,
    pub(crate) kind: Kind,
    pub(crate) source: Option<S>,
}

/// What became of a plan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The container.
    pub sealed: Sealed,
    /// Number of entries.
    pub entries: u64,
    /// What is not as it was planned, and what was [left out](ArchiveWriter::left_out); empty if all is well.
    pub notes: Vec<Note>,
}

impl<S> Default for ArchiveWriter<S> {
    fn default() -> ArchiveWriter<S> {
        let (planned, named, left_out) = (Vec::new(), Vec::new(), Vec::new());
        ArchiveWriter { planned, named, end: 0, left_out, padded: false }
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
    /// [`Error::BadName`]; [`Error::TooLarge`] for more than 2^32 - 1 entries, or more bytes than a container holds.
    pub fn file(&mut self, name: &[u8], metadata: &Metadata, len: u64, source: S) -> Result<()> {
        self.plan(Kind::File, name, metadata, None, len, Some(source))
    }

    /// Plans a folder. Only one that is empty, or whose metadata is to be kept, needs to be planned.
    ///
    /// # Errors
    ///
    /// As [`file`](ArchiveWriter::file).
    pub fn folder(&mut self, name: &[u8], metadata: &Metadata) -> Result<()> {
        self.plan(Kind::Folder, name, metadata, None, 0, None)
    }

    /// Plans a symbolic link to `target`, which may be anything.
    ///
    /// # Errors
    ///
    /// As [`file`](ArchiveWriter::file); [`Error::BadName`] if the target is empty, has a NUL byte or more than 4096 bytes.
    pub fn symlink(&mut self, name: &[u8], metadata: &Metadata, target: &[u8]) -> Result<()> {
        attributes::check_target(target).map_err(|why| Error::BadName { name: target.to_vec(), why })?;
        self.plan(Kind::Symlink, name, metadata, Some(target), 0, None)
    }

    /// Notes a name that is to be no entry: a socket, say, or a file that must not be read. The archive tells of it.
    pub fn left_out(&mut self, name: &[u8]) {
        let len = name.len().min(u16::MAX.into());
        self.left_out.push(name[..len].to_vec());
    }

    /// Hides the exact size by padding of at most an eighth, less for large archives (A-8.1).
    pub fn pad(&mut self, padded: bool) {
        self.padded = padded;
    }

    /// Number of entries planned so far.
    pub fn len(&self) -> u64 {
        self.planned.len() as u64
    }

    /// Whether nothing is planned so far.
    pub fn is_empty(&self) -> bool {
        self.planned.is_empty()
    }

    /// Bytes that are planned so far: the contents, and what surrounds each.
    pub fn planned_len(&self) -> u64 {
        self.end
    }

    /// Seals the archive into `output`, which must be empty. Into a regular file, all workers read, seal and write at once;
    /// anything else is written in order. Give a file a temporary name until this has returned, as with [`bulla::seal_file`].
    ///
    /// # Errors
    ///
    /// [`Error::Duplicate`], [`Error::ParentIsNoFolder`]; [`Error::Container`] with what [`bulla::seal_file`] returns. No source
    /// makes it fail.
    pub fn seal(self, key: &Key, output: &File, options: &Options<'_>) -> Result<Report> {
        self.seal_counting(key, output, options, &AtomicU64::new(0))
    }

    /// As [`seal`](ArchiveWriter::seal), and counts in `done` the entries that were read, for who shows it meanwhile.
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
        let (draft, log) = self.start(key, options, done)?;
        let sealed = draft.seal_plan(&log, output)?;
        Ok(log.report(sealed))
    }

    /// Seals the archive into a stream, in order, and gives that back.
    ///
    /// # Errors
    ///
    /// As [`seal`](ArchiveWriter::seal).
    pub fn seal_to<W: Write>(self, key: &Key, writer: W, options: &Options<'_>) -> Result<(W, Report)> {
        let done = AtomicU64::new(0);
        let (draft, log) = self.start(key, options, &done)?;
        let (writer, sealed) = draft.seal_plan_to(&log, writer)?;
        Ok((writer, log.report(sealed)))
    }

    fn start<'a, 'd>(
        self,
        key: &Key,
        options: &Options<'a>,
        done: &'d AtomicU64,
    ) -> Result<(Draft<'a>, Log<'d, S>)> {
        let by_name = self.by_name()?;
        let draft = Draft::new(key, &options.content(ContentNumber::ARCHIVE))?;
        let marker = Marker::new(&draft.export(MARKER_LABEL));
        Ok((draft, Log::new(self, by_name, marker, done)))
    }

    /// The entries' numbers in the order of their names, which keep to A-2.2.
    fn by_name(&self) -> Result<Vec<u32>> {
        let mut by_name: Vec<u32> = (0..self.planned.len() as u32).collect();
        by_name.sort_unstable_by_key(|number| self.name(&self.planned[*number as usize]));
        let mut ascending = Ascending::default();
        for number in &by_name {
            let planned = &self.planned[*number as usize];
            ascending.next(self.name(planned), planned.kind == Kind::Folder)?;
        }
        Ok(by_name)
    }

    fn plan(
        &mut self,
        kind: Kind,
        name: &[u8],
        metadata: &Metadata,
        target: Option<&[u8]>,
        len: u64,
        source: Option<S>,
    ) -> Result<()> {
        name::check(name)?;
        if self.planned.len() as u64 == u64::from(u32::MAX) {
            return Err(Error::TooLarge { what: "more than 2^32 - 1 entries" });
        }
        let at = self.named.len();
        self.named.extend(name);
        attributes::encode(metadata, target, &mut self.named);
        let attr_len = self.named.len() - at - name.len();
        debug_assert!(attr_len <= MAX_ATTR_LEN, "a time, a mode and a target are not as long");
        let planned = Planned {
            start: self.end,
            at,
            len,
            attr_len: attr_len as u32,
            // Checked above: at most 4096.
            name_len: name.len() as u16,
            kind,
            source,
        };
        let end = planned.head().len().and_then(|len| self.end.checked_add(len));
        match end.filter(|end| *end < 1 << 48) {
            Some(end) => self.end = end,
            None => {
                self.named.truncate(at);
                return Err(Error::TooLarge { what: "more bytes than a container holds" });
            }
        }
        self.planned.push(planned);
        Ok(())
    }

    pub(crate) fn name(&self, planned: &Planned<S>) -> &[u8] {
        &self.named[planned.at..planned.at + usize::from(planned.name_len)]
    }

    /// Name and attributes, as the record has them.
    pub(crate) fn named(&self, planned: &Planned<S>) -> &[u8] {
        &self.named[planned.at..planned.at + planned.head().content_start() as usize - HEAD_LEN]
    }
}

impl<S> Planned<S> {
    pub(crate) fn head(&self) -> Head {
        Head {
            kind: self.kind.record(),
            encoding: 0,
            name_len: self.name_len,
            attr_len: self.attr_len,
            content_len: self.len,
        }
    }
}
