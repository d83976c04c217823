//! Compares the index with the records.

use bulla::ReadAt;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::format::attributes::MAX_ATTR_LEN;
use crate::format::entry::Entry;
use crate::format::notes::State;
use crate::format::path::MAX_NAME_LEN;
use crate::format::record::{HEAD_LEN, Head, RecordKind};
use crate::reader::ArchiveReader;

/// Bytes in the content of a reference: row, zero, offset, length.
const REFERENCE_LEN: usize = 24;
/// Bytes that are read at once: records of small files lie close together.
const WINDOW_LEN: u64 = 256 << 10;

impl<S: ReadAt> ArchiveReader<'_, S> {
    /// Verifies everything: every chunk of the container, every record of the log, and that index
    /// and records say the same.
    ///
    /// # Errors
    ///
    /// As [`bulla::RangeReader::verify`]; [`Error::Malformed`], [`Error::Duplicate`],
    /// [`Error::ParentNotDirectory`], [`Error::UnknownKind`].
    pub fn verify(&self) -> Result<()> {
        self.range().verify()?;
        let entries = self.entries().collect::<Result<Vec<_>>>()?;
        self.notes()?;
        self.verify_records(&entries)
    }

    fn verify_records(&self, entries: &[Entry]) -> Result<()> {
        let mut window = Window { start: 0, bytes: Zeroizing::default() };
        let (mut at, mut seen) = (0, vec![false; entries.len()]);
        while at < self.trailer().notes_offset {
            let malformed = |what| Error::Malformed { offset: at, what };
            let head = window.read(self, at, HEAD_LEN)?;
            let head = head.first_chunk().and_then(|head| Head::from_bytes(head, self.marker()));
            let head = head.ok_or(malformed("a record has no marker"))?;
            let end = head.len().and_then(|len| at.checked_add(len));
            let end = end
                .filter(|end| *end <= self.trailer().notes_offset)
                .ok_or(malformed("a record reaches behind the contents"))?;
            if head.kind.is_entry() {
                if usize::from(head.path_len) > MAX_NAME_LEN
                    || head.attr_len as usize > MAX_ATTR_LEN
                {
                    return Err(malformed("a path or attributes are longer than they may be"));
                }
                let named = head.content_start() as usize - HEAD_LEN;
                let named = window.read(self, at + HEAD_LEN as u64, named)?;
                let path = named.get(..head.path_len.into()).ok_or(malformed("a path is cut"))?;
                let number = entries.binary_search_by(|entry| entry.path().cmp(path));
                let number = number.map_err(|_| malformed("a record is not in the index"))?;
                check(&head, named, at, &entries[number]).map_err(malformed)?;
                if head.kind == RecordKind::REFERENCE {
                    let content = window.read(self, at + head.content_start(), REFERENCE_LEN)?;
                    check_reference(&head, content, &entries[number]).map_err(malformed)?;
                }
                if std::mem::replace(&mut seen[number], true) {
                    return Err(malformed("two records have one path"));
                }
            } else if head.kind == RecordKind::PADDING {
                if head != Head::plain(RecordKind::PADDING, head.content_len) {
                    return Err(malformed("padding has a path, attributes or an encoding"));
                }
            } else if !head.kind.may_be_skipped() && !self.is_containers_record(&head, at) {
                return Err(match head.kind.is_known() {
                    true => malformed("a record is where it does not belong"),
                    false => Error::UnknownKind { offset: at, kind: head.kind.0 },
                });
            }
            at = end;
        }
        match seen.iter().all(|seen| *seen) {
            true => Ok(()),
            false => {
                Err(Error::Malformed { offset: at, what: "an entry of the index has no record" })
            }
        }
    }

    /// The one that the trailer speaks of, which was read when the archive was opened.
    fn is_containers_record(&self, head: &Head, at: u64) -> bool {
        head.kind == RecordKind::CONTAINERS && at == 0 && self.trailer().rows > 0
    }
}

/// Whether a record says the same as its index entry; else the rule that does not hold.
fn check(head: &Head, named: &[u8], at: u64, entry: &Entry) -> Result<(), &'static str> {
    let kind = if entry.container == 0 { entry.kind.record() } else { RecordKind::REFERENCE };
    if head.kind != kind || head.encoding != entry.encoding {
        return Err("record and index differ in kind or encoding");
    }
    if named.get(head.path_len.into()..) != Some(entry.attributes()) {
        return Err("record and index differ in attributes");
    }
    if entry.is_here() && at + head.content_start() != entry.offset {
        return Err("the content does not lie behind its record's head");
    }
    let short = entry.state.has(State::SHORT) || entry.state.has(State::UNREADABLE);
    match entry.container {
        0 if head.content_len == entry.len || (short && head.content_len > entry.len) => Ok(()),
        0 => Err("record and index differ in length"),
        _ => Ok(()),
    }
}

/// Whether the content of a reference says the same as its index entry.
fn check_reference(head: &Head, content: &[u8], entry: &Entry) -> Result<(), &'static str> {
    let row = entry.container.to_be_bytes();
    let (offset, len) = (entry.offset.to_be_bytes(), entry.len.to_be_bytes());
    let same = content.len() == REFERENCE_LEN
        && (&content[..4], &content[8..16], &content[16..]) == (&row[..], &offset[..], &len[..]);
    match head.content_len == REFERENCE_LEN as u64 && same {
        true => Ok(()),
        false => Err("record and index differ in what they refer to"),
    }
}

/// A part of the plaintext, read ahead.
struct Window {
    start: u64,
    bytes: Zeroizing<Vec<u8>>,
}

impl Window {
    /// `len` bytes at `at`; fewer at the end.
    fn read<S: ReadAt>(
        &mut self,
        reader: &ArchiveReader<'_, S>,
        at: u64,
        len: usize,
    ) -> Result<&[u8]> {
        let end = (at + len as u64).min(reader.range().len());
        if at < self.start || end > self.start + self.bytes.len() as u64 {
            let ahead = (at + WINDOW_LEN.max(len as u64)).min(reader.range().len());
            self.bytes.resize((ahead - at) as usize, 0);
            reader.range().read_into(&mut self.bytes, at)?;
            self.start = at;
        }
        Ok(&self.bytes[(at - self.start) as usize..(end - self.start) as usize])
    }
}
