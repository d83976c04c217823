//! Malformed archives that are sealed with the right key. Each is either rejected or harmless, and
//! reading it never panics.

use bulla::{ContentType, Draft};
use bulla_archive::{ArchiveReader, Entry, Error, Metadata, Result, Salvage};
use bytes::Bytes;

use crate::sample::{all, bytes, key, open, options};

/// Export label for the secret whose first 16 bytes are the marker.
const MARKER_LABEL: &[u8] = b"archive record";

/// The plaintext of an archive, and its record marker.
struct Plaintext {
    bytes: Vec<u8>,
    marker: [u8; 16],
}

impl Plaintext {
    /// Returns a small archive with every kind of entry, a short file and a skipped path.
    fn sample() -> Plaintext {
        let mut builder = bulla_archive::ArchiveBuilder::new();
        builder.directory(b"a", &Metadata::new().mode(0o755)).unwrap();
        builder.file(b"a/1", &Metadata::new().mode(0o644), 5, bytes(1, 5)).unwrap();
        builder.file(b"a/2", &Metadata::new(), 9, bytes(2, 4)).unwrap();
        builder.symlink(b"b", &Metadata::new(), b"a/1").unwrap();
        builder.skip(b"socket");
        Plaintext::open(&builder.seal_to(&key(), Vec::new(), &options()).unwrap().0)
    }

    fn open(archive: &[u8]) -> Plaintext {
        let reader = bulla::RangeReader::new(&key(), archive, &options()).unwrap();
        let marker = *reader.export(MARKER_LABEL).first_chunk().unwrap();
        Plaintext { bytes: reader.range(0..reader.len()).unwrap().into(), marker }
    }

    /// Seals the plaintext again, after replacing the old container's marker with the new one.
    fn seal(&self) -> Bytes {
        let draft = Draft::new(&key(), &options().content_type(ContentType::ARCHIVE)).unwrap();
        let marker: [u8; 16] = *draft.export(MARKER_LABEL).first_chunk().unwrap();
        let mut bytes = self.bytes.clone();
        for at in 0..bytes.len().saturating_sub(15) {
            if bytes[at..at + 16] == self.marker {
                bytes[at..at + 16].copy_from_slice(&marker);
            }
        }
        draft.seal(&bytes).unwrap()
    }

