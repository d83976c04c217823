//! The library of archives against every vector of spec/vectors/archive, step by step.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bulla::{Key, Options, Workers};
use bulla_archive::{ArchiveReader, Entry, Error, Kind, Note, State};
use bulla_testkit::vectors::archive::{self, Modified, Step, Vector, all};
use sha2::{Digest, Sha256};

type Reader<'v> = ArchiveReader<'v, &'v [u8]>;

/// What a step came to; an error by its name in the vectors.
type Stepped<T> = Result<T, &'static str>;

fn open(vector: &Vector) -> Stepped<Reader<'_>> {
    let mut options = Options::new().workers(Workers::Serial);
    if let Some(context) = &vector.context {
        options = options.context(context);
    }
    let key = Key::from_bytes(vector.key[..].try_into().unwrap());
    ArchiveReader::new(&key, &vector.container[..], &options).map_err(|error| name(&error))
}

fn list(reader: &Reader<'_>) -> Stepped<Vec<Entry>> {
    reader.entries().collect::<Result<_, _>>().map_err(|error| name(&error))
}

/// The errors of ARCHIVE.md, of which the library tells some apart.
fn name(error: &Error) -> &'static str {
    match error {
        Error::NotAnArchive { .. } => "not_an_archive",
        Error::Malformed { .. } | Error::Duplicate { .. } | Error::ParentNotDirectory { .. } => {
            "malformed"
        }
        Error::UnknownKind { .. } | Error::UnknownEncoding { .. } => "unsupported",
        Error::Container(bulla::Error::WrongKey) => "wrong_key",
        Error::Container(bulla::Error::ChunkRejected { .. }) => "chunk_rejected",
        Error::Container(bulla::Error::Truncated { .. }) => "truncated",
        other => panic!("no archive gives this error: {other:?}"),
    }
}

/// An entry in the words of the vectors; the error of its content, if that cannot be read.
fn described(reader: &Reader<'_>, entry: &Entry) -> (archive::VectorEntry, Option<&'static str>) {
    let (mut container, mut sha256, mut failure) = (0, None, None);
    let content = reader.content(entry).and_then(|content| content.range(0..entry.len()));
    match content {
        Ok(content) => sha256 = Some(Sha256::digest(&content).into()),
        Err(Error::NoContent) => assert_ne!(entry.kind(), Kind::File),
        Err(Error::ExternalContent { container: row }) => container = row,
        Err(error) => failure = Some(name(&error)),
    }
    let kind = match entry.kind() {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "link",
    };
    let modified = entry.metadata().mtime;
    let described = archive::VectorEntry {
        name: entry.path().into(),
        kind: kind.to_owned(),
        state: words(entry.state()),
        container,
        len: entry.len(),
        sha256,
        modified: modified
            .map(|time| Modified { seconds: time.seconds, nanoseconds: time.nanoseconds }),
        mode: entry.metadata().mode,
        target: entry.target().map(Into::into),
    };
    (described, failure)
}

fn words(state: State) -> Vec<String> {
    let words = [
        (State::SHORT, "short"),
        (State::GREW, "grew"),
        (State::CHANGED, "changed"),
        (State::UNREADABLE, "unreadable"),
        (State::SKIPPED, "skipped"),
    ];
    words.into_iter().filter(|(bit, _)| state.has(*bit)).map(|(_, word)| word.to_owned()).collect()
}

/// What is stated of an entry, as far as a reader can tell that follows no references.
fn as_told(stated: &archive::VectorEntry) -> archive::VectorEntry {
    let sha256 = stated.sha256.clone().filter(|_| stated.container == 0);
    archive::VectorEntry { sha256, ..stated.clone() }
}

