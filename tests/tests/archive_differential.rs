//! The library of archives and the reference, side by side, over archives of which one byte is
//! another: both have to stop at the same step, with the same error or with the same entries.

use bulla::{Key, Options, Workers};
use bulla_archive::{ArchiveReader, Entry, Error, Kind};
use bulla_testkit::archive::{self, ReferenceArchive, kind};
use bulla_testkit::reference::{self, SealParams};
use bulla_testkit::vectors::archive::{Vector, all};

/// How far a reader gets: names and lengths of the entries, or the first error with its step.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Reads(Vec<(Vec<u8>, u8, u64)>),
    Fails(&'static str, &'static str),
}

fn by_reference(container: &[u8], key: &[u8; 32]) -> Outcome {
    let archive = match ReferenceArchive::open(container, key, None) {
        Ok(archive) => archive,
        Err(fault) => return Outcome::Fails("open", fault.name()),
    };
    let entries = match archive.list() {
        Ok(entries) => entries,
        Err(fault) => return Outcome::Fails("list", fault.name()),
    };
    match archive.verify() {
        Ok(()) => Outcome::Reads(entries.into_iter().map(|e| (e.name, e.kind, e.len)).collect()),
        Err(fault) => Outcome::Fails("verify", fault.name()),
    }
}

fn by_library(container: &[u8], key: &[u8; 32]) -> Outcome {
    let options = Options::new().workers(Workers::Serial);
    let reader = match ArchiveReader::new(&Key::from_bytes(key), container, &options) {
        Ok(reader) => reader,
        Err(error) => return Outcome::Fails("open", name(&error)),
    };
    let entries: Vec<Entry> = match reader.entries().collect::<Result<_, _>>() {
        Ok(entries) => entries,
        Err(error) => return Outcome::Fails("list", name(&error)),
    };
    let kind = |entry: &Entry| match entry.kind() {
        Kind::File => kind::FILE,
        Kind::Directory => kind::DIRECTORY,
        Kind::Symlink => kind::LINK,
    };
    match reader.verify() {
        Ok(()) => {
            Outcome::Reads(entries.iter().map(|e| (e.path().to_vec(), kind(e), e.len())).collect())
        }
        Err(error) => Outcome::Fails("verify", name(&error)),
    }
}

fn name(error: &Error) -> &'static str {
    match error {
        Error::NotAnArchive { .. } => "not_an_archive",
        Error::Malformed { .. } | Error::Duplicate { .. } | Error::ParentNotDirectory { .. } => {
            "malformed"
        }
        Error::UnknownKind { .. } => "unsupported",
        other => panic!("no such archive gives this error: {other:?}"),
    }
}

/// The same container with another plaintext: under its own salt, and so with its own marker.
fn resealed(vector: &Vector, plaintext: &[u8]) -> Vec<u8> {
    reference::seal(&SealParams {
        key: vector.key[..].try_into().unwrap(),
        salt: vector.container[32..64].try_into().unwrap(),
        chunk_log2: 12,
        content: archive::CONTENT,
        context: None,
        envelope: b"",
        plaintext,
    })
}

fn changed_bytes(vector: &str, change: impl Fn(u8) -> u8) {
    let vectors = all();
    let vector = vectors.iter().find(|candidate| candidate.name == vector).unwrap();
    let key = vector.key[..].try_into().unwrap();
    let plaintext = reference::open_positional(&vector.container, &key, None).unwrap().plaintext;
    for at in 0..plaintext.len() {
        let mut bytes = plaintext.clone();
        bytes[at] = change(bytes[at]);
        let container = resealed(vector, &bytes);
        let (reference, library) = (by_reference(&container, &key), by_library(&container, &key));
        let same = match (&reference, &library) {
            // Where the number of entries lies, A-6.3 lets a reader see it before it lists.
            (Outcome::Fails("list", one), Outcome::Fails("open", other)) => one == other,
            // The rows, which a reader may look at when it opens.
            (Outcome::Fails("verify", one), Outcome::Fails("open", other)) => {
                one == other && (at < 32 + 2 * 96 || at >= plaintext.len() - 96)
            }
            (reference, library) => reference == library,
        };
        assert!(
            same,
            "{}, byte {at}: {reference:?} by reference, {library:?} by library",
            vector.name
        );
    }
}

/// in any place, of any part of an archive.
#[test]
fn one_byte_is_another() {
    for vector in [
        "blocks_of_one_entry",
        "state_short",
        "skipped",
        "attributes_unknown",
        "padding",
        "no_entries",
        "references_overlapping",
    ] {
        changed_bytes(vector, |byte| byte ^ 1);
        changed_bytes(vector, |byte| byte ^ 0x80);
        changed_bytes(vector, |byte| byte.wrapping_add(1));
        changed_bytes(vector, |byte| !byte);
    }
}
