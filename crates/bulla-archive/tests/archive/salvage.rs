//! Damage is local: exactly the damaged ranges are reported, and everything else is recovered
//!

use std::collections::BTreeMap;
use std::ops::Range;

use bulla_archive::{
    ArchiveBuilder, Entry, IndexState, Kind, Metadata, Recovered, Salvage, State, Summary,
};
use bytes::Bytes;

use crate::sample::{Files, archive, bytes, files, key, open, options};

/// Bytes of plaintext in a chunk.
const CHUNK: u64 = 4096;
/// Bytes in a sealed chunk.
const SEALED: usize = 4096 + 16;

/// The recovered entries by path, each with its content and its holes. In the content, the holes
/// are filled with zeros.
type Found = BTreeMap<Vec<u8>, (Entry, Vec<u8>, Vec<Range<u64>>)>;

fn salvage(archive: &[u8]) -> (Found, Summary) {
    let mut salvage = Salvage::new(&key(), archive, &options()).unwrap();
    let mut found: Found = BTreeMap::new();
    let mut path = Vec::new();
    for recovered in salvage.by_ref() {
        match recovered {
            Recovered::Entry(entry) => {
                path = entry.path().to_vec();
                assert!(found.insert(path.clone(), (entry, Vec::new(), Vec::new())).is_none());
            }
            Recovered::Piece { offset, bytes } => {
                let (_, content, _) = found.get_mut(&path).unwrap();
                assert_eq!(content.len() as u64, offset);
                content.extend_from_slice(&bytes);
            }
            Recovered::Hole { range } => {
                let (_, content, holes) = found.get_mut(&path).unwrap();
                assert_eq!(content.len() as u64, range.start);
                content.resize(range.end as usize, 0);
                holes.push(range);
            }
            _ => unreachable!(),
        }
    }
    for (entry, content, _) in found.values() {
        assert_eq!(entry.len(), content.len() as u64);
    }
    (found, salvage.summary())
}

/// The path and plaintext range of each file's content.
struct Layout(Vec<(String, Range<u64>)>);

impl Layout {
    /// Computes the ranges from the lengths alone: a record consists of a 32-byte head, the path
    /// and the content. The files here have no attributes.
    fn new(files: &Files) -> Layout {
        let mut at = 32 + 5 + 8; // the directory, which has a mode
        let mut ranges = Vec::new();
        for (path, content) in files {
            let start = at + 32 + path.len() as u64;
            at = start + content.len() as u64;
            ranges.push((path.clone(), start..at));
        }
        Layout(ranges)
    }

    /// Returns the holes in each content if `chunks` are lost.
    fn holes(&self, chunks: &[u64]) -> BTreeMap<String, Vec<Range<u64>>> {
        let mut expected = BTreeMap::new();
        for (path, range) in &self.0 {
            let mut holes: Vec<Range<u64>> = Vec::new();
            for chunk in chunks {
                let start = range.start.max(chunk * CHUNK);
                let end = range.end.min((chunk + 1) * CHUNK);
                if start < end {
                    match holes.last_mut() {
                        Some(last) if last.end == start - range.start => {
                            last.end = end - range.start
                        }
                        _ => holes.push(start - range.start..end - range.start),
                    }
                }
            }
            if !holes.is_empty() {
                expected.insert(path.clone(), holes);
            }
        }
        expected
    }
}

/// Checks that every entry is returned and that exactly the lost chunks are reported. The index
/// must be intact.
fn check_with_index(files: &Files, archive: &[u8], chunks: &[u64]) {
    let (found, summary) = salvage(archive);
    let expected = Layout::new(files).holes(chunks);
    assert_eq!(found.len(), files.len() + 2);
    assert_eq!((summary.index, summary.unnamed), (IndexState::Whole, false));
    for (path, content) in files {
        let (_, bytes, holes) = &found[path.as_bytes()];
        assert_eq!(holes, expected.get(path).unwrap_or(&vec![]), "{path}");
        let mut content = content.to_vec();
        holes.iter().for_each(|hole| content[hole.start as usize..hole.end as usize].fill(0));
        assert!(*bytes == content, "{path}");
    }
    let lost: u64 = expected.values().flatten().map(|hole| hole.end - hole.start).sum();
    assert_eq!(summary.lost, lost);
}

/// Returns the offset of the end of the last entry record, which is the symbolic link's.
fn contents_end(files: &Files) -> u64 {
    let target = "newest".len() as u64 + 4 + "media/11-70000.bin".len() as u64;
    Layout::new(files).0.last().unwrap().1.end + 32 + target
}

///
#[test]
fn recovers_all_but_the_chunk_of_a_flipped_byte() {
    let (files, archive) = (files(), archive(&files()));
    assert!(salvage(&archive).0.values().all(|(_, _, holes)| holes.is_empty()));
    for chunk in 0..contents_end(&files) / CHUNK {
        for within in [0, 1000, SEALED - 1] {
            let mut damaged = archive.clone();
            damaged[128 + chunk as usize * SEALED + within] ^= 0x10;
            check_with_index(&files, &damaged, &[chunk]);
        }
    }
}

