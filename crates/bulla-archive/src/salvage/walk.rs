//! Walks the records of a damaged archive from its beginning, from marker to marker.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::format::attributes::MAX_ATTR_LEN;
use crate::format::entry::{Entry, Kind};
use crate::format::notes::{self, Note, State};
use crate::format::path::MAX_NAME_LEN;
use crate::format::record::{HEAD_LEN, Head, Marker, RecordKind};
use crate::index_reader::Plaintext;

/// Bytes in the content of a reference.
const REFERENCE_LEN: u64 = 24;

/// What a walk found.
#[derive(Default)]
pub(crate) struct Walked {
    /// By path. What blocks of the index say counts more than what records say: they know what was
    /// short.
    pub(crate) entries: BTreeMap<Vec<u8>, Entry>,
    pub(crate) notes: Option<Vec<Note>>,
    /// Whether a block of the index was there.
    pub(crate) found_block: bool,
    /// Where no record was found; entries may have been there that nobody can path.
    pub(crate) gaps: Vec<Range<u64>>,
}

/// What is left of a plaintext, and where to look for more of it.
pub(crate) trait Remains: Plaintext {
    /// The first offset from `from` on at which the marker stands.
    fn find(&self, marker: &Marker, from: u64) -> Option<u64>;
}

/// Walks all records.
pub(crate) fn walk(plain: &impl Remains, marker: &Marker) -> Walked {
    let mut walked = Walked::default();
    let (mut of_blocks, mut at) = (Vec::new(), 0);
    while at < plain.len() {
        if let Some(end) = walked.record(plain, marker, at, &mut of_blocks) {
            at = end;
            continue;
        }
        let next = plain.find(marker, at + 1).unwrap_or(plain.len());
        walked.gaps.push(at..next);
        at = next;
    }
    walked.found_block = !of_blocks.is_empty();
    walked.apply_notes();
    walked.entries.extend(of_blocks.into_iter().map(|entry| (entry.path().to_vec(), entry)));
    walked
}

impl Walked {
    /// Takes down the record at `at`, and returns where it ends; `None` if there is none, or not
    /// all of its head.
    fn record(
        &mut self,
        plain: &impl Plaintext,
        marker: &Marker,
        at: u64,
        of_blocks: &mut Vec<Entry>,
    ) -> Option<u64> {
        let head = plain.range(at..at.checked_add(HEAD_LEN as u64)?).ok()?;
        let head = Head::from_bytes(head.first_chunk()?, marker)?;
        let content = at.checked_add(head.content_start())?;
        let end = content.checked_add(head.content_len)?;
        match head.kind {
            RecordKind::NOTES => {
                let bytes = plain.range(content..end).ok();
                self.notes = bytes.and_then(|bytes| notes::decode(&bytes));
            }
            RecordKind::BLOCK => {
                // Where a part of it is lost, its end is known all the same: to look into it for
                // the next marker would read it once for each that is there.
                let Ok(bytes) = plain.range(content..end) else {
                    self.gaps.push(at..end);
                    return Some(end);
                };
                let mut bytes = &bytes[..];
                while let Ok(entry) = Entry::decode(&mut bytes) {
                    of_blocks.push(entry);
                }
            }
            kind if kind.is_entry() => {
                if usize::from(head.path_len) > MAX_NAME_LEN
                    || head.attr_len as usize > MAX_ATTR_LEN
                {
                    return None;
                }
                let named = plain.range(at + HEAD_LEN as u64..content).ok()?;
                let kind = Kind::of_record(head.kind)?;
                let mut entry = Entry::new(kind, head.encoding, head.path_len, &named).ok()?;
                if head.kind == RecordKind::REFERENCE {
                    (head.content_len == REFERENCE_LEN).then_some(())?;
                    let bytes = plain.range(content..end).ok()?;
                    entry.container = u32::from_be_bytes(*bytes.first_chunk()?);
                    entry.len = u64::from_be_bytes(bytes.get(16..24)?.try_into().ok()?);
                    // Row 0 is this container, which no reference paths.
                    (entry.container != 0).then_some(())?;
                } else if kind == Kind::File {
                    (entry.offset, entry.len) = (content, head.content_len);
                }
                self.entries.insert(entry.path().to_vec(), entry);
            }
            _ => {}
        }
        Some(end)
    }

    /// What the notes call missing is no part of a file.
    fn apply_notes(&mut self) {
        for note in self.notes.iter().flatten() {
            if let Some(entry) = self.entries.get_mut(&note.path) {
                entry.state = note.state;
                if note.state.has(State::SHORT) || note.state.has(State::UNREADABLE) {
                    entry.len = entry.len.min(note.found);
                }
            }
        }
    }
}
