//! Reads archives as section 6 says, each step with its checks in the order in which they stand
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::fault::{Fault, hold};
use super::fields::{Fields, is_name, parse_attributes, permissions, time};
use super::{
    ATTRIBUTES_MAX, CONTENT, HEAD_LEN, NAME_MAX, ROW_LEN, Row, TRAILER_LEN, kind, state, tag,
};
use crate::reference;

/// An entry as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1 file or reference, 2 directory, 3 symbolic link.
    pub kind: u8,
    /// As in the record.
    pub encoding: u8,
    /// Bits 0 to 3 of.
    pub state: u16,
    /// 0, or a row.
    pub container: u32,
    /// Of the content's first byte in that container's plaintext.
    pub offset: u64,
    /// Bytes of content.
    pub len: u64,
    /// The name.
    pub name: Vec<u8>,
    /// The attributes, as they stand.
    pub attributes: Vec<u8>,
    /// Seconds and nanoseconds.
    pub modified: Option<(i64, u32)>,
    /// Unix permissions.
    pub mode: Option<u32>,
    /// Of a symbolic link.
    pub target: Option<Vec<u8>>,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Bits 0 to 4.
    pub state: u16,
    /// Bytes that were found.
    pub found: u64,
    /// The name, which need not be one of.
    pub name: Vec<u8>,
}

struct Head {
    kind: u8,
    encoding: u8,
    name: Vec<u8>,
    attributes: Vec<u8>,
    content: Range<u64>,
}

struct Block {
    record: Range<u64>,
    first: Vec<u8>,
}

/// An archive that was opened.
pub struct Archive<'c> {
    container: &'c [u8],
    key: &'c [u8; 32],
    context: Option<&'c [u8]>,
    marker: [u8; 16],
    len: u64,
    notes_offset: u64,
    index_offset: u64,
    entries: u64,
    rows: u64,
    len_sum: u64,
    blocks: Vec<Block>,
}

impl<'c> Archive<'c> {
    /// 1 to 3.
    pub fn open(
        container: &'c [u8],
        key: &'c [u8; 32],
        context: Option<&'c [u8]>,
    ) -> Result<Archive<'c>, Fault> {
        reference::open_range(container, key, context, 0..0)?; // the key, and the length
        let found = reference::look(container, true)?;
        if found.copy[13] != CONTENT {
            return Err(Fault::NotAnArchive);
        }
        let keys = reference::schedule(key, &reference::bound(&found.copy), context);
        let marker = super::marker(&keys.exporter);
        let (len, notes_offset, index_offset) = (found.geometry.plaintext_len(), 0, 0);
        let (entries, rows, len_sum, blocks) = (0, 0, 0, Vec::new());
        let mut archive = Archive {
            container,
            key,
            context,
            marker,
            len,
            notes_offset,
            index_offset,
            entries,
            rows,
            len_sum,
            blocks,
        };

        hold(len >= TRAILER_LEN, 0, "no room for a trailer")?;
        let end = len - TRAILER_LEN;
        let trailer = archive.filled(kind::TRAILER, end..len)?;
        let mut fields = Fields::new(&trailer, end + HEAD_LEN);
        archive.notes_offset = fields.number(8)?;
        archive.index_offset = fields.number(8)?;
        let fence_offset = fields.number(8)?;
        archive.entries = fields.number(8)?;
        let block_count = fields.number(8)?;
        archive.rows = fields.number(8)?;
        archive.len_sum = fields.number(8)?;

