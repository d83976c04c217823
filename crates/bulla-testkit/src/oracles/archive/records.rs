//! Archives, read step by step by the library and the reference.

use std::ops::Range;
use std::sync::Mutex;

use bulla::Key;
use bulla_archive::{ArchiveReader, Entry, Error, Kind, Recovered, Salvage, State};

use crate::archive::{self, ArchiveError, CONTENT, ReferenceArchive, kind};
use crate::library::options;
use crate::oracles::known;
use crate::reference::{self, SealParams};

/// **Input: an archive plaintext**, from the first record to the trailer, with [`known::MARKER`] at
/// the start of each record. The reference seals it under [`known::KEY`].
///
/// - The library and the reference agree when they open, list and verify the archive: on its
///   entries, states, times, modes, targets, notes and contents, or on the error and the step that
///   reports it (A-1.1 to to
///   When opening, the library may report an error that the reference reports at a later
///   step.
/// - A lookup finds exactly the listed names. A directory lists exactly the entries below
///   it. Reading all contents in one call yields the same bytes as reading each one individually.
/// - Salvage terminates, and recovers everything from a well-formed archive.
/// - Nothing panics, and no length in the archive makes the library allocate more than the
///   archive's size.
pub fn archive_records(bytes: &[u8]) {
    compare_readers(&seal(bytes));
}

/// Seals an archive plaintext whose marker is [`known::MARKER`].
pub(super) fn seal(plaintext: &[u8]) -> Vec<u8> {
    reference::seal(&SealParams {
        key: known::KEY,
        salt: known::SALT,
        chunk_log2: known::CHUNK_LOG2,
        content: CONTENT,
        context: None,
        envelope: b"",
        plaintext,
    })
}

/// The steps of reading an archive, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open,
    List,
    Verify,
}

/// An entry with its content, or the error from reading it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EntryReport {
    pub(super) name: Vec<u8>,
    kind: u8,
    state: u16,
    container: u32,
    len: u64,
    modified: Option<(i64, u32)>,
    mode: Option<u32>,
    target: Option<Vec<u8>>,
    pub(super) content: Result<Vec<u8>, &'static str>,
}