/// All steps up to the first that fails, each against what is stated.
fn check(vector: &Vector) -> Result<(), String> {
    let same = |ok: bool, what: &dyn Fn() -> String| if ok { Ok(()) } else { Err(what()) };
    let stated = vector.error.as_ref();
    // Where no entries are stated, an earlier step may find the same.
    let fails_here = |step, error: &str| {
        let ok = stated.is_some_and(|stated| {
            stated.name == error
                && (stated.step == step || vector.entries.is_none() && step < stated.step)
        });
        same(ok, &|| format!("{step:?} fails: {error}, but {stated:?} is stated"))
    };
    let passes = |step| {
        let ok = stated.is_none_or(|stated| stated.step != step);
        same(ok, &|| format!("{step:?} passes, but {stated:?} is stated"))
    };

    let reader = match open(vector) {
        Ok(reader) => reader,
        Err(error) => return fails_here(Step::Open, error),
    };
    passes(Step::Open)?;
    let entries = match list(&reader) {
        Ok(entries) => entries,
        Err(error) => return fails_here(Step::List, error),
    };
    passes(Step::List)?;

    let described: Vec<_> = entries.iter().map(|entry| described(&reader, entry)).collect();
    if let Some(stated) = &vector.entries {
        let stated: Vec<_> = stated.iter().map(as_told).collect();
        let found: Vec<_> = described.iter().map(|(entry, _)| entry.clone()).collect();
        same(found == stated, &|| format!("{found:?}, but {stated:?} is stated"))?;
    }
    if let Some(stated) = &vector.notes {
        let note = |note: Note| {
            let (name, state, found) = (note.path.into(), words(note.state), note.found);
            archive::VectorNote { name, state, found }
        };
        let found: Vec<_> = reader.notes().unwrap().into_iter().map(note).collect();
        same(found == *stated, &|| format!("{found:?}, but {stated:?} is stated"))?;
    }
    if let Some((entry, Some(error))) = described.iter().find(|(_, failure)| failure.is_some()) {
        let named = stated.and_then(|stated| stated.entry.as_ref()) == Some(&entry.name);
        same(named, &|| format!("the content of {:?} cannot be read: {error}", entry.name))?;
        return fails_here(Step::Content, error);
    }
    if stated.is_some_and(|stated| stated.step == Step::Content) {
        // Of a reference, which the library does not follow.
        let of = |entry: &archive::VectorEntry| {
            stated.is_some_and(|stated| stated.entry.as_ref() == Some(&entry.name))
        };
        let elsewhere = described.iter().any(|(entry, _)| entry.container > 0 && of(entry));
        return same(elsewhere, &|| format!("all contents are read, but {stated:?} is stated"));
    }
    match reader.verify() {
        Ok(()) => passes(Step::Verify),
        Err(error) => fails_here(Step::Verify, name(&error)),
    }
}

/// each step
/// fails or passes as stated, and gives what is stated. have no other test.
#[test]
fn every_step() {
    let vectors = all();
    let failure = |vector: &Vector| {
        let failure = check(vector).err()?;
        Some(format!("{} ({}): {failure}", vector.name, vector.clause))
    };
    let failures: Vec<_> = vectors.iter().filter_map(failure).collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        vectors.len(),
        failures.join("\n")
    );
}

/// looking up one entry, which reads one block, finds what listing finds, and nothing
/// between.
#[test]
fn lookups() {
    let mut found = 0;
    for vector in all().iter().filter(|vector| vector.entries.is_some()) {
        let reader = open(vector).unwrap();
        for entry in list(&reader).unwrap() {
            assert_eq!(
                reader.lookup(entry.path()).unwrap().as_ref(),
                Some(&entry),
                "{}",
                vector.name
            );
            let behind = [entry.path(), b"\0"].concat();
            assert_eq!(reader.lookup(&behind).unwrap(), None, "{}", vector.name);
            found += 1;
        }
        assert_eq!(reader.lookup(b"").unwrap(), None);
    }
    assert!(found > 300, "only {found} entries were looked up");
}

/// all contents at once are what they are one by one.
#[test]
fn all_contents_at_once() {
    for vector in all() {
        let Some(stated) = &vector.entries else { continue };
        let whole = stated
            .iter()
            .all(|entry| entry.container == 0 && (entry.kind != "file" || entry.sha256.is_some()));
        if !whole {
            continue;
        }
        let reader = open(&vector).unwrap();
        let mut files = list(&reader).unwrap();
        files.retain(|entry| entry.kind() == Kind::File);
        let contents: BTreeMap<_, _> =
            files.iter().enumerate().map(|(i, entry)| (i, vec![0; entry.len() as usize])).collect();
        let contents = Mutex::new(contents);
        let put = |number: usize, offset: u64, bytes: &[u8]| {
            let mut contents = contents.lock().unwrap();
            let content = contents.get_mut(&number).unwrap();
            content[offset as usize..][..bytes.len()].copy_from_slice(bytes);
            Ok(())
        };
        reader.read_all(&files, put).unwrap();
        let digests: Vec<_> = contents
            .into_inner()
            .unwrap()
            .values()
            .map(|content| Sha256::digest(content).to_vec())
            .collect();
        let stated: Vec<_> =
            stated.iter().filter_map(|entry| entry.sha256.clone()).map(|hash| hash.0).collect();
        assert_eq!(digests, stated, "{}", vector.name);
    }
}
