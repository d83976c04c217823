//! Damage stays local: exactly the entries that it touches are reported, with ranges, and all
//! others come back.

use std::collections::BTreeMap;
use std::ops::Range;

use bulla_archive::{
    ArchiveWriter, Entry, IndexState, Kind, Metadata, Recovered, Salvage, State, Summary,
};
use bytes::Bytes;

use crate::sample::{Files, archive, bytes, files, key, open, options};

const CHUNK: u64 = 4096;
const SEALED: usize = 4096 + 16;

/// What salvage handed out: for each entry its bytes, zeros in the holes, and the holes.
type Found = BTreeMap<Vec<u8>, (Entry, Vec<u8>, Vec<Range<u64>>)>;

fn salvage(archive: &[u8]) -> (Found, Summary) {
    let mut salvage = Salvage::new(&key(), archive, &options()).unwrap();
    let mut found: Found = BTreeMap::new();
    let mut name = Vec::new();
    for recovered in salvage.by_ref() {
        match recovered {
            Recovered::Entry(entry) => {
                name = entry.path().to_vec();
                assert!(found.insert(name.clone(), (entry, Vec::new(), Vec::new())).is_none());
            }
            Recovered::Piece { offset, bytes } => {
                let (_, content, _) = found.get_mut(&name).unwrap();
                assert_eq!(content.len() as u64, offset);
                content.extend_from_slice(&bytes);
            }
            Recovered::Hole { range } => {
                let (_, content, holes) = found.get_mut(&name).unwrap();
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

/// The plaintext range of each entry's content, and of its head before it, as the intact archive
/// says.
struct Places(Vec<(String, Range<u64>)>);

/// Where contents lie follows from lengths alone: a record's head is 32 bytes, its name, and here
/// no attributes.
fn places(files: &Files) -> Places {
    let mut at = 32 + 5 + 8; // the directory, which has a mode
    let mut places = Vec::new();
    for (name, content) in files {
        let start = at + 32 + name.len() as u64;
        at = start + content.len() as u64;
        places.push((name.clone(), start..at));
    }
    Places(places)
}

impl Places {
    /// The holes that the loss of `chunks` makes in each content.
    fn holes(&self, chunks: &[u64]) -> BTreeMap<String, Vec<Range<u64>>> {
        let mut expected = BTreeMap::new();
        for (name, place) in &self.0 {
            let mut holes: Vec<Range<u64>> = Vec::new();
            for chunk in chunks {
                let (start, end) =
                    (place.start.max(chunk * CHUNK), place.end.min((chunk + 1) * CHUNK));
                if start < end {
                    match holes.last_mut() {
                        Some(last) if last.end == start - place.start => {
                            last.end = end - place.start
                        }
                        _ => holes.push(start - place.start..end - place.start),
                    }
                }
            }
            if !holes.is_empty() {
                expected.insert(name.clone(), holes);
            }
        }
        expected
    }
}

/// With a whole index: every entry is named, the damage and nothing else is reported.
fn check_by_index(files: &Files, archive: &[u8], chunks: &[u64]) {
    let (found, summary) = salvage(archive);
    let expected = places(files).holes(chunks);
    assert_eq!(found.len(), files.len() + 2);
    assert_eq!((summary.index, summary.unnamed), (IndexState::Whole, false));
    for (name, content) in files {
        let (_, bytes, holes) = &found[name.as_bytes()];
        assert_eq!(holes, expected.get(name).unwrap_or(&vec![]), "{name}");
        let mut content = content.to_vec();
        holes.iter().for_each(|hole| content[hole.start as usize..hole.end as usize].fill(0));
        assert!(*bytes == content, "{name}");
    }
    let lost: u64 = expected.values().flatten().map(|hole| hole.end - hole.start).sum();
    assert_eq!(summary.lost, lost);
}

fn contents_end(files: &Files) -> u64 {
    let target = "newest".len() as u64 + 4 + "media/11-70000.bin".len() as u64;
    places(files).0.last().unwrap().1.end + 32 + target
}

/// one byte anywhere in the contents.
#[test]
fn one_flipped_byte() {
    let (files, archive) = (files(), archive(&files()));
    assert!(salvage(&archive).0.values().all(|(_, _, holes)| holes.is_empty()));
    for chunk in 0..contents_end(&files) / CHUNK {
        for within in [0, 1000, SEALED - 1] {
            let mut damaged = archive.clone();
            damaged[128 + chunk as usize * SEALED + within] ^= 0x10;
            check_by_index(&files, &damaged, &[chunk]);
        }
    }
}

/// many random damages, of a byte up to a third of the archive.
#[test]
fn random_damages() {
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
            // From within the first chunk to within the last one.
            let from = 128 + start as usize * SEALED + next(SEALED as u64) as usize;
            let to = 128 + (end - 1) as usize * SEALED + next(SEALED as u64) as usize;
            damaged[from.min(to)..from.max(to) + 1].iter_mut().for_each(|byte| *byte = !*byte);
            chunks.extend(start.min(end - 1)..end);
        }
        chunks.sort_unstable();
        chunks.dedup();
        // A chunk that was flipped an even number of times may be whole again: compare with what is
        // really changed.
        let differs = |chunk: &u64| {
            let place = 128 + *chunk as usize * SEALED..128 + (*chunk as usize + 1) * SEALED;
            damaged[place.clone()] != archive[place]
        };
        chunks.retain(differs);
        check_by_index(&files, &damaged, &chunks);
    }
}

/// either copy of the header is enough.
#[test]
fn header_or_footer_lost() {
    let (files, archive) = (files(), archive(&files()));
    let mut headless = archive.clone();
    headless[..128].fill(0);
    check_by_index(&files, &headless, &[]);
    let mut footless = archive.clone();
    let end = footless.len();
    footless[end - 128..].fill(0);
    check_by_index(&files, &footless, &[]);
    headless[end - 128..].fill(0);
    assert!(Salvage::new(&key(), headless, &options()).is_err());
}

/// What must hold without an index: what lies in whole chunks, head included, is named; contents
/// are right but for the holes.
fn check_by_records(files: &Files, archive: &[u8], chunks: &[u64], end: u64) {
    let (found, summary) = salvage(archive);
    let lost = |range: Range<u64>| {
        range.end > end
            || chunks
                .iter()
                .any(|chunk| range.start < (chunk + 1) * CHUNK && range.end > chunk * CHUNK)
    };
    assert_ne!(summary.index, IndexState::Whole);
    for ((name, content), (_, place)) in files.iter().zip(places(files).0) {
        let head = place.start - 32 - name.len() as u64..place.start;
        let Some((entry, bytes, holes)) = found.get(name.as_bytes()) else {
            assert!(lost(head.clone()) && summary.unnamed, "{name}");
            continue;
        };
        assert_eq!((entry.kind(), entry.len()), (Kind::File, content.len() as u64));
        let in_hole = |i: u64| holes.iter().any(|hole| hole.contains(&i));
        for (i, byte) in content.iter().enumerate() {
            let at = place.start + i as u64;
            assert_eq!(in_hole(i as u64), lost(at..at + 1), "{name} {i}");
            assert!(in_hole(i as u64) || *byte == bytes[i], "{name} {i}");
        }
    }
}

/// the tail is cut off anywhere, also in the middle of a file.
#[test]
fn cut_anywhere() {
    let (files, archive) = (files(), archive(&files()));
    for len in (128..archive.len()).step_by(997) {
        let chunks = (len - 128) / SEALED;
        check_by_records(&files, &archive[..len], &[], chunks as u64 * CHUNK);
    }
}

/// the index is lost, and a chunk of the contents as well.
#[test]
fn index_lost() {
    let (files, archive) = (files(), archive(&files()));
    let first = contents_end(&files) / CHUNK;
    for chunk in 0..first {
        let mut damaged = archive.clone();
        let end = damaged.len() - 128;
        damaged[128 + first as usize * SEALED..end].fill(0xAA);
        damaged[128 + chunk as usize * SEALED + 7] ^= 1;
        check_by_records(&files, &damaged, &[chunk], first * CHUNK);
    }
}

/// what the notes call missing is no part of a file, whichever way it is found.
#[test]
fn notes_without_an_index() {
    let mut writer = ArchiveWriter::new();
    writer.file(b"short", &Metadata::new(), 9000, bytes(3, 5000)).unwrap();
    writer.file(b"whole", &Metadata::new(), 100, bytes(4, 100)).unwrap();
    for i in 0..200 {
        writer
            .file(
                format!("z{i:04}-{}", "n".repeat(100)).as_bytes(),
                &Metadata::new(),
                0,
                Bytes::new(),
            )
            .unwrap();
    }
    let (mut archive, report) = writer.seal_to(&key(), Vec::new(), &options()).unwrap();
    assert_eq!(report.notes.len(), 1);
    // The last chunks hold fence and trailer; some blocks may be left, or none.
    let end = archive.len() - 128;
    archive[end - 2 * SEALED..end].fill(0);
    let (found, summary) = salvage(&archive);
    assert_ne!(summary.index, IndexState::Whole);
    assert_eq!(summary.notes.unwrap(), report.notes);
    let (entry, content, holes) = &found[&b"short"[..]];
    assert_eq!((entry.state(), entry.len()), (State::SHORT, 5000));
    assert!(*content == bytes(3, 5000) && holes.is_empty());
}

/// An archive within an archive: its records are not taken for those of the outer one.
#[test]
fn archive_within_an_archive() {
    let inner = archive(&files());
    let plain = bulla::open(&key(), &inner, &options()).unwrap().0;
    let files = vec![("media/inner".to_owned(), plain), ("media/x".to_owned(), bytes(5, 100))];
    let mut outer = archive(&files);
    outer[200] ^= 1;
    let end = outer.len() - 128;
    outer[end - 300..end].fill(0);
    let (found, _) = salvage(&outer);
    let names: Vec<_> =
        found.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    assert!(
        names.iter().all(|name| ["media", "media/inner", "media/x", "newest"].contains(&&name[..])),
        "{names:?}"
    );
    assert!(open(outer).is_err());
}
