//! Archives built from a description, with changes to the index, fence, trailer and records.

use super::records::{compare_readers, seal};
use crate::archive::{
    self, CorruptibleArchive, IndexEntry, Item, Layout, Piece, RawNote, Record, Row, attribute,
    kind, tag,
};
use crate::oracles::known;
use crate::oracles::script::{Script, stretch};

/// Maximum number of entries in an archive.
const ENTRIES_MAX: usize = 12;
/// Exclusive upper bound on the number of changes to each stage.
const CHANGES_MAX: usize = 6;

/// **Input: a description of an archive** with up to 12 entries and their names, kinds, attributes,
/// states, lengths and references, and of changes to the index, to the fence and trailer, and to
/// the encoded records. Each stage is derived from the changed previous stage, so that a change
/// reaches the check that it violates and is not masked by another error.
///
/// Checks the guarantees of [`archive_records`](crate::oracles::archive_records()).
pub fn archive_index(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut archive = describe(&mut script);
    for _ in 0..usize::from(script.byte()) % CHANGES_MAX {
        change_archive(&mut archive, &mut script);
    }
    let mut layout = archive.lay_out();
    for _ in 0..usize::from(script.byte()) % CHANGES_MAX {
        change_layout(&mut layout, &mut script);
    }
    let mut records = layout.all();
    for _ in 0..usize::from(script.byte()) % CHANGES_MAX {
        change_records(&mut records, &mut script);
    }
    compare_readers(&seal(&archive::encode_records(&records, &known::MARKER)));
}

/// Builds the archive that a script describes, without changes.
pub(super) fn describe(script: &mut Script<'_>) -> CorruptibleArchive {
    let row = |i: u8| Row { salt: [i; 32], key: [i; 32], commitment: [i; 32] };
    let rows: Vec<Row> = (0..script.byte() % 3).map(row).collect();
    let block_max = [1, 64, 1 << 16][usize::from(script.byte()) % 3];
    let count = usize::from(script.byte()) % (ENTRIES_MAX + 1);
    let mut names: Vec<Vec<u8>> = Vec::new();
    let pieces: Vec<Piece> = (0..count).map(|_| piece(script, &mut names, rows.len())).collect();
    let mut archive = CorruptibleArchive::new(&rows, &pieces);
    archive.block_max = block_max;
    archive
}

/// Builds an entry, or a record that belongs to no entry.
fn piece(script: &mut Script<'_>, names: &mut Vec<Vec<u8>>, rows: usize) -> Piece {
    let shape = script.byte();
    if shape % 8 == 7 {
        let content = stretch(b"other", usize::from(script.byte()));
        return Piece::Other(Record::new(
            [kind::PADDING, 200, script.byte()][usize::from(shape / 8) % 3],
            &content,
        ));
    }
    let parent = script.byte();
    let mut name = match names.len() {
        // If the byte is odd, the name is below an earlier one.
        count @ 1.. if parent & 1 == 1 => {
            [&names[usize::from(parent / 2) % count][..], b"/"].concat()
        }
        _ => Vec::new(),
    };
    let own = script.take(1 + usize::from(shape / 8) % 4);
    name.extend(if own.is_empty() { &b"x"[..] } else { own });
    names.push(name.clone());

    let content = stretch(&name, script.within(0..=600) * usize::from(1 + 15 * (shape >> 7)));
    let item = match shape % 8 {
        0..=2 => Item::file(&name, &content),
        3 | 4 => Item::directory(&name),
        5 => Item::link(&name, if script.flag() { b"target" } else { b"../.." }),
        _ if rows > 0 => {
            Item::reference(&name, 1 + u32::from(script.byte()) % rows as u32, 7, script.number(2))
        }
        _ => Item::file(&name, b""),
    };
    let attributes = match script.byte() % 6 {
        0 => archive::modified(script.number(8) as i64, script.number(4) as u32),
        1 => archive::mode(script.number(2) as u32),
        2 => [archive::modified(1, 2), archive::mode(0o644)].concat(),
        3 => attribute(script.number(2) as u16, script.run()),
        4 if item.kind != kind::LINK => attribute(tag::PRIVATE | 1, script.run()),
        _ => Vec::new(),
    };
    let item = item.with(&attributes);
    let item = match script.byte() {
        state @ 1..=63 if item.kind == kind::FILE && item.reference.is_none() => {
            let missing = if state & 9 == 0 { 0 } else { usize::from(script.byte()) };
            item.in_state(state.into(), missing)
        }
        _ => item,
    };
    Piece::Entry(item)
}