/// A reader's results up to its first error.
struct ReaderReport {
    entries: Option<Vec<EntryReport>>,
    notes: Result<Vec<archive::ReferenceNote>, &'static str>,
    error: Option<(Step, &'static str)>,
}

impl ReaderReport {
    fn fails(step: Step, error: &'static str) -> ReaderReport {
        ReaderReport { entries: None, notes: Err(error), error: Some((step, error)) }
    }
}

/// Checks the guarantees of [`archive_records`] for a container, and returns the entries if the
/// archive is well-formed.
pub(super) fn compare_readers(container: &[u8]) -> Option<Vec<EntryReport>> {
    let expected = by_reference(container);
    let found = by_library(container);
    let same = match (expected.error, found.error) {
        (Some((Step::List | Step::Verify, expected)), Some((Step::Open, found))) => {
            expected == found
        }
        (expected, found) => expected == found,
    };
    assert!(same, "library {:?}, reference {:?}", found.error, expected.error);
    if found.entries.is_some() {
        assert_eq!(found.entries, expected.entries, "library (left) and reference (right)");
        assert_eq!(found.notes, expected.notes, "library (left) and reference (right)");
    }
    let whole = expected.error.is_none().then_some(expected.entries).flatten();
    salvage_intact(container, whole.as_deref());
    whole
}

fn by_reference(container: &[u8]) -> ReaderReport {
    let archive = match ReferenceArchive::open(container, &known::KEY, None) {
        Ok(archive) => archive,
        Err(error) => return ReaderReport::fails(Step::Open, error.name()),
    };
    let listed = match archive.list() {
        Ok(listed) => listed,
        Err(error) => return ReaderReport::fails(Step::List, error.name()),
    };
    let content = |entry: &archive::ReferenceEntry| match (entry.kind, entry.container) {
        (kind::FILE, 0) => archive.content(entry, &[]).map_err(ArchiveError::name),
        (kind::FILE, _) => Err("external_content"),
        _ => Err("no_content"),
    };
    let report = |entry: archive::ReferenceEntry| EntryReport {
        content: content(&entry),
        name: entry.name,
        kind: entry.kind,
        state: entry.state,
        container: entry.container,
        len: entry.len,
        modified: entry.modified,
        mode: entry.mode,
        target: entry.target,
    };
    ReaderReport {
        notes: archive.notes().map_err(ArchiveError::name),
        error: archive.verify().err().map(|error| (Step::Verify, error.name())),
        entries: Some(listed.into_iter().map(report).collect()),
    }
}

fn by_library(container: &[u8]) -> ReaderReport {
    let reader = match ArchiveReader::new(&Key::from_bytes(&known::KEY), container, &options(None))
    {
        Ok(reader) => reader,
        Err(error) => return ReaderReport::fails(Step::Open, name(&error)),
    };
    let entries: Vec<Entry> = match reader.entries().collect::<Result<_, _>>() {
        Ok(entries) => entries,
        Err(error) => {
            // Lookups and directory walks do not read the whole index, so they may still succeed.
            // They must not panic.
            let _ = reader.lookup(b"a").map_err(|error| name(&error));
            for error in reader.directory(b"").filter_map(Result::err) {
                assert!(!name(&error).is_empty());
            }
            return ReaderReport::fails(Step::List, name(&error));
        }
    };
    assert_eq!(reader.len(), entries.len() as u64);
    lookups(&reader, &entries);
    let reports: Vec<_> = entries.iter().map(|entry| report(&reader, entry)).collect();
    read_all_contents(&reader, &entries, &reports);
    let noted = |note: bulla_archive::Note| archive::ReferenceNote {
        state: bits(note.state),
        found: note.found,
        name: note.path,
    };
    ReaderReport {
        entries: Some(reports),
        notes: reader
            .notes()
            .map(|notes| notes.into_iter().map(noted).collect())
            .map_err(|e| name(&e)),
        error: reader.verify().err().map(|error| (Step::Verify, name(&error))),
    }
}

/// Describes an entry that the library returned.
fn report(reader: &ArchiveReader<'_, &[u8]>, entry: &Entry) -> EntryReport {
    let content = reader.content(entry).and_then(|content| content.range(0..entry.len()));
    let container = match content {
        Err(Error::ExternalContent { container }) => container,
        _ => 0,
    };
    EntryReport {
        name: entry.path().to_vec(),
        kind: match entry.kind() {
            Kind::File => kind::FILE,
            Kind::Directory => kind::DIRECTORY,
            Kind::Symlink => kind::LINK,
        },
        state: bits(entry.state()) & 0xF,
        container,
        len: entry.len(),
        modified: entry.metadata().mtime.map(|time| (time.seconds, time.nanoseconds)),
        mode: entry.metadata().mode,
        target: entry.target().map(<[u8]>::to_vec),
        content: content.map(|content| content.to_vec()).map_err(|error| name(&error)),
    }
}

/// Returns the bits of a state.
fn bits(state: State) -> u16 {
    let bits = [
        (State::SHORT, archive::state::SHORT),
        (State::GREW, archive::state::GREW),
        (State::CHANGED, archive::state::CHANGED),
        (State::UNREADABLE, archive::state::UNREADABLE),
        (State::SKIPPED, archive::state::SKIPPED),
    ];
    bits.iter().filter(|(flag, _)| state.has(*flag)).fold(0, |bits, (_, bit)| bits | bit)
}

/// Returns the name of an error in ARCHIVE.md. The library distinguishes some errors that
/// ARCHIVE.md does not.
pub(super) fn name(error: &Error) -> &'static str {
    match error {
        Error::NotAnArchive { .. } => "not_an_archive",
        Error::Malformed { .. } | Error::Duplicate { .. } | Error::ParentNotDirectory { .. } => {
            "malformed"
        }
        Error::UnknownKind { .. } | Error::UnknownEncoding { .. } => "unsupported",
        Error::ExternalContent { .. } => "external_content",
        Error::NoContent => "no_content",
        other => panic!("not an error for an intact container: {other:?}"),
    }
}

/// Checks lookups and directories.
fn lookups(reader: &ArchiveReader<'_, &[u8]>, entries: &[Entry]) {
    let look = |name: &[u8]| reader.lookup(name).expect("all blocks were already read");
    let listed = |name: &[u8]| entries.iter().find(|entry| entry.path() == name).cloned();
    for entry in entries.iter().take(32) {
        let entry_name = entry.path();
        let after = [entry_name, b"\0"].concat();
        let before = &entry_name[..entry_name.len() - 1];
        for name in [entry_name, &after, before] {
            assert_eq!(look(name), listed(name), "{:?}", String::from_utf8_lossy(name));
        }
        let below = [entry_name, b"/"].concat();
        let directory: Vec<_> = reader
            .directory(entry_name)
            .collect::<Result<_, _>>()
            .expect("all blocks were already read");
        let is_in = |found: &&Entry| found.path() == entry_name || found.path().starts_with(&below);
        let expected: Vec<_> = entries.iter().filter(is_in).cloned().collect();
        assert_eq!(directory, expected, "the directory {:?}", String::from_utf8_lossy(entry_name));
    }
}

