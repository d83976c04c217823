//! Archives that no writer makes, sealed with the key: each is refused or harmless, and nothing
//! panics.

use bulla::{ContentType, Draft};
use bulla_archive::{ArchiveReader, Entry, Error, Metadata, Result, Salvage};
use bytes::Bytes;

use crate::sample::{all, bytes, key, open, options};

/// The label under which a container exports the secret that its marker is the beginning of
///
const MARKER: &[u8] = b"archive record";

/// A plaintext and its marker.
struct Plain {
    bytes: Vec<u8>,
    marker: [u8; 16],
}

impl Plain {
    /// A small archive with everything in it.
    fn sample() -> Plain {
        let mut writer = bulla_archive::ArchiveWriter::new();
        writer.directory(b"a", &Metadata::new().mode(0o755)).unwrap();
        writer.file(b"a/1", &Metadata::new().mode(0o644), 5, bytes(1, 5)).unwrap();
        writer.file(b"a/2", &Metadata::new(), 9, bytes(2, 4)).unwrap();
        writer.symlink(b"b", &Metadata::new(), b"a/1").unwrap();
        writer.skip(b"socket");
        Plain::of(&writer.seal_to(&key(), Vec::new(), &options()).unwrap().0)
    }

    fn of(archive: &[u8]) -> Plain {
        let reader = bulla::RangeReader::new(&key(), archive, &options()).unwrap();
        let marker = *reader.export(MARKER).first_chunk().unwrap();
        Plain { bytes: reader.range(0..reader.len()).unwrap().into(), marker }
    }

    /// Sealed anew, with the marker of the new container wherever that of the old one stands.
    fn seal(&self) -> Bytes {
        let draft = Draft::new(&key(), &options().content_type(ContentType::ARCHIVE)).unwrap();
        let marker: [u8; 16] = *draft.export(MARKER).first_chunk().unwrap();
        let mut bytes = self.bytes.clone();
        for at in 0..bytes.len().saturating_sub(15) {
            if bytes[at..at + 16] == self.marker {
                bytes[at..at + 16].copy_from_slice(&marker);
            }
        }
        draft.seal(&bytes).unwrap()
    }

