//! Checks the archive library against every vector in `spec/vectors/archive`, step by step.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bulla::{Key, Options, Workers};
use bulla_archive::{ArchiveReader, Entry, Error, Kind, Note, State};
use bulla_testkit::vectors::archive::{self, Modified, Step, Vector, all};
use sha2::{Digest, Sha256};

type Reader<'v> = ArchiveReader<'v, &'v [u8]>;

/// The result of a step. The error is named as in the vectors.
type StepResult<T> = Result<T, &'static str>;

fn open(vector: &Vector) -> StepResult<Reader<'_>> {
    let mut options = Options::new().workers(Workers::Serial);
    if let Some(context) = &vector.context {
        options = options.context(context);
    }
    let key = Key::from_bytes(vector.key[..].try_into().unwrap());
    ArchiveReader::new(&key, &vector.container[..], &options).map_err(|error| name(&error))
}

fn list(reader: &Reader<'_>) -> StepResult<Vec<Entry>> {
    reader.entries().collect::<Result<_, _>>().map_err(|error| name(&error))
}

/// Returns the name that the vectors use for an error. Several errors of the library can share a
/// name.
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
        other => panic!("unexpected error: {other:?}"),
    }
}

/// Converts an entry to the form that the vectors use. Also returns the error that reading its
/// content caused, if any.
fn describe(reader: &Reader<'_>, entry: &Entry) -> (archive::VectorEntry, Option<&'static str>) {
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
    let mtime = entry.metadata().mtime;
    let described = archive::VectorEntry {
        name: entry.path().into(),
        kind: kind.to_owned(),
        state: state_names(entry.state()),
        container,
        len: entry.len(),
        sha256,
        modified: mtime
            .map(|time| Modified { seconds: time.seconds, nanoseconds: time.nanoseconds }),
        mode: entry.metadata().mode,
        target: entry.target().map(Into::into),
    };
    (described, failure)
}

fn state_names(state: State) -> Vec<String> {
    let names = [
        (State::SHORT, "short"),
        (State::GREW, "grew"),
        (State::CHANGED, "changed"),
        (State::UNREADABLE, "unreadable"),
        (State::SKIPPED, "skipped"),
    ];
    names.into_iter().filter(|(bit, _)| state.has(*bit)).map(|(_, name)| name.to_owned()).collect()
}

/// Returns the entry to expect from a reader that does not follow references.
fn without_external_content(expected: &archive::VectorEntry) -> archive::VectorEntry {
    let sha256 = expected.sha256.clone().filter(|_| expected.container == 0);
    archive::VectorEntry { sha256, ..expected.clone() }
}

/// Runs the steps up to the first that fails, and compares each result with the vector.
fn check(vector: &Vector) -> Result<(), String> {
    let ensure = |ok: bool, message: &dyn Fn() -> String| if ok { Ok(()) } else { Err(message()) };
    let expected_error = vector.error.as_ref();
    // If the vector has no entries, an earlier step may report the same error.
    let fails = |step, error: &str| {
        let ok = expected_error.is_some_and(|expected| {
            expected.name == error
                && (expected.step == step || vector.entries.is_none() && step < expected.step)
        });
        ensure(ok, &|| format!("{step:?} fails with {error}, expected {expected_error:?}"))
    };
    let passes = |step| {
        let ok = expected_error.is_none_or(|expected| expected.step != step);
        ensure(ok, &|| format!("{step:?} passes, expected {expected_error:?}"))
    };

    let reader = match open(vector) {
        Ok(reader) => reader,
        Err(error) => return fails(Step::Open, error),
    };
    passes(Step::Open)?;
    let entries = match list(&reader) {
        Ok(entries) => entries,
        Err(error) => return fails(Step::List, error),
    };
    passes(Step::List)?;

    let described: Vec<_> = entries.iter().map(|entry| describe(&reader, entry)).collect();
    if let Some(expected) = &vector.entries {
        let expected: Vec<_> = expected.iter().map(without_external_content).collect();
        let found: Vec<_> = described.iter().map(|(entry, _)| entry.clone()).collect();
        ensure(found == expected, &|| format!("entries {found:?}, expected {expected:?}"))?;
    }
    if let Some(expected) = &vector.notes {
        let note = |note: Note| {
            let (name, state, found) = (note.path.into(), state_names(note.state), note.found);
            archive::VectorNote { name, state, found }
        };
        let found: Vec<_> = reader.notes().unwrap().into_iter().map(note).collect();
        ensure(found == *expected, &|| format!("notes {found:?}, expected {expected:?}"))?;
    }
    if let Some((entry, Some(error))) = described.iter().find(|(_, failure)| failure.is_some()) {
        let named = expected_error.and_then(|error| error.entry.as_ref()) == Some(&entry.name);
        ensure(named, &|| format!("{:?}: unexpected content error: {error}", entry.name))?;
        return fails(Step::Content, error);
    }
    if expected_error.is_some_and(|expected| expected.step == Step::Content) {
        // The error is behind a reference, which the library does not follow.
        let has_error = |entry: &archive::VectorEntry| {
            expected_error.is_some_and(|expected| expected.entry.as_ref() == Some(&entry.name))
        };
        let external = described.iter().any(|(entry, _)| entry.container > 0 && has_error(entry));
        return ensure(external, &|| {
            format!("all contents are readable, expected {expected_error:?}")
        });
    }
    match reader.verify() {
        Ok(()) => passes(Step::Verify),
        Err(error) => fails(Step::Verify, name(&error)),
    }
}

/// No other
/// test covers.
#[test]
fn matches_every_vector() {
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

/// looking up a path returns the same entry as listing, and nothing if the path is
/// between two entries.
#[test]
fn lookup_agrees_with_listing() {
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
            let next_path = [entry.path(), b"\0"].concat();
            assert_eq!(reader.lookup(&next_path).unwrap(), None, "{}", vector.name);
            found += 1;
        }
        assert_eq!(reader.lookup(b"").unwrap(), None);
    }
    assert!(found > 300, "the vectors have only {found} entries");
}

/// reading all contents in parallel returns the same bytes as reading them one by one.
#[test]
fn reads_all_contents_in_parallel() {
    for vector in all() {
        let Some(expected) = &vector.entries else { continue };
        let readable = expected
            .iter()
            .all(|entry| entry.container == 0 && (entry.kind != "file" || entry.sha256.is_some()));
        if !readable {
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
        let expected: Vec<_> =
            expected.iter().filter_map(|entry| entry.sha256.clone()).map(|hash| hash.0).collect();
        assert_eq!(digests, expected, "{}", vector.name);
    }
}
