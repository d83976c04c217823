//! Damaged archives: all that is left comes back, and nothing else.

use std::ops::Range;

use bulla::{Error, Key, SalvageReader};
use bulla_archive::{IndexState, Salvage};

use super::archives::{Told, agree, collect, name, seal};
use super::script::Script;
use super::{archive_index, known};
use crate::archive::{self, Archive, kind, state};
use crate::library::{fault, options};
use crate::reference;

/// Kinds of damage at most.
const DAMAGES_MAX: usize = 4;

/// **The bytes describe damage and an archive.** A byte says how often damage is done, each by a
/// byte for the kind and numbers for the place; then an odd byte, and the rest is an archive as for
/// [`archive_index`](super::archive_index) without its changes; or an even one, and the rest is an
/// archive's plaintext as for [`archive_records`](super::archive_records).
///
/// - Chunk by chunk, what salvage reads is what was sealed; a chunk that is whole and where it was
///   is read, unless no copy of the header is left (promise 4 of the project: damage stays local).
/// - Salvage of the archive ends. Each piece that it hands out for an entry is what the entry held
///   in that place; pieces and holes are all of its content.
/// - While the index is whole, every entry is named, and no byte is called lost whose chunk is
///   whole.
/// - Nothing panics, whatever the archive and the damage.
pub fn salvage(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut damages = Vec::new();
    for _ in 0..usize::from(script.byte()) % (DAMAGES_MAX + 1) {
        damages.push((script.byte(), script.number(2) as usize, script.byte()));
    }
    let plaintext = if script.flag() {
        archive::join(&archive_index::described(&mut script).lay_out().all(), &known::MARKER)
    } else {
        script.rest().to_vec()
    };
    let intact = seal(&plaintext);
    let whole = agree(&intact);
    let damaged = damages.iter().fold(intact.clone(), damage);

    let chunks = chunks(&intact, &damaged, &plaintext);
    // A content that holds the marker, which is a secret, is beyond the promise: it may pass for a
    // record.
    let whole = whole.filter(|_| marker_only_begins_records(&plaintext));
    archive_of(&damaged, &intact, whole.as_deref(), &chunks);
}

/// Whether the marker stands where records of a well-formed archive begin, and nowhere else.
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

/// One damage: bytes flipped or zeroed, the end cut or drawn out, the header gone.
fn damage(mut container: Vec<u8>, (what, at, value): &(u8, usize, u8)) -> Vec<u8> {
    let at = at % (container.len() + 1);
    match what % 6 {
        0 | 1 => container[at..].iter_mut().take(1).for_each(|byte| *byte ^= value.max(&1)),
        2 => container[at..].iter_mut().take(usize::from(*value) * 32).for_each(|byte| *byte = 0),
        3 => container.truncate(at),
        4 => container.extend(vec![*value; at % 300]),
        _ => container.iter_mut().take(128).for_each(|byte| *byte = 0),
    }
    container
}

/// Which chunks are whole, and where they were. Each is read back.
fn chunks(intact: &[u8], damaged: &[u8], plaintext: &[u8]) -> Vec<bool> {
    let geometry = reference::look(intact, true).expect("the reference sealed it").geometry;
    let range = |i| geometry.chunk(i);
    let is_whole = |i| damaged.get(range(i)) == Some(&intact[range(i)]);
    let whole: Vec<bool> = (0..=geometry.n).map(is_whole).collect();
    let reader = match SalvageReader::new(&Key::from_bytes(&known::KEY), damaged, &options(None)) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(
                damaged.get(..128) != Some(&intact[..128]),
                "{error:?}, but the header is whole"
            );
            fault(error);
            return vec![false; whole.len()];
        }
    };
    assert!(
        reader.max_chunks() <= damaged.len() as u64 / 4112 + 1,
        "room for more chunks than there is"
    );
    for i in 0..reader.max_chunks().max(geometry.n + 1) {
        let expected = plaintext.chunks(4096).chain([&[][..]]).nth(i as usize);
        let found = reader.chunk(i);
        let same = |found: &Vec<u8>| i <= geometry.n && expected == Some(&found[..]);
        assert!(found.as_deref().is_none_or(same), "chunk {i} is other bytes than were sealed");
        // The last chunk, being short, shows where it ends only by the length of the container.
        let findable = i < geometry.n || damaged.len() == intact.len();
        let is_whole = whole.get(i as usize) == Some(&true);
        assert!(found.is_some() || !is_whole || !findable, "chunk {i} is whole, but lost");
    }
    whole
}

fn archive_of(damaged: &[u8], intact: &[u8], told: Option<&[Told]>, chunks: &[bool]) {
    let mut salvage = match Salvage::new(&Key::from_bytes(&known::KEY), damaged, &options(None)) {
        Ok(salvage) => salvage,
        Err(bulla_archive::Error::Container(error)) => {
            // The same as of its chunks, which were looked at before.
            assert!(!matches!(error, Error::Io(_)), "{error:?}");
            return;
        }
        Err(error) => panic!("{}: it says that it holds an archive", name(&error)),
    };
    let mut found = collect(&mut salvage, damaged.len());
    let summary = salvage.summary();
    // Where something was wrong with the archive before, there is nothing to hold against it.
    let Some(told) = told else { return };
    let entries = Archive::open(intact, &known::KEY, None).and_then(|archive| archive.list());
    let entries = entries.expect("nothing was wrong with it");
    let whole_index = summary.index == IndexState::Whole;
    for (told, entry) in told.iter().zip(&entries) {
        let Some(at) = found.iter().position(|found| found.entry.path() == told.name) else {
            assert!(
                !whole_index && summary.unnamed,
                "{:?} is not named",
                String::from_utf8_lossy(&told.name)
            );
            continue;
        };
        let found = found.swap_remove(at);
        let Ok(content) = &told.content else {
            assert!(found.pieces.is_empty(), "it has no content");
            continue;
        };
        for (offset, bytes) in &found.pieces {
            let known = content.get(*offset as usize..).unwrap_or_default();
            let len = known.len().min(bytes.len());
            assert!(bytes[..len] == known[..len], "a piece is not what was there");
            // Only index and notes tell where a file that was short ends.
            let short = entry.state & (state::SHORT | state::UNREADABLE) != 0;
            assert!(
                len == bytes.len() || short && !whole_index,
                "a piece reaches beyond the content"
            );
        }
        if whole_index && entry.kind == kind::FILE {
            for lost in found.holes.iter().flat_map(|hole| hole.clone()) {
                let chunk = (entry.offset + lost) / 4096;
                assert!(
                    !chunks[chunk as usize],
                    "byte {lost} is called lost, but its chunk is whole"
                );
            }
        }
    }
    assert!(found.is_empty(), "entries that never were");
}