        let ascend =
            archive.notes_offset <= archive.index_offset && archive.index_offset <= fence_offset;
        hold(ascend && fence_offset < end, end, "the trailer's offsets")?;
        let fence = archive.filled(kind::FENCE, fence_offset..end)?;
        let mut fields = Fields::new(&fence, fence_offset + HEAD_LEN);
        let mut next = archive.index_offset;
        while !fields.is_empty() {
            let at = fields.offset();
            let (offset, content_len) = (fields.number(8)?, fields.number(4)?);
            let (name_len, _zero) = (fields.number(2)?, fields.number(2)?);
            let first = fields.take(name_len as usize)?.to_vec();
            hold(offset == next, at, "a block is not behind the one before")?;
            next += HEAD_LEN + content_len;
            let ascends = archive.blocks.last().is_none_or(|before: &Block| before.first < first);
            hold(ascends, at, "the fence's names do not ascend")?;
            archive.blocks.push(Block { record: offset..next, first });
        }
        hold(next == fence_offset, fence_offset, "the last block does not end at the fence")?;
        hold(archive.blocks.len() as u64 == block_count, end, "the number of blocks")?;
        Ok(archive)
    }

    /// all of the index, each block as, 4 says.
    pub fn list(&self) -> Result<Vec<Entry>, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            let bytes = self.filled(kind::BLOCK, block.record.clone())?;
            let mut fields = Fields::new(&bytes, block.record.start + HEAD_LEN);
            let before = entries.len();
            while !fields.is_empty() {
                let at = fields.offset();
                let entry = self.entry(&mut fields)?;
                let ascends = entries.last().is_none_or(|before| before.name < entry.name);
                hold(ascends, at, "names do not ascend")?;
                entries.push(entry);
            }
            let begins = entries.get(before).is_some_and(|first| first.name == block.first);
            hold(begins, block.record.start, "a block does not begin with the fence's name")?;
            if let (Some(last), Some(next)) = (entries.last(), self.blocks.get(i + 1)) {
                hold(last.name < next.first, block.record.start, "a name of the next block")?;
            }
        }
        hold(entries.len() as u64 == self.entries, self.index_offset, "the number of entries")?;
        let sum = entries.iter().try_fold(0u64, |sum, entry| sum.checked_add(entry.len));
        hold(sum == Some(self.len_sum), self.index_offset, "the sum of the lengths")?;
        self.no_file_is_a_parent(&entries)?;
        self.contents_are_identical_or_disjoint(&entries)?;
        Ok(entries)
    }

    ///
    fn no_file_is_a_parent(&self, entries: &[Entry]) -> Result<(), Fault> {
        let leaves: BTreeSet<_> = entries
            .iter()
            .filter(|entry| entry.kind != kind::DIRECTORY)
            .map(|entry| &entry.name[..])
            .collect();
        for name in entries.iter().map(|entry| &entry.name) {
            let mut parents = (0..name.len()).filter(|&at| name[at] == b'/').map(|at| &name[..at]);
            hold(
                !parents.any(|parent| leaves.contains(parent)),
                self.index_offset,
                "a file is a parent",
            )?;
        }
        Ok(())
    }

    ///
    fn contents_are_identical_or_disjoint(&self, entries: &[Entry]) -> Result<(), Fault> {
        let own = entries.iter().filter(|entry| entry.container == 0 && entry.len > 0);
        let ranges: BTreeSet<_> =
            own.map(|entry| (entry.offset, entry.offset + entry.len)).collect();
        let mut end = 0;
        for range in ranges {
            hold(end <= range.0, range.0, "contents overlap")?;
            end = range.1;
        }
        Ok(())
    }

    /// One index entry, and what, 4 says of it alone.
    fn entry(&self, fields: &mut Fields<'_>) -> Result<Entry, Fault> {
        let at = fields.offset();
        let (kind, encoding) = (fields.number(1)? as u8, fields.number(1)? as u8);
        let (state, name_len) = (fields.number(2)? as u16, fields.number(2)? as usize);
        let (_zero, attr_len) = (fields.number(2)?, fields.number(4)? as usize);
        let container = fields.number(4)? as u32;
        let (offset, len) = (fields.number(8)?, fields.number(8)?);
        let name = fields.take(name_len)?.to_vec();
        let attributes = fields.take(attr_len)?.to_vec();

        hold(
            matches!(kind, kind::FILE | kind::DIRECTORY | kind::LINK),
            at,
            "kind of an index entry",
        )?;
        hold(is_name(&name), at, "a name")?;
        hold(attr_len <= ATTRIBUTES_MAX, at, "attributes are too long")?;
        if kind != kind::FILE {
            hold((container, offset, len) == (0, 0, 0), at, "a directory or link with content")?;
        }
        if container == 0 {
            let end = offset.checked_add(len);
            hold(
                end.is_some_and(|end| end <= self.notes_offset),
                at,
                "a content behind the notes",
            )?;
        }
        hold(u64::from(container) <= self.rows, at, "no such row")?;

        let mut known = parse_attributes(&attributes, at)?;
        let modified = known.remove(&tag::MODIFIED).map(|value| time(&value, at)).transpose()?;
        let mode = known.remove(&tag::MODE).map(|value| permissions(&value, at)).transpose()?;
        let target = known.remove(&tag::TARGET);
        hold(target.is_some() == (kind == kind::LINK), at, "a target is a link's")?;
        let good =
            |target: &Vec<u8>| (1..=NAME_MAX).contains(&target.len()) && !target.contains(&0);
        hold(target.as_ref().is_none_or(good), at, "a target")?;
        let state = state & 0xF;
        Ok(Entry {
            kind,
            encoding,
            state,
            container,
            offset,
            len,
            name,
            attributes,
            modified,
            mode,
            target,
        })
    }

    /// The content of a file, in one of `others` if it is a reference: the containers of the rows,
    /// in their order.
    ///
    /// # Panics
    ///
    /// If the entry is no file, or `others` has no container for its row.
    pub fn content(&self, entry: &Entry, others: &[Vec<u8>]) -> Result<Vec<u8>, Fault> {
        assert_eq!(entry.kind, kind::FILE, "only files have content");
        if entry.encoding != 0 {
            return Err(Fault::Unsupported);
        }
        let range = entry.offset..entry.offset.saturating_add(entry.len);
        if entry.container == 0 {
            return self.bytes(range);
        }
        let number = entry.container as usize - 1; // rows are numbered from 1
        let row = self.rows()?.swap_remove(number);
        let other = &others[number];
        let copy = reference::look(other, true)?.copy;
        if copy[32..96] != [row.salt, row.commitment].concat() {
            return Err(Fault::WrongContainer);
        }
        let content = reference::open_range(other, &row.key, None, range)?;
        content
            .ok_or(Fault::Malformed { at: 0, what: "a reference beyond the other container's end" })
    }

    ///
    pub fn rows(&self) -> Result<Vec<Row>, Fault> {
        if self.rows == 0 {
            return Ok(Vec::new());
        }
        let end = HEAD_LEN + self.rows.min(1 << 32) * ROW_LEN;
        hold(self.rows <= 1 << 16 && end <= self.notes_offset, 0, "the number of rows")?;
        let bytes = self.filled(kind::CONTAINERS, 0..end)?;
        let part = |row: &[u8], i: usize| row[32 * i..][..32].try_into().expect("32 bytes of 96");
        let row =
            |row: &[u8]| Row { salt: part(row, 0), key: part(row, 1), commitment: part(row, 2) };
        Ok(bytes.chunks(ROW_LEN as usize).map(row).collect())
    }

    ///
    pub fn notes(&self) -> Result<Vec<Noted>, Fault> {
        let bytes = self.filled(kind::NOTES, self.notes_offset..self.index_offset)?;
        let mut fields = Fields::new(&bytes, self.notes_offset + HEAD_LEN);
        let mut notes = Vec::new();
        while !fields.is_empty() {
            let (state, name_len) = (fields.number(2)? as u16 & 0x1F, fields.number(2)? as usize);
            let (_zero, found) = (fields.number(4)?, fields.number(8)?);
            notes.push(Noted { state, found, name: fields.take(name_len)?.to_vec() });
        }
        Ok(notes)
    }

    ///
    pub fn verify(&self) -> Result<(), Fault> {
        reference::open_positional(self.container, self.key, self.context)?;
        let entries = self.list()?;
        self.rows()?;
        self.notes()?;
        let mut without: BTreeMap<_, _> =
            entries.iter().map(|entry| (&entry.name[..], entry)).collect();
        let mut at = if self.rows == 0 { 0 } else { HEAD_LEN + ROW_LEN * self.rows };
        while at < self.notes_offset {
            let head = self.head(at, self.notes_offset)?;
            match head.kind {
                kind::FILE..=kind::REFERENCE => {
                    let entry = without.remove(&head.name[..]);
                    hold(entry.is_some(), at, "a record without an index entry, or a second one")?;
                    entry.map_or(Ok(()), |entry| self.compare(at, &head, entry))?;
                }
                kind::CONTAINERS..=kind::TRAILER => {
                    return Err(Fault::Malformed { at, what: "such a record has its own place" });
                }
                kind::PADDING.. => {}
                _ => return Err(Fault::Unsupported),
            }
            at = head.content.end;
        }
        hold(without.is_empty(), self.notes_offset, "an index entry without a record")
    }

    /// a record and its index entry.
    fn compare(&self, at: u64, head: &Head, entry: &Entry) -> Result<(), Fault> {
        let len = head.content.end - head.content.start;
        let same = (head.encoding, &head.attributes) == (entry.encoding, &entry.attributes);
        hold(same, at, "encoding and attributes of record and index entry")?;
        if entry.container != 0 {
            hold(head.kind == kind::REFERENCE && len == 24, at, "kind and length of a reference")?;
            let bytes = self.bytes(head.content.clone())?;
            let mut fields = Fields::new(&bytes, head.content.start);
            let (row, _zero) = (fields.number(4)? as u32, fields.number(4)?);
            let named = (row, fields.number(8)?, fields.number(8)?);
            return hold(
                named == (entry.container, entry.offset, entry.len),
                at,
                "what a reference names",
            );
        }
        hold(head.kind == entry.kind, at, "kind of record and index entry")?;
        let begins = entry.kind != kind::FILE || head.content.start == entry.offset;
        hold(begins, at, "where a content begins")?;
        let filled = entry.state & (state::SHORT | state::UNREADABLE) != 0;
        hold(len == entry.len || filled && len > entry.len, at, "length of record and index entry")
    }

    /// Bytes of the plaintext that are known to be within it.
    fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Fault> {
        let bytes = reference::open_range(self.container, self.key, self.context, range)?;
        Ok(bytes.expect("the range is within the plaintext"))
    }

    /// A record's head with name and attributes, and where its content lies; it ends at `limit` or
    /// before.
    fn head(&self, at: u64, limit: u64) -> Result<Head, Fault> {
        hold(
            at.checked_add(HEAD_LEN).is_some_and(|end| end <= limit),
            at,
            "a record's head is cut",
        )?;
        let bytes = self.bytes(at..at + HEAD_LEN)?;
        hold(bytes[..16] == self.marker, at, "a record's marker")?;
        let mut fields = Fields::new(&bytes[16..], at + 16);
        let (kind, encoding) = (fields.number(1)? as u8, fields.number(1)? as u8);
        let (name_len, attr_len, content_len) =
            (fields.number(2)?, fields.number(4)?, fields.number(8)?);
        let name = at + HEAD_LEN..at + HEAD_LEN + name_len;
        let attributes = name.end..name.end + attr_len;
        let end = attributes.end.checked_add(content_len).filter(|end| *end <= limit);
        hold(end.is_some(), at, "a record is too long")?;
        let bare = (encoding, name_len, attr_len) == (0, 0, 0);
        hold(
            bare || !matches!(kind, kind::CONTAINERS..=kind::TRAILER | kind::PADDING),
            at,
            "a record's head",
        )?;
        let content = attributes.end..end.unwrap_or(attributes.end);
        Ok(Head {
            kind,
            encoding,
            name: self.bytes(name)?,
            attributes: self.bytes(attributes)?,
            content,
        })
    }

    /// The content of a record that has its own place.
    fn filled(&self, kind: u8, record: Range<u64>) -> Result<Vec<u8>, Fault> {
        let head = self.head(record.start, record.end)?;
        hold(head.kind == kind, record.start, "kind of a record")?;
        hold(head.content.end == record.end, record.start, "a record is too short")?;
        self.bytes(head.content)
    }

    /// Bytes in the plaintext.
    pub fn plaintext_len(&self) -> u64 {
        self.len
    }
}