    /// Overwrites the bytes at offset `at`.
    fn with(mut self, at: usize, bytes: &[u8]) -> Plaintext {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Returns the offset of the trailer field with this number.
    fn trailer_field(&self, field: usize) -> usize {
        self.bytes.len() - 96 + 8 * field
    }

    /// Returns the value of the trailer field with this number.
    fn trailer_value(&self, field: usize) -> u64 {
        let at = self.trailer_field(field);
        u64::from_be_bytes(self.bytes[at..at + 8].try_into().unwrap())
    }
}

/// Salvages, lists, looks up, reads and verifies everything, and returns the entries.
fn read_everything(archive: &[u8]) -> Result<Vec<Entry>> {
    // Salvage must terminate on any input.
    if let Ok(salvage) = Salvage::new(&key(), archive, &options()) {
        assert!(salvage.count() < 1000);
    }
    let reader = open(archive)?;
    let entries = reader.entries().collect::<Result<Vec<_>>>()?;
    for entry in &entries {
        assert_eq!(reader.lookup(entry.path())?.as_ref(), Some(entry));
        if let Ok(content) = reader.content(entry) {
            content.range(0..entry.len())?;
        }
    }
    reader.verify()?;
    Ok(entries)
}

/// every bit flip is detected, except in contents, notes and reserved fields.
#[test]
fn detects_every_bit_flip() {
    let plaintext = Plaintext::sample();
    let entries = read_everything(&plaintext.seal()).unwrap();
    let contents = |at: usize| {
        // `a/1` has 5 bytes. `a/2` was planned with 9 bytes but only 4 could be read, so 5 zeros
        // follow its content.
        entries.iter().filter(|entry| entry.len() > 0).any(|entry| {
            let start = content_start(
                &plaintext.bytes,
                &[&plaintext.marker[..], &[1]].concat(),
                entry.path(),
            );
            (start..start + entry.len() as usize + 5).contains(&at)
        })
    };
    let mut undetected = Vec::new();
    for at in 0..plaintext.bytes.len() {
        for bit in 0..8 {
            let flipped = Plaintext { bytes: plaintext.bytes.clone(), ..plaintext };
            let byte = flipped.bytes[at] ^ (1 << bit);
            let archive = flipped.with(at, &[byte]).seal();
            match read_everything(&archive) {
                Ok(found) if found == entries => undetected.push(at),
                // Nothing else in the archive depends on an entry's state, so a flipped bit in a
                // state cannot be detected.
                Ok(found) => assert!(
                    found
                        .iter()
                        .zip(&entries)
                        .all(|(a, b)| a.path() == b.path() && a.len() == b.len()),
                    "bit {bit} of byte {at}"
                ),
                Err(_) => {}
            }
        }
    }
    undetected.dedup();
    let notes = plaintext.trailer_value(0) as usize..plaintext.trailer_value(1) as usize;
    let reserved = plaintext.bytes.len() - 40;
    for at in undetected {
        // Notes may name paths that have no entry, so they are not compared with the index.
        let ignored = notes.contains(&at)
            || at >= reserved
            || contents(at)
            || is_reserved_in_index(&plaintext, at);
        assert!(ignored, "a change to byte {at} of {} is not detected", plaintext.bytes.len());
    }
}

/// Returns whether byte `at` is in the state or the reserved bytes of an index entry, or in the
/// reserved bytes of a fence.
fn is_reserved_in_index(plaintext: &Plaintext, at: usize) -> bool {
    let index = plaintext.trailer_value(1) as usize + 32..plaintext.trailer_value(2) as usize;
    let mut start = index.start;
    while start < index.end {
        let u32_at = |at: usize| {
            u32::from_be_bytes(plaintext.bytes[at..at + 4].try_into().unwrap()) as usize
        };
        let path_len = usize::from(u16::from_be_bytes([
            plaintext.bytes[start + 4],
            plaintext.bytes[start + 5],
        ]));
        if [2, 3, 6, 7].contains(&at.wrapping_sub(start)) {
            return true;
        }
        start += 32 + path_len + u32_at(start + 8);
    }
    // The reserved bytes of the only fence.
    let fence = plaintext.trailer_value(2) as usize + 32;
    at == fence + 14 || at == fence + 15
}

/// Returns the content offset of the record that starts with `head` and has this path.
fn content_start(bytes: &[u8], head: &[u8], path: &[u8]) -> usize {
    let is_here = |at: &usize| {
        let attr_len = u32::from_be_bytes(bytes[at + 20..at + 24].try_into().unwrap()) as usize;
        bytes[*at..].starts_with(head) && bytes[at + 32..].starts_with(path) && attr_len < 100
    };
    let at = (0..bytes.len() - 128).find(is_here).unwrap();
    let attr_len = u32::from_be_bytes(bytes[at + 20..at + 24].try_into().unwrap()) as usize;
    at + 32 + path.len() + attr_len
}

///
#[test]
fn rejects_every_truncation_and_trailing_data() {
    let plaintext = Plaintext::sample();
    for len in 0..plaintext.bytes.len() {
        let cut = Plaintext { bytes: plaintext.bytes[..len].to_vec(), ..plaintext };
        assert!(matches!(read_everything(&cut.seal()), Err(Error::Malformed { .. })), "{len}");
    }
    let mut more = plaintext;
    more.bytes.push(0);
    assert!(read_everything(&more.seal()).is_err());
}

/// wrong counts and offsets in the trailer are rejected before any memory is allocated for
/// them.
#[test]
fn rejects_wrong_trailer_fields() {
    for field in 0..7 {
        for value in [0, 1, 1 << 20, u64::from(u32::MAX), 1 << 48, u64::MAX - 31, u64::MAX] {
            let plaintext = Plaintext::sample();
            if plaintext.trailer_value(field) == value {
                continue;
            }
            let at = plaintext.trailer_field(field);
            let result = read_everything(&plaintext.with(at, &value.to_be_bytes()).seal());
            assert!(
                matches!(result, Err(Error::Malformed { .. })),
                "field {field}: {value}: {result:?}"
            );
        }
    }
}

/// the content type is 1, but the plaintext is random.
#[test]
fn rejects_random_plaintext() {
    for len in [0, 1, 127, 128, 129, 5000] {
        let draft = Draft::new(&key(), &options().content_type(ContentType::ARCHIVE)).unwrap();
        let archive = draft.seal(&bytes(9, len)).unwrap();
        assert!(matches!(read_everything(&archive), Err(Error::Malformed { .. })));
        let reader: Result<ArchiveReader<'_, _>> = open(&archive[..]);
        assert!(reader.is_err());
    }
}

/// a record of an unknown kind is skipped if the kind is 128 or higher, and rejected
/// otherwise.
#[test]
fn skips_or_rejects_unknown_kinds() {
    let plaintext = Plaintext::sample();
    let (notes, marker) = (plaintext.trailer_value(0) as usize, plaintext.marker);
    for (kind, skipped) in [(0x80u8, true), (0xFF, true), (0x7F, false), (0, false), (17, false)] {
        let mut bytes = plaintext.bytes.clone();
        let record =
            [&marker[..], &[kind, 0, 0, 0, 0, 0, 0, 0], &8u64.to_be_bytes(), &[7; 8]].concat();
        bytes.splice(notes..notes, record.iter().copied());
        let mut inserted = Plaintext { bytes, marker };
        for field in 0..3 {
            let value = inserted.trailer_value(field) + record.len() as u64;
            let at = inserted.trailer_field(field);
            inserted = inserted.with(at, &value.to_be_bytes());
        }
        // The only fence holds the offset of the only block, which has moved too.
        let fence = inserted.trailer_value(2) as usize + 32;
        let index = inserted.trailer_value(1);
        let archive = inserted.with(fence, &index.to_be_bytes()).seal();
        let result = read_everything(&archive);
        match (skipped, kind) {
            (true, _) => assert_eq!(result.unwrap().len(), 4),
            (false, 17) => assert!(matches!(result, Err(Error::Malformed { .. }))),
            (false, _) => {
                assert!(matches!(result, Err(Error::UnknownKind { .. })), "{kind}: {result:?}")
            }
        }
        let entries = all(&open(&archive[..]).unwrap());
        assert_eq!(entries.len(), 4);
    }
}
