//! Compares the records with the index.

use bulla::{RangeReader, ReadAt};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::format::entry::Entry;
use crate::format::notes::State;
use crate::format::record::{HEAD_LEN, Head, REFERENCE_LEN, RecordKind, Reference};
use crate::index_reader::IndexReader;

/// Bytes to read ahead, because the records of small files are close together.
const WINDOW_LEN: u64 = 256 << 10;

/// Checks every record before the notes, and checks that the records correspond one to one to
/// `entries`, which is the whole index.
pub(crate) fn check_records<S: ReadAt>(
    index: &IndexReader<RangeReader<'_, S>>,
    entries: &[Entry],
) -> Result<()> {
    let notes_offset = index.trailer().notes_offset;
    let mut window = Window::new(index.plaintext());
    let (mut at, mut seen) = (0, vec![false; entries.len()]);
    while at < notes_offset {
        let malformed = |what| Error::Malformed { offset: at, what };
        let head = window.read(at, HEAD_LEN)?;
        let head = head.first_chunk().and_then(|head| Head::from_bytes(head, index.marker()));
        let head = head.ok_or(malformed("a record has no marker"))?;
        let end = head.len().and_then(|len| at.checked_add(len));
        let end = end
            .filter(|end| *end <= notes_offset)
            .ok_or(malformed("a record extends past the start of the notes"))?;
        if head.kind.is_entry() {
            if !head.is_within_limits() {
                return Err(malformed("a path or its attributes exceed the maximum length"));
            }
            let len = head.content_start() as usize - HEAD_LEN;
            let path_and_attributes = window.read(at + HEAD_LEN as u64, len)?;
            let path = path_and_attributes
                .get(..head.path_len.into())
                .ok_or(malformed("a path is truncated"))?;
            let number = entries
                .binary_search_by(|entry| entry.path().cmp(path))
                .map_err(|_| malformed("the index has no entry for a record"))?;
            let entry = &entries[number];
            compare(&head, path_and_attributes, at, entry).map_err(malformed)?;
            if head.kind == RecordKind::REFERENCE {
                let content = window.read(at + head.content_start(), REFERENCE_LEN)?;
                compare_reference(&head, content, entry).map_err(malformed)?;
            }
            if std::mem::replace(&mut seen[number], true) {
                return Err(malformed("two records have the same path"));
            }
        } else if head.kind == RecordKind::PADDING {
            if head != Head::plain(RecordKind::PADDING, head.content_len) {
                return Err(malformed("padding has a path, attributes or an encoding"));
            }
        } else if head.kind == RecordKind::CONTAINERS && at == 0 && index.trailer().rows > 0 {
            // The containers record was checked when the archive was opened.
        } else if !head.kind.may_be_skipped() {
            return Err(match head.kind.is_known() {
                true => malformed("a record is in a place where its kind is not allowed"),
                false => Error::UnknownKind { offset: at, kind: head.kind.0 },
            });
        }
        at = end;
    }
    match seen.iter().all(|seen| *seen) {
        true => Ok(()),
        false => Err(Error::Malformed { offset: at, what: "an index entry has no record" }),
    }
}

/// Compares the record at offset `at` with its index entry. On a mismatch, returns the rule that is
/// violated.
fn compare(
    head: &Head,
    path_and_attributes: &[u8],
    at: u64,
    entry: &Entry,
) -> Result<(), &'static str> {
    let kind = if entry.container == 0 { entry.kind.record() } else { RecordKind::REFERENCE };
    if head.kind != kind || head.encoding != entry.encoding {
        return Err("a record and its index entry differ in kind or encoding");
    }
    if path_and_attributes.get(head.path_len.into()..) != Some(entry.attributes()) {
        return Err("a record and its index entry differ in attributes");
    }
    if entry.is_internal() && at + head.content_start() != entry.offset {
        return Err("the content offset in an index entry differs from the record");
    }
    let short = entry.state.has(State::SHORT) || entry.state.has(State::UNREADABLE);
    match entry.container {
        0 if head.content_len == entry.len || (short && head.content_len > entry.len) => Ok(()),
        0 => Err("a record and its index entry differ in length"),
        _ => Ok(()),
    }
}

/// Compares the content of a reference record with its index entry. On a mismatch, returns the rule
/// that is violated.
fn compare_reference(head: &Head, content: &[u8], entry: &Entry) -> Result<(), &'static str> {
    let expected = Reference { row: entry.container, offset: entry.offset, len: entry.len };
    let same = Reference::from_bytes(content) == Some(expected);
    match head.content_len == REFERENCE_LEN as u64 && same {
        true => Ok(()),
        false => Err("a record and its index entry differ in the reference"),
    }
}

/// Bytes of the plaintext that were read ahead.
struct Window<'w, 'a, S: ReadAt> {
    plaintext: &'w RangeReader<'a, S>,
    start: u64,
    bytes: Zeroizing<Vec<u8>>,
}

impl<'w, 'a, S: ReadAt> Window<'w, 'a, S> {
    fn new(plaintext: &'w RangeReader<'a, S>) -> Window<'w, 'a, S> {
        Window { plaintext, start: 0, bytes: Zeroizing::default() }
    }

    /// Returns `len` bytes at offset `at`, or fewer at the end of the plaintext.
    fn read(&mut self, at: u64, len: usize) -> Result<&[u8]> {
        let end = (at + len as u64).min(self.plaintext.len());
        if at < self.start || end > self.start + self.bytes.len() as u64 {
            let window_end = (at + WINDOW_LEN.max(len as u64)).min(self.plaintext.len());
            self.bytes.resize((window_end - at) as usize, 0);
            self.plaintext.read_into(&mut self.bytes, at)?;
            self.start = at;
        }
        Ok(&self.bytes[(at - self.start) as usize..(end - self.start) as usize])
    }
}
