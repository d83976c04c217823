//! Archives, read by library and reference, step by step.

use std::ops::Range;
use std::sync::Mutex;

use bulla::Key;
use bulla_archive::{ArchiveReader, Entry, Error, Kind, Recovered, Salvage, State};

use super::known;
use crate::archive::{self, Archive, CONTENT, Fault, kind};
use crate::library::options;
use crate::reference::{self, SealParams};

/// **The bytes are the plaintext of an archive**: its records, from the first to the trailer, with
/// [`known::MARKER`] wherever a record begins. The reference seals them under [`known::KEY`].
///
/// - Opening, listing and verifying the archive come to the same with library and reference: the
///   same entries, states, times, modes, targets, notes and contents; or the same error, at the
///   same step (A-1.1 to to
///   The library may find at opening what the reference finds later.
/// - Each entry that is listed is found by its name, and none by a name that is not listed.
///   The entries of a directory are those below it. All contents at once are what they are one by
///   one.
/// - Salvage ends, and hands out all of an archive in which nothing is wrong.
/// - Nothing panics, no length in the archive makes the library allocate more than the archive has.
pub fn archive_records(bytes: &[u8]) {
    agree(&seal(bytes));
}

/// The container of an archive's plaintext. Its marker is [`known::MARKER`].
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

/// What a reader does with an archive, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open,
    List,
    Verify,
}

/// An entry with its content, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
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

