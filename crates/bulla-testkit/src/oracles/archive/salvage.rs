//! Damaged archives: salvage recovers everything that is left, and nothing else.

use std::ops::Range;

use bulla::{Error, Key, SalvageReader};
use bulla_archive::{IndexState, Salvage};

use super::index;
use super::records::{EntryReport, collect, compare_readers, name, seal};
use crate::archive::{self, ReferenceArchive, kind, state};
use crate::library::{container_error, options};
use crate::oracles::known;
use crate::oracles::script::Script;
use crate::reference;

/// Maximum number of damaging changes.
const DAMAGES_MAX: usize = 4;

/// **Input: a description of damage and of an archive.** The first byte is the number of damaging
/// changes. Each is described by a byte that gives its kind and numbers that give its location. If
/// the next byte is odd, the rest describes an archive as for
/// [`archive_index`](crate::oracles::archive_index()), without its changes. If it is even, the rest
/// is an archive plaintext as for [`archive_records`](crate::oracles::archive_records()).
///
/// - Every chunk that salvage returns has the plaintext that was sealed. Damage stays local: every
///   chunk that is intact and at its original offset is returned, unless both header copies are
///   lost.
/// - Salvaging the archive terminates. Each piece equals its entry's content at that offset, and
///   the pieces and holes together cover the content.
/// - If the index is intact, every entry is returned with its name, and no byte of an intact chunk
///   is reported as lost.
/// - Nothing panics, whatever the archive and the damage.
pub fn salvage(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut damages = Vec::new();
    for _ in 0..usize::from(script.byte()) % (DAMAGES_MAX + 1) {
        damages.push((script.byte(), script.number(2) as usize, script.byte()));
    }
    let plaintext = if script.flag() {
        archive::encode_records(&index::describe(&mut script).lay_out().all(), &known::MARKER)
    } else {
        script.rest().to_vec()
    };
    let intact = seal(&plaintext);
    let entries = compare_readers(&intact);
    let damaged = damages.iter().fold(intact.clone(), damage);

    let chunks = check_chunks(&intact, &damaged, &plaintext);
    // The guarantee excludes contents that contain the secret marker, because they may be taken for
    // records.
    let entries = entries.filter(|_| marker_only_begins_records(&plaintext));
    check_archive(&damaged, &intact, entries.as_deref(), &chunks);
}

/// Returns whether the marker occurs only at the start of records.
fn marker_only_begins_records(plaintext: &[u8]) -> bool {
    let (mut at, mut records) = (0, 0);
    while let Some(head) = plaintext.get(at..at + 32) {
        let number =
            |range: Range<usize>| head[range].iter().fold(0, |n, b| n << 8 | usize::from(*b));
        at += 32 + number(18..20) + number(20..24) + number(24..32);
        records += 1;
    }
    plaintext.windows(16).filter(|window| *window == known::MARKER).count() == records
}

/// Applies one damaging change: flipped or zeroed bytes, a truncated or extended end, or a lost
/// header.
fn damage(mut container: Vec<u8>, (kind, at, value): &(u8, usize, u8)) -> Vec<u8> {
    let at = at % (container.len() + 1);
    match kind % 6 {
        0 | 1 => container[at..].iter_mut().take(1).for_each(|byte| *byte ^= value.max(&1)),
        2 => container[at..].iter_mut().take(usize::from(*value) * 32).for_each(|byte| *byte = 0),
        3 => container.truncate(at),
        4 => container.extend(vec![*value; at % 300]),
        _ => container.iter_mut().take(128).for_each(|byte| *byte = 0),
    }
    container
}

/// Checks what salvage returns for every chunk. Returns which chunks are intact and at their
/// original offset.
fn check_chunks(intact: &[u8], damaged: &[u8], plaintext: &[u8]) -> Vec<bool> {
    let geometry = reference::inspect(intact, true).expect("the reference sealed it").geometry;
    let range = |i| geometry.chunk(i);
    let is_intact = |i| damaged.get(range(i)) == Some(&intact[range(i)]);
    let intact_chunks: Vec<bool> = (0..=geometry.n).map(is_intact).collect();
    let reader = match SalvageReader::new(&Key::from_bytes(&known::KEY), damaged, &options(None)) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(
                damaged.get(..128) != Some(&intact[..128]),
                "the header is intact, but: {error:?}"
            );
            container_error(error); // panics unless section 9 defines the error
            return vec![false; intact_chunks.len()];
        }
    };
    assert!(
        reader.max_chunks() <= damaged.len() as u64 / 4112 + 1,
        "more chunks than the container can hold"
    );
    for i in 0..reader.max_chunks().max(geometry.n + 1) {
        let expected = plaintext.chunks(4096).chain([&[][..]]).nth(i as usize);
        let found = reader.chunk(i);
        let same = |found: &Vec<u8>| i <= geometry.n && expected == Some(&found[..]);
        assert!(found.as_deref().is_none_or(same), "chunk {i}: the bytes differ from those sealed");
        // The end of the short last chunk can only be determined from the container length.
        let findable = i < geometry.n || damaged.len() == intact.len();
        let is_intact = intact_chunks.get(i as usize) == Some(&true);
        assert!(found.is_some() || !is_intact || !findable, "chunk {i} is intact but lost");
    }
    intact_chunks
}

/// Checks what salvage returns for the archive.
fn check_archive(damaged: &[u8], intact: &[u8], reports: Option<&[EntryReport]>, chunks: &[bool]) {
    let mut salvage = match Salvage::new(&Key::from_bytes(&known::KEY), damaged, &options(None)) {
        Ok(salvage) => salvage,
        Err(bulla_archive::Error::Container(error)) => {
            // The same error was already checked for the chunks.
            assert!(!matches!(error, Error::Io(_)), "{error:?}");
            return;
        }
        Err(error) => panic!("the container is an archive, but: {}", name(&error)),
    };
    let mut found = collect(&mut salvage, damaged.len());
    let summary = salvage.summary();
    // There are no guarantees for an archive that was malformed before the damage.
    let Some(reports) = reports else { return };
    let entries =
        ReferenceArchive::open(intact, &known::KEY, None).and_then(|archive| archive.list());
    let entries = entries.expect("the archive is well-formed");
    let whole_index = summary.index == IndexState::Whole;
    for (report, entry) in reports.iter().zip(&entries) {
        let Some(at) = found.iter().position(|found| found.entry.path() == report.name) else {
            assert!(
                !whole_index && summary.unnamed,
                "{:?} is not recovered",
                String::from_utf8_lossy(&report.name)
            );
            continue;
        };
        let found = found.swap_remove(at);
        let Ok(content) = &report.content else {
            assert!(found.pieces.is_empty(), "salvaged content of an entry without content");
            continue;
        };
        for (offset, bytes) in &found.pieces {
            let known = content.get(*offset as usize..).unwrap_or_default();
            let len = known.len().min(bytes.len());
            assert!(bytes[..len] == known[..len], "a piece differs from what was sealed");
            // Only the index and the notes record where a short file ends.
            let short = entry.state & (state::SHORT | state::UNREADABLE) != 0;
            assert!(len == bytes.len() || short && !whole_index, "a piece exceeds the content");
        }
        if whole_index && entry.kind == kind::FILE {
            for lost in found.holes.iter().flat_map(|hole| hole.clone()) {
                let chunk = (entry.offset + lost) / 4096;
                assert!(
                    !chunks[chunk as usize],
                    "byte {lost} is reported as lost, but its chunk is intact"
                );
            }
        }
    }
    assert!(found.is_empty(), "salvaged entries that were not sealed");
}