fn change_archive(archive: &mut CorruptibleArchive, script: &mut Script<'_>) {
    let (action, which, value) = (script.byte(), usize::from(script.byte()), script.number(2));
    let (entries, notes) = (archive.index.len(), archive.notes.len());
    match action % 8 {
        0 => archive.block_max = value as usize,
        1 => archive.rows = value,
        2 if entries > 0 => archive.index.swap(which % entries, value as usize % entries),
        3 if entries > 0 => drop(archive.index.remove(which % entries)),
        4 if entries > 0 => {
            let copy = archive.index[which % entries].clone();
            archive.index.insert(value as usize % entries, copy);
        }
        5 if notes > 0 => change_note(&mut archive.notes[which % notes], value, script),
        6 => archive.notes.push(RawNote::new(script.run(), value as u16, which as u64)),
        _ if entries > 0 => change_entry(&mut archive.index[which % entries], value, script),
        _ => {}
    }
}

fn change_entry(entry: &mut IndexEntry, value: u64, script: &mut Script<'_>) {
    match script.byte() % 12 {
        0 => entry.kind = value as u8,
        1 => entry.encoding = value as u8,
        2 => entry.state = value as u16,
        3 => entry.zero = value as u16,
        4 => entry.container = value as u32,
        5 => entry.offset = value,
        6 => entry.len = value,
        7 => entry.offset = script.number(8),
        8 => entry.len = script.number(8),
        9 => entry.name = script.run().to_vec(),
        10 => entry.attributes = script.run().to_vec(),
        _ => entry.lengths = Some((value as u16, script.number(4) as u32)),
    }
}

fn change_note(note: &mut RawNote, value: u64, script: &mut Script<'_>) {
    match script.byte() % 4 {
        0 => note.state = value as u16,
        1 => note.found = script.number(8),
        2 => note.name = script.run().to_vec(),
        _ => note.name_len = Some(value as u16),
    }
}

fn change_layout(layout: &mut Layout, script: &mut Script<'_>) {
    let (action, which) = (script.byte(), usize::from(script.byte()));
    // A small increment or decrement, or an arbitrary number.
    let change = |old: u64, script: &mut Script<'_>| match script.byte() {
        small @ 1..=127 => old.wrapping_add(small.into()),
        small @ 128..=254 => old.wrapping_sub(u64::from(small) - 127),
        _ => script.number(8),
    };
    let (blocks, fence) = (layout.blocks.len(), layout.fence.len());
    let trailer = &mut layout.trailer;
    match action % 14 {
        0 => trailer.notes_offset = change(trailer.notes_offset, script),
        1 => trailer.index_offset = change(trailer.index_offset, script),
        2 => trailer.fence_offset = change(trailer.fence_offset, script),
        3 => trailer.entries = change(trailer.entries, script),
        4 => trailer.blocks = change(trailer.blocks, script),
        5 => trailer.rows = change(trailer.rows, script),
        6 => trailer.len_sum = change(trailer.len_sum, script),
        7 => trailer.rest[which % 40] = script.byte(),
        8 if fence > 0 => {
            let at = &mut layout.fence[which % fence];
            at.offset = change(at.offset, script);
        }
        9 if fence > 0 => {
            let at = &mut layout.fence[which % fence];
            at.content_len = change(at.content_len.into(), script) as u32;
        }
        10 if fence > 0 => layout.fence[which % fence].name = script.run().to_vec(),
        11 if fence > 0 => drop(layout.fence.remove(which % fence)),
        12 if blocks > 0 => drop(layout.blocks.remove(which % blocks)),
        13 if fence > 0 => {
            let copy = layout.fence[which % fence].clone();
            layout.fence.push(copy);
        }
        _ => {}
    }
}

fn change_records(records: &mut Vec<Record>, script: &mut Script<'_>) {
    let (action, which) = (script.byte(), usize::from(script.byte()) % records.len().max(1));
    let Some(record) = records.get_mut(which) else { return };
    let mut lengths = record.lengths.unwrap_or(record.actual_lengths());
    match action % 10 {
        0 => record.marker = Some([script.byte(); 16]),
        1 => record.kind = script.byte(),
        2 => record.encoding = script.byte(),
        3 => lengths.name = script.number(2) as u16,
        4 => lengths.attributes = script.number(4) as u32,
        5 => lengths.content = script.number(8),
        6 => record.content = script.run().to_vec(),
        7 => {
            let at = usize::from(script.byte());
            if let Some(byte) = record.content.get_mut(at) {
                *byte ^= script.byte();
            }
        }
        8 => return drop(records.remove(which)),
        _ => {
            let copy = record.clone();
            return records.insert(which, copy);
        }
    }
    if matches!(action % 10, 3..=5) {
        record.lengths = Some(lengths);
    }
}