/// What a reader found, as far as it got.
struct Found {
    entries: Option<Vec<Told>>,
    notes: Result<Vec<archive::Noted>, &'static str>,
    error: Option<(Step, &'static str)>,
}

impl Found {
    fn fails(step: Step, error: &'static str) -> Found {
        Found { entries: None, notes: Err(error), error: Some((step, error)) }
    }
}

/// The promise of [`archive_records`] on a container. The entries, if nothing is wrong with the
/// archive.
pub(super) fn agree(container: &[u8]) -> Option<Vec<Told>> {
    let expected = by_reference(container);
    let found = by_library(container);
    let same = match (expected.error, found.error) {
        (Some((Step::List | Step::Verify, expected)), Some((Step::Open, found))) => {
            expected == found
        }
        (expected, found) => expected == found,
    };
    assert!(same, "{:?} by library, {:?} by reference", found.error, expected.error);
    if found.entries.is_some() {
        assert_eq!(found.entries, expected.entries, "by library the left, by reference the right");
        assert_eq!(found.notes, expected.notes, "by library the left, by reference the right");
    }
    let whole = expected.error.is_none().then_some(expected.entries).flatten();
    salvaged(container, whole.as_deref());
    whole
}

fn by_reference(container: &[u8]) -> Found {
    let archive = match Archive::open(container, &known::KEY, None) {
        Ok(archive) => archive,
        Err(fault) => return Found::fails(Step::Open, fault.name()),
    };
    let listed = match archive.list() {
        Ok(listed) => listed,
        Err(fault) => return Found::fails(Step::List, fault.name()),
    };
    let content = |entry: &archive::Entry| match (entry.kind, entry.container) {
        (kind::FILE, 0) => archive.content(entry, &[]).map_err(Fault::name),
        (kind::FILE, _) => Err("elsewhere"),
        _ => Err("no_content"),
    };
    let told = |entry: archive::Entry| Told {
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
    Found {
        notes: archive.notes().map_err(Fault::name),
        error: archive.verify().err().map(|fault| (Step::Verify, fault.name())),
        entries: Some(listed.into_iter().map(told).collect()),
    }
}

fn by_library(container: &[u8]) -> Found {
    let reader = match ArchiveReader::new(&Key::from_bytes(&known::KEY), container, &options(None))
    {
        Ok(reader) => reader,
        Err(error) => return Found::fails(Step::Open, name(&error)),
    };
    let entries: Vec<Entry> = match reader.entries().collect::<Result<_, _>>() {
        Ok(entries) => entries,
        Err(error) => {
            // Whoever looks up a name does not list; nor does who walks a directory.
            let _ = reader.lookup(b"a").map_err(|error| name(&error));
            for error in reader.directory(b"").filter_map(Result::err) {
                assert!(!name(&error).is_empty());
            }
            return Found::fails(Step::List, name(&error));
        }
    };
    assert_eq!(reader.len(), entries.len() as u64);
    lookups(&reader, &entries);
    let told: Vec<_> = entries.iter().map(|entry| told(&reader, entry)).collect();
    contents_at_once(&reader, &entries, &told);
    let noted = |note: bulla_archive::Note| archive::Noted {
        state: bits(note.state),
        found: note.found,
        name: note.path,
    };
    Found {
        entries: Some(told),
        notes: reader
            .notes()
            .map(|notes| notes.into_iter().map(noted).collect())
            .map_err(|e| name(&e)),
        error: reader.verify().err().map(|error| (Step::Verify, name(&error))),
    }
}

fn told(reader: &ArchiveReader<'_, &[u8]>, entry: &Entry) -> Told {
    let content = reader.content(entry).and_then(|content| content.range(0..entry.len()));
    let container = match content {
        Err(Error::ExternalContent { container }) => container,
        _ => 0,
    };
    Told {
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

/// The errors of ARCHIVE.md, of which the library tells some apart.
pub(super) fn name(error: &Error) -> &'static str {
    match error {
        Error::NotAnArchive { .. } => "not_an_archive",
        Error::Malformed { .. } | Error::Duplicate { .. } | Error::ParentNotDirectory { .. } => {
            "malformed"
        }
        Error::UnknownKind { .. } | Error::UnknownEncoding { .. } => "unsupported",
        Error::ExternalContent { .. } => "elsewhere",
        Error::NoContent => "no_content",
        other => panic!("no intact container gives this error: {other:?}"),
    }
}

///
fn lookups(reader: &ArchiveReader<'_, &[u8]>, entries: &[Entry]) {
    let look = |name: &[u8]| reader.lookup(name).expect("all blocks were read without an error");
    let listed = |name: &[u8]| entries.iter().find(|entry| entry.path() == name).cloned();
    for entry in entries.iter().take(32) {
        let entry_name = entry.path();
        let behind = [entry_name, b"\0"].concat();
        let before = &entry_name[..entry_name.len() - 1];
        for name in [entry_name, &behind, before] {
            assert_eq!(look(name), listed(name), "{:?}", String::from_utf8_lossy(name));
        }
        let below = [entry_name, b"/"].concat();
        let directory: Vec<_> = reader
            .directory(entry_name)
            .collect::<Result<_, _>>()
            .expect("all blocks were read without an error");
        let is_in = |found: &&Entry| found.path() == entry_name || found.path().starts_with(&below);
        let expected: Vec<_> = entries.iter().filter(is_in).cloned().collect();
        assert_eq!(directory, expected, "the directory {:?}", String::from_utf8_lossy(entry_name));
    }
}

///
fn contents_at_once(reader: &ArchiveReader<'_, &[u8]>, entries: &[Entry], told: &[Told]) {
    let (files, stated): (Vec<Entry>, Vec<&Vec<u8>>) = (entries.iter().zip(told))
        .filter_map(|(entry, told)| Some((entry.clone(), told.content.as_ref().ok()?)))
        .unzip();
    let contents: Vec<_> =
        files.iter().map(|entry| Mutex::new(vec![0; entry.len() as usize])).collect();
    let put = |number: usize, offset: u64, bytes: &[u8]| {
        let mut content = contents[number].lock().expect("no thread panicked");
        content[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    };
    reader.read_all(&files, put).expect("each content was read without an error");
    for (content, stated) in contents.into_iter().zip(stated) {
        assert!(
            content.into_inner().expect("no thread panicked") == *stated,
            "other bytes at once than alone"
        );
    }
}

/// Salvages from a container that is intact; from an archive that is as well, all has to come.
fn salvaged(container: &[u8], whole: Option<&[Told]>) {
    let salvage = Salvage::new(&Key::from_bytes(&known::KEY), container, &options(None));
    let mut salvage = salvage.expect("the container is intact, and says that it holds an archive");
    let mut found = collect(&mut salvage, container.len());
    let Some(whole) = whole else { return };
    assert_eq!(salvage.summary().lost, 0);
    for told in whole {
        let at = found
            .iter()
            .position(|found| found.entry.path() == told.name)
            .expect("each entry is named");
        let found = found.swap_remove(at);
        match &told.content {
            Ok(content) => {
                assert!(found.whole() == Some(content.clone()), "other bytes salvaged than read")
            }
            Err(_) => {
                assert!(found.pieces.is_empty() && found.holes.is_empty(), "it has no content")
            }
        }
    }
    assert!(found.is_empty(), "entries that are not listed");
}

/// An entry that salvage handed out, with what came of its content.
pub(super) struct Salvaged {
    pub(super) entry: Entry,
    /// Offset and bytes.
    pub(super) pieces: Vec<(u64, Vec<u8>)>,
    pub(super) holes: Vec<Range<u64>>,
}

impl Salvaged {
    /// All of the content, if nothing of it is lost.
    pub(super) fn whole(&self) -> Option<Vec<u8>> {
        let all = || self.pieces.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        self.holes.is_empty().then(all)
    }
}

/// All that salvage hands out, of a container of so many bytes: pieces and holes of an entry follow
/// one another, and are all of it; and it ends.
pub(super) fn collect(salvage: &mut Salvage<&[u8]>, container_len: usize) -> Vec<Salvaged> {
    let mut all: Vec<Salvaged> = Vec::new();
    let (mut lost, mut parts) = (0u64, 0);
    // No more entries than heads of records or of the index fit in, and each in so many chunks at
    // most.
    let (entries_max, parts_max) = (container_len / 32 + 1, container_len / 4096 + 2);
    for recovered in salvage.by_ref() {
        let begun = all.last().map_or(0, |entry| {
            let pieces = entry.pieces.iter().map(|(offset, bytes)| offset + bytes.len() as u64);
            pieces.chain(entry.holes.iter().map(|hole| hole.end)).max().unwrap_or(0)
        });
        let last = all.last_mut();
        match recovered {
            Recovered::Entry(entry) => {
                all.push(Salvaged { entry, pieces: Vec::new(), holes: Vec::new() });
                assert!(all.len() <= entries_max, "more entries than there can be");
                parts = 0;
            }
            Recovered::Piece { offset, bytes } => {
                assert_eq!(offset, begun, "a piece that does not follow what came before");
                assert!(!bytes.is_empty());
                last.expect("an entry comes before its pieces")
                    .pieces
                    .push((offset, bytes.to_vec()));
            }
            Recovered::Hole { range } => {
                assert_eq!(range.start, begun, "a hole that does not follow what came before");
                assert!(!range.is_empty());
                lost = lost.saturating_add(range.end - range.start);
                last.expect("an entry comes before its holes").holes.push(range);
            }
            other => panic!("{other:?}"),
        }
        parts += 1;
        assert!(parts <= parts_max + 1, "more pieces and holes than there are chunks");
    }
    for found in &all {
        let came: u64 = found.pieces.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
            + found.holes.iter().map(|hole| hole.end - hole.start).sum::<u64>();
        let expected = if found.entry.check_readable().is_ok() { found.entry.len() } else { 0 };
        assert_eq!(came, expected, "pieces and holes are not all of the content");
    }
    assert_eq!(salvage.summary().lost, lost);
    all
}