/// up to three ranges are damaged, each between one byte and a third of the archive long.
#[test]
fn recovers_everything_outside_random_damage() {
    let (files, archive) = (files(), archive(&files()));
    let last = contents_end(&files) / CHUNK;
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for _ in 0..300 {
        let mut damaged = archive.clone();
        let mut chunks = Vec::new();
        for _ in 0..1 + next(3) {
            let start = next(last);
            let end = (start + 1 + next(last / 3)).min(last);
            // From a random byte in the first chunk to a random byte in the last one.
            let from = 128 + start as usize * SEALED + next(SEALED as u64) as usize;
            let to = 128 + (end - 1) as usize * SEALED + next(SEALED as u64) as usize;
            damaged[from.min(to)..from.max(to) + 1].iter_mut().for_each(|byte| *byte = !*byte);
            chunks.extend(start.min(end - 1)..end);
        }
        chunks.sort_unstable();
        chunks.dedup();
        // Bytes that were inverted twice are intact again, so compare with the original.
        let differs = |chunk: &u64| {
            let range = 128 + *chunk as usize * SEALED..128 + (*chunk as usize + 1) * SEALED;
            damaged[range.clone()] != archive[range]
        };
        chunks.retain(differs);
        check_with_index(&files, &damaged, &chunks);
    }
}

/// one copy of the header is enough.
#[test]
fn recovers_everything_without_header_or_footer() {
    let (files, archive) = (files(), archive(&files()));
    let mut without_header = archive.clone();
    without_header[..128].fill(0);
    check_with_index(&files, &without_header, &[]);
    let mut without_footer = archive.clone();
    let end = without_footer.len();
    without_footer[end - 128..].fill(0);
    check_with_index(&files, &without_footer, &[]);
    without_header[end - 128..].fill(0);
    assert!(Salvage::new(&key(), without_header, &options()).is_err());
}

/// Checks salvage without an index: an entry whose record head is intact is returned, and the holes
/// in its content are exactly the lost bytes. Everything from `end` on and all of `chunks` are
/// lost.
fn check_without_index(files: &Files, archive: &[u8], chunks: &[u64], end: u64) {
    let (found, summary) = salvage(archive);
    let lost = |range: Range<u64>| {
        range.end > end
            || chunks
                .iter()
                .any(|chunk| range.start < (chunk + 1) * CHUNK && range.end > chunk * CHUNK)
    };
    assert_ne!(summary.index, IndexState::Whole);
    for ((path, content), (_, range)) in files.iter().zip(Layout::new(files).0) {
        let head = range.start - 32 - path.len() as u64..range.start;
        let Some((entry, bytes, holes)) = found.get(path.as_bytes()) else {
            assert!(lost(head.clone()) && summary.unnamed, "{path}");
            continue;
        };
        assert_eq!((entry.kind(), entry.len()), (Kind::File, content.len() as u64));
        let in_hole = |i: u64| holes.iter().any(|hole| hole.contains(&i));
        for (i, byte) in content.iter().enumerate() {
            let at = range.start + i as u64;
            assert_eq!(in_hole(i as u64), lost(at..at + 1), "{path} {i}");
            assert!(in_hole(i as u64) || *byte == bytes[i], "{path} {i}");
        }
    }
}

///
#[test]
fn recovers_from_truncation_at_any_length() {
    let (files, archive) = (files(), archive(&files()));
    for len in (128..archive.len()).step_by(997) {
        let chunks = (len - 128) / SEALED;
        check_without_index(&files, &archive[..len], &[], chunks as u64 * CHUNK);
    }
}

/// the index and one chunk of the contents are lost.
#[test]
fn recovers_entries_without_the_index() {
    let (files, archive) = (files(), archive(&files()));
    let first = contents_end(&files) / CHUNK;
    for chunk in 0..first {
        let mut damaged = archive.clone();
        let end = damaged.len() - 128;
        damaged[128 + first as usize * SEALED..end].fill(0xAA);
        damaged[128 + chunk as usize * SEALED + 7] ^= 1;
        check_without_index(&files, &damaged, &[chunk], first * CHUNK);
    }
}

/// bytes that the notes record as missing are not part of a file, with or without the index.
#[test]
fn applies_notes_without_the_index() {
    let mut builder = ArchiveBuilder::new();
    builder.file(b"short", &Metadata::new(), 9000, bytes(3, 5000)).unwrap();
    builder.file(b"whole", &Metadata::new(), 100, bytes(4, 100)).unwrap();
    for i in 0..200 {
        builder
            .file(
                format!("z{i:04}-{}", "n".repeat(100)).as_bytes(),
                &Metadata::new(),
                0,
                Bytes::new(),
            )
            .unwrap();
    }
    let (mut archive, report) = builder.seal_to(&key(), Vec::new(), &options()).unwrap();
    assert_eq!(report.notes.len(), 1);
    // The last chunks hold the fence and the trailer. The blocks before them may be intact.
    let end = archive.len() - 128;
    archive[end - 2 * SEALED..end].fill(0);
    let (found, summary) = salvage(&archive);
    assert_ne!(summary.index, IndexState::Whole);
    assert_eq!(summary.notes.unwrap(), report.notes);
    let (entry, content, holes) = &found[&b"short"[..]];
    assert_eq!((entry.state(), entry.len()), (State::SHORT, 5000));
    assert!(*content == bytes(3, 5000) && holes.is_empty());
}

/// records in an entry's content are not mistaken for records of the archive.
#[test]
fn ignores_records_of_a_nested_archive() {
    let inner = archive(&files());
    let plaintext = bulla::open(&key(), &inner, &options()).unwrap().0;
    let files = vec![("media/inner".to_owned(), plaintext), ("media/x".to_owned(), bytes(5, 100))];
    let mut outer = archive(&files);
    outer[200] ^= 1;
    let end = outer.len() - 128;
    outer[end - 300..end].fill(0);
    let (found, _) = salvage(&outer);
    let paths: Vec<_> =
        found.keys().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    assert!(
        paths.iter().all(|path| ["media", "media/inner", "media/x", "newest"].contains(&&path[..])),
        "{paths:?}"
    );
    assert!(open(outer).is_err());
}