    fn with(mut self, at: usize, bytes: &[u8]) -> Plain {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Where the trailer's field number `field` lies.
    fn field(&self, field: usize) -> usize {
        self.bytes.len() - 96 + 8 * field
    }

    fn value(&self, field: usize) -> u64 {
        let at = self.field(field);
        u64::from_be_bytes(self.bytes[at..at + 8].try_into().unwrap())
    }
}

/// Does everything that can be done with an archive.
fn use_all_of(archive: &[u8]) -> Result<Vec<Entry>> {
    // Whatever it says, salvage ends.
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

/// there is no bit in an archive, outside contents and what a reader ignores,
/// whose change goes unnoticed.
#[test]
fn every_bit_flip() {
    let plain = Plain::sample();
    let entries = use_all_of(&plain.seal()).unwrap();
    let contents = |at: usize| {
        // Of two files: 5 bytes, and 9 of which 4 were there. Which bytes they are follows from the
        // index.
        entries.iter().filter(|entry| entry.len() > 0).any(|entry| {
            let head = find(&plain.bytes, &[&plain.marker[..], &[1]].concat(), entry.path());
            (head..head + entry.len() as usize + 5).contains(&at)
        })
    };
    let mut unnoticed = Vec::new();
    for at in 0..plain.bytes.len() {
        for bit in 0..8 {
            let flipped = Plain { bytes: plain.bytes.clone(), ..plain };
            let byte = flipped.bytes[at] ^ (1 << bit);
            let archive = flipped.with(at, &[byte]).seal();
            match use_all_of(&archive) {
                Ok(found) if found == entries => unnoticed.push(at),
                // A state says what happened when the archive was made; nothing else can tell.
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
    unnoticed.dedup();
    let notes = plain.value(0) as usize..plain.value(1) as usize;
    let reserved = plain.bytes.len() - 40;
    for at in unnoticed {
        // Notes speak of what is no entry, too, so they are not held against the index.
        let ignored = notes.contains(&at)
            || at >= reserved
            || contents(at)
            || is_reserved_in_index(&plain, at);
        assert!(ignored, "byte {at} of {} was changed, and nobody noticed", plain.bytes.len());
    }
}

/// Bytes 6 and 7 of an index entry, and the upper bits of its state.
fn is_reserved_in_index(plain: &Plain, at: usize) -> bool {
    let index = plain.value(1) as usize + 32..plain.value(2) as usize;
    let mut start = index.start;
    while start < index.end {
        let u32_at =
            |at: usize| u32::from_be_bytes(plain.bytes[at..at + 4].try_into().unwrap()) as usize;
        let name_len =
            usize::from(u16::from_be_bytes([plain.bytes[start + 4], plain.bytes[start + 5]]));
        if [2, 3, 6, 7].contains(&at.wrapping_sub(start)) {
            return true;
        }
        start += 32 + name_len + u32_at(start + 8);
    }
    // The same two bytes of a fence.
    let fence = plain.value(2) as usize + 32;
    at == fence + 14 || at == fence + 15
}

fn find(bytes: &[u8], head: &[u8], name: &[u8]) -> usize {
    let is_here = |at: &usize| {
        let attributes = u32::from_be_bytes(bytes[at + 20..at + 24].try_into().unwrap()) as usize;
        bytes[*at..].starts_with(head) && bytes[at + 32..].starts_with(name) && attributes < 100
    };
    let at = (0..bytes.len() - 128).find(is_here).unwrap();
    let attributes = u32::from_be_bytes(bytes[at + 20..at + 24].try_into().unwrap()) as usize;
    at + 32 + name.len() + attributes
}

/// a plaintext of any length that ends too early, or has more behind it.
#[test]
fn every_truncation() {
    let plain = Plain::sample();
    for len in 0..plain.bytes.len() {
        let cut = Plain { bytes: plain.bytes[..len].to_vec(), ..plain };
        assert!(matches!(use_all_of(&cut.seal()), Err(Error::Malformed { .. })), "{len}");
    }
    let mut more = plain;
    more.bytes.push(0);
    assert!(use_all_of(&more.seal()).is_err());
}

/// numbers and lengths that lie cost nothing.
#[test]
fn lies_cost_nothing() {
    for field in 0..7 {
        for lie in [0, 1, 1 << 20, u64::from(u32::MAX), 1 << 48, u64::MAX - 31, u64::MAX] {
            let plain = Plain::sample();
            if plain.value(field) == lie {
                continue;
            }
            let at = plain.field(field);
            let refused = use_all_of(&plain.with(at, &lie.to_be_bytes()).seal());
            assert!(
                matches!(refused, Err(Error::Malformed { .. })),
                "field {field}: {lie}: {refused:?}"
            );
        }
    }
}

/// a plaintext that is no archive, though its header says so.
#[test]
fn noise() {
    for len in [0, 1, 127, 128, 129, 5000] {
        let draft = Draft::new(&key(), &options().content_type(ContentType::ARCHIVE)).unwrap();
        let archive = draft.seal(&bytes(9, len)).unwrap();
        assert!(matches!(use_all_of(&archive), Err(Error::Malformed { .. })));
        let reader: Result<ArchiveReader<'_, _>> = open(&archive[..]);
        assert!(reader.is_err());
    }
}

/// a record that a newer release put there is passed over, or named.
#[test]
fn unknown_kinds() {
    let plain = Plain::sample();
    let (notes, marker) = (plain.value(0) as usize, plain.marker);
    for (kind, skipped) in [(0x80u8, true), (0xFF, true), (0x7F, false), (0, false), (17, false)] {
        let mut bytes = plain.bytes.clone();
        let record =
            [&marker[..], &[kind, 0, 0, 0, 0, 0, 0, 0], &8u64.to_be_bytes(), &[7; 8]].concat();
        bytes.splice(notes..notes, record.iter().copied());
        let mut inserted = Plain { bytes, marker };
        for field in 0..3 {
            let value = inserted.value(field) + record.len() as u64;
            let at = inserted.field(field);
            inserted = inserted.with(at, &value.to_be_bytes());
        }
        // The fence says where the block is; it is the only one.
        let fence = inserted.value(2) as usize + 32;
        let index = inserted.value(1);
        let archive = inserted.with(fence, &index.to_be_bytes()).seal();
        let used = use_all_of(&archive);
        match (skipped, kind) {
            (true, _) => assert_eq!(used.unwrap().len(), 4),
            (false, 17) => assert!(matches!(used, Err(Error::Malformed { .. }))),
            (false, _) => {
                assert!(matches!(used, Err(Error::UnknownKind { .. })), "{kind}: {used:?}")
            }
        }
        let entries = all(&open(&archive[..]).unwrap());
        assert_eq!(entries.len(), 4);
    }
}
