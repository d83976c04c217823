//! Walks the records of a damaged archive from the start, from marker to marker.

use std::collections::BTreeMap;

use bulla::ReadAt;

use crate::format::entry::{Entry, Kind};
use crate::format::notes::{self, Note, State};
use crate::format::record::{HEAD_LEN, Head, Marker, REFERENCE_LEN, RecordKind, Reference};
use crate::index_reader::Plaintext;
use crate::salvage::chunks::Chunks;

/// The result of a walk.
#[derive(Default)]
pub(crate) struct Walked {
    /// Entries by path. An entry from the index replaces one from a record, because its length and
    /// state are final.
    pub(crate) entries: BTreeMap<Vec<u8>, Entry>,
    pub(crate) notes: Option<Vec<Note>>,
    /// Whether any entries from an index block were found.
    pub(crate) found_block: bool,
    /// Whether there are ranges in which no record could be read, so that entries may be missing.
    pub(crate) has_gaps: bool,
}

/// Walks all records.
pub(crate) fn walk<S: ReadAt>(chunks: &Chunks<S>, marker: &Marker) -> Walked {
    let mut walked = Walked::default();
    let (mut index_entries, mut at) = (Vec::new(), 0);
    while at < chunks.len() {
        if let Some(end) = walked.add_record(chunks, marker, at, &mut index_entries) {
            at = end;
            continue;
        }
        walked.has_gaps = true;
        at = chunks.find(marker, at + 1).unwrap_or(chunks.len());
    }
    walked.found_block = !index_entries.is_empty();
    walked.apply_notes();
    walked.entries.extend(index_entries.into_iter().map(|entry| (entry.path().to_vec(), entry)));
    walked
}

impl Walked {
    /// Adds the record at offset `at` and returns the offset of its end, or `None` if no record
    /// starts there or part of its head is lost.
    fn add_record(
        &mut self,
        plaintext: &impl Plaintext,
        marker: &Marker,
        at: u64,
        index_entries: &mut Vec<Entry>,
    ) -> Option<u64> {
        let head = plaintext.range(at..at.checked_add(HEAD_LEN as u64)?).ok()?;
        let head = Head::from_bytes(head.first_chunk()?, marker)?;
        let content = at.checked_add(head.content_start())?;
        let end = content.checked_add(head.content_len)?;
        match head.kind {
            RecordKind::NOTES => {
                let bytes = plaintext.range(content..end).ok();
                self.notes = bytes.and_then(|bytes| notes::decode(&bytes));
            }
            RecordKind::BLOCK => {
                // A block that is partly lost is skipped as a whole. If it were searched for the
                // next marker, the same bytes could be read once for every head that claims them.
                let Ok(bytes) = plaintext.range(content..end) else {
                    self.has_gaps = true;
                    return Some(end);
                };
                let mut bytes = &bytes[..];
                while let Ok(entry) = Entry::decode(&mut bytes) {
                    index_entries.push(entry);
                }
            }
            kind if kind.is_entry() => {
                if !head.is_within_limits() {
                    return None;
                }
                let bytes = plaintext.range(at + HEAD_LEN as u64..content).ok()?;
                let kind = Kind::of_record(head.kind)?;
                let mut entry = Entry::new(kind, head.encoding, head.path_len, &bytes).ok()?;
                if head.kind == RecordKind::REFERENCE {
                    (head.content_len == REFERENCE_LEN as u64).then_some(())?;
                    let reference = Reference::from_bytes(&plaintext.range(content..end).ok()?)?;
                    // Row 0 is this container, which a reference must not name.
                    (reference.row != 0).then_some(())?;
                    (entry.container, entry.len) = (reference.row, reference.len);
                } else if kind == Kind::File {
                    (entry.offset, entry.len) = (content, head.content_len);
                }
                self.entries.insert(entry.path().to_vec(), entry);
            }
            _ => {}
        }
        Some(end)
    }

    /// Truncates contents that, according to the notes, were not read to their planned end.
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