/// Checks that reading all contents in one call yields the same bytes as reading each one
/// individually.
fn read_all_contents(
    reader: &ArchiveReader<'_, &[u8]>,
    entries: &[Entry],
    reports: &[EntryReport],
) {
    let (files, stated): (Vec<Entry>, Vec<&Vec<u8>>) = (entries.iter().zip(reports))
        .filter_map(|(entry, report)| Some((entry.clone(), report.content.as_ref().ok()?)))
        .unzip();
    let contents: Vec<_> =
        files.iter().map(|entry| Mutex::new(vec![0; entry.len() as usize])).collect();
    let put = |number: usize, offset: u64, bytes: &[u8]| {
        let mut content = contents[number].lock().expect("no thread panicked");
        content[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    };
    reader.read_all(&files, put).expect("all contents were already read");
    for (content, stated) in contents.into_iter().zip(stated) {
        assert!(
            content.into_inner().expect("no thread panicked") == *stated,
            "read in one call: the bytes differ"
        );
    }
}

/// Salvages from an intact container. If the archive is well-formed, everything must be recovered.
fn salvage_intact(container: &[u8], whole: Option<&[EntryReport]>) {
    let salvage = Salvage::new(&Key::from_bytes(&known::KEY), container, &options(None));
    let mut salvage = salvage.expect("the container is an intact archive");
    let mut found = collect(&mut salvage, container.len());
    let Some(whole) = whole else { return };
    assert_eq!(salvage.summary().lost, 0);
    for expected in whole {
        let at = found
            .iter()
            .position(|found| found.entry.path() == expected.name)
            .expect("every entry is recovered");
        let found = found.swap_remove(at);
        match &expected.content {
            Ok(content) => {
                assert!(found.whole() == Some(content.clone()), "the salvaged bytes differ")
            }
            Err(_) => {
                assert!(
                    found.pieces.is_empty() && found.holes.is_empty(),
                    "salvaged content of an entry without content"
                )
            }
        }
    }
    assert!(found.is_empty(), "salvaged entries that are not listed");
}

/// An entry returned by salvage, with the pieces and holes of its content.
pub(super) struct Salvaged {
    pub(super) entry: Entry,
    /// Offsets and bytes.
    pub(super) pieces: Vec<(u64, Vec<u8>)>,
    pub(super) holes: Vec<Range<u64>>,
}

impl Salvaged {
    /// Returns the content if no part of it is lost.
    pub(super) fn whole(&self) -> Option<Vec<u8>> {
        let all = || self.pieces.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        self.holes.is_empty().then(all)
    }
}

/// Collects everything that salvage returns from a container of `container_len` bytes. Checks that
/// salvage terminates, and that an entry's pieces and holes are contiguous and cover its content.
pub(super) fn collect(salvage: &mut Salvage<&[u8]>, container_len: usize) -> Vec<Salvaged> {
    let mut all: Vec<Salvaged> = Vec::new();
    let (mut lost, mut parts) = (0u64, 0);
    // A record head's size limits the number of entries, and the number of chunks limits the number
    // of parts.
    let (entries_max, parts_max) = (container_len / 32 + 1, container_len / 4096 + 2);
    for recovered in salvage.by_ref() {
        let expected_offset = all.last().map_or(0, |entry| {
            let pieces = entry.pieces.iter().map(|(offset, bytes)| offset + bytes.len() as u64);
            pieces.chain(entry.holes.iter().map(|hole| hole.end)).max().unwrap_or(0)
        });
        let last = all.last_mut();
        match recovered {
            Recovered::Entry(entry) => {
                all.push(Salvaged { entry, pieces: Vec::new(), holes: Vec::new() });
                assert!(all.len() <= entries_max, "more entries than the container can hold");
                parts = 0;
            }
            Recovered::Piece { offset, bytes } => {
                assert_eq!(offset, expected_offset, "a piece is not contiguous");
                assert!(!bytes.is_empty());
                last.expect("an entry precedes its pieces").pieces.push((offset, bytes.to_vec()));
            }
            Recovered::Hole { range } => {
                assert_eq!(range.start, expected_offset, "a hole is not contiguous");
                assert!(!range.is_empty());
                lost = lost.saturating_add(range.end - range.start);
                last.expect("an entry precedes its holes").holes.push(range);
            }
            other => panic!("{other:?}"),
        }
        parts += 1;
        assert!(parts <= parts_max + 1, "more pieces and holes than chunks");
    }
    for found in &all {
        let covered: u64 = found.pieces.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
            + found.holes.iter().map(|hole| hole.end - hole.start).sum::<u64>();
        let expected = if found.entry.check_readable().is_ok() { found.entry.len() } else { 0 };
        assert_eq!(covered, expected, "pieces and holes do not cover the content");
    }
    assert_eq!(salvage.summary().lost, lost);
    all
}
