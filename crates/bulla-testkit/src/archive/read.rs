//! Reads archives. Each step performs its checks in the order that section 6 gives.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::build::Row;
use super::error::{ArchiveError, ensure};
use super::fields::{Fields, is_name, parse_attributes, parse_mode, parse_modified};
use super::format::{
    ATTRIBUTES_MAX, CONTENT, HEAD_LEN, NAME_MAX, ROW_LEN, TRAILER_LEN, kind, marker, state, tag,
};
use crate::reference;

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceEntry {
    /// 1 for a file or reference, 2 for a directory, 3 for a symbolic link.
    pub kind: u8,
    /// The encoding, which is the same as in the record.
    pub encoding: u8,
    /// Bits 0 to 3 of the state.
    pub state: u16,
    /// The row of the container that holds the content, or 0 for this container.
    pub container: u32,
    /// The offset of the content in the plaintext of that container.
    pub offset: u64,
    /// The length of the content in bytes.
    pub len: u64,
    /// The name.
    pub name: Vec<u8>,
    /// The encoded attributes.
    pub attributes: Vec<u8>,
    /// The *modified* attribute, as seconds and nanoseconds.
    pub modified: Option<(i64, u32)>,
    /// The Unix permissions.
    pub mode: Option<u32>,
    /// The target of a symbolic link.
    pub target: Option<Vec<u8>>,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceNote {
    /// Bits 0 to 4 of the state.
    pub state: u16,
    /// The number of bytes that the source provided.
    pub found: u64,
    /// The name, which does not restrict.
    pub name: Vec<u8>,
}

/// A record's head, name and attributes, and the location of its content.
struct Head {
    kind: u8,
    encoding: u8,
    name: Vec<u8>,
    attributes: Vec<u8>,
    content: Range<u64>,
}

/// The location of a block and the name of its first entry.
struct Block {
    record: Range<u64>,
    first: Vec<u8>,
}

/// An open archive.
pub struct ReferenceArchive<'c> {
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

impl<'c> ReferenceArchive<'c> {
    /// Opens an archive (A-6.1, 1 to 3).
    pub fn open(
        container: &'c [u8],
        key: &'c [u8; 32],
        context: Option<&'c [u8]>,
    ) -> Result<ReferenceArchive<'c>, ArchiveError> {
        reference::open_range(container, key, context, 0..0)?; // authenticates the length
        let found = reference::inspect(container, true)?;
        if found.header[13] != CONTENT {
            return Err(ArchiveError::NotAnArchive);
        }
        let keys = reference::schedule(key, &reference::bound(&found.header), context);
        let marker = marker(&keys.exporter);
        let (len, notes_offset, index_offset) = (found.geometry.plaintext_len(), 0, 0);
        let (entries, rows, len_sum, blocks) = (0, 0, 0, Vec::new());
        let mut archive = ReferenceArchive {
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

        ensure(len >= TRAILER_LEN, 0, "too short for a trailer")?;
        let end = len - TRAILER_LEN;
        let trailer = archive.record_content(kind::TRAILER, end..len)?;
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
        ensure(ascend && fence_offset < end, end, "offsets in the trailer are not in order")?;
        let fence = archive.record_content(kind::FENCE, fence_offset..end)?;
        let mut fields = Fields::new(&fence, fence_offset + HEAD_LEN);
        let mut next = archive.index_offset;
        while !fields.is_empty() {
            let at = fields.offset();
            let (offset, content_len) = (fields.number(8)?, fields.number(4)?);
            let (name_len, _zero) = (fields.number(2)?, fields.number(2)?);
            let first = fields.take(name_len as usize)?.to_vec();
            ensure(offset == next, at, "blocks are not contiguous")?;
            next += HEAD_LEN + content_len;
            let ascends = archive.blocks.last().is_none_or(|before: &Block| before.first < first);
            ensure(ascends, at, "names in the fence are not in ascending order")?;
            archive.blocks.push(Block { record: offset..next, first });
        }
        ensure(next == fence_offset, fence_offset, "the last block does not end at the fence")?;
        ensure(archive.blocks.len() as u64 == block_count, end, "wrong number of blocks")?;
        Ok(archive)
    }

    /// Lists all entries, checking each block (A-6.1, 4).
    pub fn list(&self) -> Result<Vec<ReferenceEntry>, ArchiveError> {
        let mut entries: Vec<ReferenceEntry> = Vec::new();
        for (i, block) in self.blocks.iter().enumerate() {
            let bytes = self.record_content(kind::BLOCK, block.record.clone())?;
            let mut fields = Fields::new(&bytes, block.record.start + HEAD_LEN);
            let before = entries.len();
            while !fields.is_empty() {
                let at = fields.offset();
                let entry = self.entry(&mut fields)?;
                let ascends = entries.last().is_none_or(|before| before.name < entry.name);
                ensure(ascends, at, "names in a block are not in ascending order")?;
                entries.push(entry);
            }
            let begins = entries.get(before).is_some_and(|first| first.name == block.first);
            ensure(
                begins,
                block.record.start,
                "a block does not start with the name in the fence",
            )?;
            if let (Some(last), Some(next)) = (entries.last(), self.blocks.get(i + 1)) {
                ensure(
                    last.name < next.first,
                    block.record.start,
                    "a name belongs to the next block",
                )?;
            }
        }
        ensure(entries.len() as u64 == self.entries, self.index_offset, "wrong number of entries")?;
        let sum = entries.iter().try_fold(0u64, |sum, entry| sum.checked_add(entry.len));
        ensure(sum == Some(self.len_sum), self.index_offset, "wrong sum of the lengths")?;
        self.check_parents(&entries)?;
        self.check_overlaps(&entries)?;
        Ok(entries)
    }

    /// Checks that only directories are parents.
    fn check_parents(&self, entries: &[ReferenceEntry]) -> Result<(), ArchiveError> {
        let leaves: BTreeSet<_> = entries
            .iter()
            .filter(|entry| entry.kind != kind::DIRECTORY)
            .map(|entry| &entry.name[..])
            .collect();
        for name in entries.iter().map(|entry| &entry.name) {
            let mut parents = (0..name.len()).filter(|&at| name[at] == b'/').map(|at| &name[..at]);
            ensure(
                !parents.any(|parent| leaves.contains(parent)),
                self.index_offset,
                "a parent is not a directory",
            )?;
        }
        Ok(())
    }

    /// Checks that contents are identical or disjoint.
    fn check_overlaps(&self, entries: &[ReferenceEntry]) -> Result<(), ArchiveError> {
        let own = entries.iter().filter(|entry| entry.container == 0 && entry.len > 0);
        let ranges: BTreeSet<_> =
            own.map(|entry| (entry.offset, entry.offset + entry.len)).collect();
        let mut end = 0;
        for range in ranges {
            ensure(end <= range.0, range.0, "contents overlap")?;
            end = range.1;
        }
        Ok(())
    }

    /// Decodes one index entry and performs the checks of, 4 that concern it alone.
    fn entry(&self, fields: &mut Fields<'_>) -> Result<ReferenceEntry, ArchiveError> {
        let at = fields.offset();
        let (kind, encoding) = (fields.number(1)? as u8, fields.number(1)? as u8);
        let (state, name_len) = (fields.number(2)? as u16, fields.number(2)? as usize);
        let (_zero, attr_len) = (fields.number(2)?, fields.number(4)? as usize);
        let container = fields.number(4)? as u32;
        let (offset, len) = (fields.number(8)?, fields.number(8)?);
        let name = fields.take(name_len)?.to_vec();
        let attributes = fields.take(attr_len)?.to_vec();

        ensure(
            matches!(kind, kind::FILE | kind::DIRECTORY | kind::LINK),
            at,
            "invalid kind of an index entry",
        )?;
        ensure(is_name(&name), at, "invalid name of an entry")?;
        ensure(attr_len <= ATTRIBUTES_MAX, at, "attributes are too long")?;
        if kind != kind::FILE {
            ensure((container, offset, len) == (0, 0, 0), at, "a directory or link has content")?;
        }
        if container == 0 {
            let end = offset.checked_add(len);
            ensure(
                end.is_some_and(|end| end <= self.notes_offset),
                at,
                "content ends after notes_offset",
            )?;
        }
        ensure(u64::from(container) <= self.rows, at, "row out of range")?;

        let mut known = parse_attributes(&attributes, at)?;
        let modified =
            known.remove(&tag::MODIFIED).map(|value| parse_modified(&value, at)).transpose()?;
        let mode = known.remove(&tag::MODE).map(|value| parse_mode(&value, at)).transpose()?;
        let target = known.remove(&tag::TARGET);
        ensure(
            target.is_some() == (kind == kind::LINK),
            at,
            "a link has no target, or another entry has one",
        )?;
        let good =
            |target: &Vec<u8>| (1..=NAME_MAX).contains(&target.len()) && !target.contains(&0);
        ensure(target.as_ref().is_none_or(good), at, "invalid target of a link")?;
        let state = state & 0xF;
        Ok(ReferenceEntry {
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

    /// Reads the content of a file. To resolve references, `others` holds the containers that the
    /// rows name, in row order.
    ///
    /// # Panics
    /// If the entry is not a file, or `others` has no container for its row.
    pub fn content(
        &self,
        entry: &ReferenceEntry,
        others: &[Vec<u8>],
    ) -> Result<Vec<u8>, ArchiveError> {
        assert_eq!(entry.kind, kind::FILE, "only files have content");
        if entry.encoding != 0 {
            return Err(ArchiveError::Unsupported);
        }
        let range = entry.offset..entry.offset.saturating_add(entry.len);
        if entry.container == 0 {
            return self.bytes(range);
        }
        let number = entry.container as usize - 1; // rows are numbered from 1
        let row = self.rows()?.swap_remove(number);
        let other = &others[number];
        let copy = reference::inspect(other, true)?.header;
        if copy[32..96] != [row.salt, row.commitment].concat() {
            return Err(ArchiveError::WrongContainer);
        }
        let content = reference::open_range(other, &row.key, None, range)?;
        content.ok_or(ArchiveError::Malformed {
            at: 0,
            what: "a reference exceeds the plaintext of its container",
        })
    }

    /// Reads the rows of the containers record.
    pub fn rows(&self) -> Result<Vec<Row>, ArchiveError> {
        if self.rows == 0 {
            return Ok(Vec::new());
        }
        let end = HEAD_LEN + self.rows.min(1 << 32) * ROW_LEN;
        ensure(self.rows <= 1 << 16 && end <= self.notes_offset, 0, "wrong number of rows")?;
        let bytes = self.record_content(kind::CONTAINERS, 0..end)?;
        let part = |row: &[u8], i: usize| row[32 * i..][..32].try_into().expect("32 bytes of 96");
        let row =
            |row: &[u8]| Row { salt: part(row, 0), key: part(row, 1), commitment: part(row, 2) };
        Ok(bytes.chunks(ROW_LEN as usize).map(row).collect())
    }

    /// Reads the notes.
    pub fn notes(&self) -> Result<Vec<ReferenceNote>, ArchiveError> {
        let bytes = self.record_content(kind::NOTES, self.notes_offset..self.index_offset)?;
        let mut fields = Fields::new(&bytes, self.notes_offset + HEAD_LEN);
        let mut notes = Vec::new();
        while !fields.is_empty() {
            let (state, name_len) = (fields.number(2)? as u16 & 0x1F, fields.number(2)? as usize);
            let (_zero, found) = (fields.number(4)?, fields.number(8)?);
            notes.push(ReferenceNote { state, found, name: fields.take(name_len)?.to_vec() });
        }
        Ok(notes)
    }

    /// Verifies the whole archive.
    pub fn verify(&self) -> Result<(), ArchiveError> {
        reference::open_positional(self.container, self.key, self.context)?;
        let entries = self.list()?;
        self.rows()?;
        self.notes()?;
        let mut unmatched: BTreeMap<_, _> =
            entries.iter().map(|entry| (&entry.name[..], entry)).collect();
        let mut at = if self.rows == 0 { 0 } else { HEAD_LEN + ROW_LEN * self.rows };
        while at < self.notes_offset {
            let head = self.head(at, self.notes_offset)?;
            match head.kind {
                kind::FILE..=kind::REFERENCE => {
                    let entry = unmatched.remove(&head.name[..]);
                    ensure(
                        entry.is_some(),
                        at,
                        "a record has no index entry, or a second record has the same name",
                    )?;
                    entry.map_or(Ok(()), |entry| self.compare(at, &head, entry))?;
                }
                kind::CONTAINERS..=kind::TRAILER => {
                    return Err(ArchiveError::Malformed {
                        at,
                        what: "a record of this kind is not allowed among the entries",
                    });
                }
                kind::PADDING.. => {}
                _ => return Err(ArchiveError::Unsupported),
            }
            at = head.content.end;
        }
        ensure(unmatched.is_empty(), self.notes_offset, "an index entry has no record")
    }

    /// Compares a record with its index entry.
    fn compare(&self, at: u64, head: &Head, entry: &ReferenceEntry) -> Result<(), ArchiveError> {
        let len = head.content.end - head.content.start;
        let same = (head.encoding, &head.attributes) == (entry.encoding, &entry.attributes);
        ensure(same, at, "encoding or attributes differ between record and index entry")?;
        if entry.container != 0 {
            ensure(
                head.kind == kind::REFERENCE && len == 24,
                at,
                "wrong kind or length of a reference record",
            )?;
            let bytes = self.bytes(head.content.clone())?;
            let mut fields = Fields::new(&bytes, head.content.start);
            let (row, _zero) = (fields.number(4)? as u32, fields.number(4)?);
            let named = (row, fields.number(8)?, fields.number(8)?);
            return ensure(
                named == (entry.container, entry.offset, entry.len),
                at,
                "row, offset or length differs between reference record and index entry",
            );
        }
        ensure(head.kind == entry.kind, at, "kind differs between record and index entry")?;
        let begins = entry.kind != kind::FILE || head.content.start == entry.offset;
        ensure(begins, at, "content offset differs between record and index entry")?;
        let padded = entry.state & (state::SHORT | state::UNREADABLE) != 0;
        ensure(
            len == entry.len || padded && len > entry.len,
            at,
            "length differs between record and index entry",
        )
    }

    /// Reads a range that is known to be within the plaintext.
    fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, ArchiveError> {
        let bytes = reference::open_range(self.container, self.key, self.context, range)?;
        Ok(bytes.expect("the range is within the plaintext"))
    }

    /// Reads the head of a record that must end at or before `limit`.
    fn head(&self, at: u64, limit: u64) -> Result<Head, ArchiveError> {
        ensure(
            at.checked_add(HEAD_LEN).is_some_and(|end| end <= limit),
            at,
            "the head of a record is truncated",
        )?;
        let bytes = self.bytes(at..at + HEAD_LEN)?;
        ensure(bytes[..16] == self.marker, at, "wrong marker of a record")?;
        let mut fields = Fields::new(&bytes[16..], at + 16);
        let (kind, encoding) = (fields.number(1)? as u8, fields.number(1)? as u8);
        let (name_len, attr_len, content_len) =
            (fields.number(2)?, fields.number(4)?, fields.number(8)?);
        let name = at + HEAD_LEN..at + HEAD_LEN + name_len;
        let attributes = name.end..name.end + attr_len;
        let end = attributes.end.checked_add(content_len).filter(|end| *end <= limit);
        ensure(end.is_some(), at, "a record exceeds its section")?;
        let bare = (encoding, name_len, attr_len) == (0, 0, 0);
        ensure(
            bare || !matches!(kind, kind::CONTAINERS..=kind::TRAILER | kind::PADDING),
            at,
            "a record of this kind has an encoding, name or attributes",
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

    /// Reads the content of a record that must have this kind and span exactly this range.
    fn record_content(&self, kind: u8, record: Range<u64>) -> Result<Vec<u8>, ArchiveError> {
        let head = self.head(record.start, record.end)?;
        ensure(head.kind == kind, record.start, "wrong kind of a record")?;
        ensure(head.content.end == record.end, record.start, "a record ends before its section")?;
        self.bytes(head.content)
    }

    /// Returns the plaintext length in bytes.
    pub fn plaintext_len(&self) -> u64 {
        self.len
    }
}
