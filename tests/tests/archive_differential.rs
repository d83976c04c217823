//! Compares the archive library with the reference implementation on archives with one changed
//! byte. Both must fail at the same step with the same error, or return the same entries.

use bulla::{Key, Options, Workers};
use bulla_archive::{ArchiveReader, Entry, Error, Kind};
use bulla_testkit::archive::{self, ReferenceArchive, kind};
use bulla_testkit::reference::{self, SealParams};
use bulla_testkit::vectors::archive::{Vector, all};

/// The result of reading an archive: the paths, kinds and lengths of its entries, or the first
/// failing step and its error.
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
        other => panic!("unexpected error: {other:?}"),
    }
}

/// Seals `plaintext` with the vector's key and salt, so that the marker stays the same.
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

/// Changes each plaintext byte in turn, and compares both implementations.
fn compare_with_changed_bytes(vector: &str, change: impl Fn(u8) -> u8) {
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
            // allows a reader to check the number of entries before listing.
            (Outcome::Fails("list", one), Outcome::Fails("open", other)) => one == other,
            // A reader may check the containers record and the trailer as soon as it opens the
            // archive.
            (Outcome::Fails("verify", one), Outcome::Fails("open", other)) => {
                one == other && (at < 32 + 2 * 96 || at >= plaintext.len() - 96)
            }
            (reference, library) => reference == library,
        };
        assert!(
            same,
            "{}, byte {at}: {reference:?} from the reference, {library:?} from the library",
            vector.name
        );
    }
}

/// each plaintext byte is changed in four ways.
#[test]
fn agrees_with_the_reference_on_changed_bytes() {
    for vector in [
        "blocks_of_one_entry",
        "state_short",
        "skipped",
        "attributes_unknown",
        "padding",
        "no_entries",
        "references_overlapping",
    ] {
        compare_with_changed_bytes(vector, |byte| byte ^ 1);
        compare_with_changed_bytes(vector, |byte| byte ^ 0x80);
        compare_with_changed_bytes(vector, |byte| byte.wrapping_add(1));
        compare_with_changed_bytes(vector, |byte| !byte);
    }
}
