//! Reads an archive's index from its end: the trailer, the fence, the blocks and the notes. Each is
//! checked before it is used.

use std::ops::Range;

use bulla::{RangeReader, ReadAt};
use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::block;
use crate::format::entry::Entry;
use crate::format::notes::{self, Note};
use crate::format::record::{HEAD_LEN, Head, Marker, RecordKind};
use crate::format::trailer::{FENCE_LEN, Fence, TRAILER_LEN, Trailer};

/// Bytes in a row of the containers record: a salt, a key and a commitment.
const ROW_LEN: u64 = 96;
/// Maximum number of rows in the containers record.
const MAX_ROWS: u64 = 1 << 16;

/// The plaintext of a container, which may be incomplete.
pub(crate) trait Plaintext {
    /// Returns the length in bytes.
    fn len(&self) -> u64;

    /// Returns the bytes in `range`, or an error if any of them is missing.
    fn range(&self, range: Range<u64>) -> Result<Bytes>;
}

impl<S: ReadAt> Plaintext for RangeReader<'_, S> {
    fn len(&self) -> u64 {
        RangeReader::len(self)
    }

    fn range(&self, range: Range<u64>) -> Result<Bytes> {
        Ok(RangeReader::range(self, range)?)
    }
}

impl<P: Plaintext> Plaintext for &P {
    fn len(&self) -> u64 {
        P::len(self)
    }

    fn range(&self, range: Range<u64>) -> Result<Bytes> {
        P::range(self, range)
    }
}

/// Reads an archive's index, and keeps the trailer and the fence in memory.
pub(crate) struct IndexReader<P> {
    plaintext: P,
    marker: Marker,
    trailer: Trailer,
    fences: Vec<Fence>,
}

impl<P: Plaintext> IndexReader<P> {
    /// Reads the trailer and the fence.
    pub(crate) fn new(plaintext: P, marker: Marker) -> Result<IndexReader<P>> {
        let trailer = read_trailer(&plaintext, &marker)?;
        let fences = read_fences(&plaintext, &marker, &trailer)?;
        Ok(IndexReader { plaintext, marker, trailer, fences })
    }

    pub(crate) fn plaintext(&self) -> &P {
        &self.plaintext
    }

    pub(crate) fn marker(&self) -> &Marker {
        &self.marker
    }

    pub(crate) fn trailer(&self) -> &Trailer {
        &self.trailer
    }

    /// Returns the number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.fences.len()
    }

    /// Returns the number of the only block that can contain `path`, or `None` if the path sorts
    /// before every entry.
    pub(crate) fn block_of(&self, path: &[u8]) -> Option<usize> {
        self.fences.partition_point(|fence| &*fence.first_path <= path).checked_sub(1)
    }

    /// Reads and checks the entries of one block (A-6.1, step 4).
    pub(crate) fn block(&self, number: usize) -> Result<Vec<Entry>> {
        let fence = &self.fences[number];
        let end = fence.offset + HEAD_LEN as u64 + u64::from(fence.content_len);
        let content = self.record(RecordKind::BLOCK, fence.offset..end)?;
        let next_path = self.fences.get(number + 1).map(|fence| &*fence.first_path);
        block::decode(&content, fence, next_path, &self.trailer)
            .map_err(|what| Error::Malformed { offset: fence.offset, what })
    }

    /// Reads the notes.
    pub(crate) fn notes(&self) -> Result<Vec<Note>> {
        let Trailer { notes_offset, index_offset, .. } = self.trailer;
        let bytes = self.record(RecordKind::NOTES, notes_offset..index_offset)?;
        notes::decode(&bytes)
            .ok_or(Error::Malformed { offset: notes_offset, what: "the notes are truncated" })
    }

    fn record(&self, kind: RecordKind, range: Range<u64>) -> Result<Bytes> {
        read_record(&self.plaintext, &self.marker, kind, range)
    }
}

/// Reads the trailer, which is in the last 128 bytes (A-6.1, steps 1 and 2).
fn read_trailer(plaintext: &impl Plaintext, marker: &Marker) -> Result<Trailer> {
    let malformed =
        |what| Error::Malformed { offset: plaintext.len().saturating_sub(TRAILER_LEN), what };
    let start = plaintext
        .len()
        .checked_sub(TRAILER_LEN)
        .ok_or(malformed("the plaintext is too short for a trailer"))?;
    let content = read_record(plaintext, marker, RecordKind::TRAILER, start..plaintext.len())?;
    let content =
        content[..].try_into().map_err(|_| malformed("the trailer has the wrong length"))?;
    let trailer = Trailer::from_bytes(content);
    let Trailer { notes_offset, index_offset, fence_offset, .. } = trailer;
    if notes_offset > index_offset || index_offset > fence_offset || fence_offset >= start {
        return Err(malformed("the offsets in the trailer are not in order"));
    }
    // The counts are checked before memory is reserved for blocks and entries. A fence is
    // longer than FENCE_LEN bytes, and an entry is longer than HEAD_LEN bytes.
    if trailer.blocks > (start - fence_offset) / FENCE_LEN as u64 {
        return Err(malformed("the fence is too short for the number of blocks"));
    }
    if trailer.entries > (fence_offset - index_offset) / HEAD_LEN as u64 {
        return Err(malformed("the index is too short for the number of entries"));
    }
    if trailer.rows > MAX_ROWS {
        return Err(malformed("the number of rows exceeds 65536"));
    }
    if trailer.rows > 0 {
        let end = HEAD_LEN as u64 + trailer.rows * ROW_LEN;
        if end > notes_offset {
            return Err(malformed("there is no space for the rows before the notes"));
        }
        read_record(plaintext, marker, RecordKind::CONTAINERS, 0..end)?;
    }
    Ok(trailer)
}

/// Reads the fence (A-6.1, step 3).
fn read_fences(
    plaintext: &impl Plaintext,
    marker: &Marker,
    trailer: &Trailer,
) -> Result<Vec<Fence>> {
    let malformed = |what| Error::Malformed { offset: trailer.fence_offset, what };
    let end = plaintext.len() - TRAILER_LEN;
    let content = read_record(plaintext, marker, RecordKind::FENCE, trailer.fence_offset..end)?;
    let mut bytes = &content[..];
    let mut fences: Vec<Fence> = Vec::with_capacity(trailer.blocks as usize);
    let mut at = trailer.index_offset;
    while !bytes.is_empty() {
        let fence = Fence::decode(&mut bytes).ok_or(malformed("the fence is truncated"))?;
        if fence.offset != at {
            return Err(malformed("a block does not start where the one before it ends"));
        }
        if fences.last().is_some_and(|last| last.first_path >= fence.first_path) {
            return Err(malformed("the paths in the fence are not in ascending order"));
        }
        at = at
            .checked_add(HEAD_LEN as u64 + u64::from(fence.content_len))
            .filter(|at| *at <= trailer.fence_offset)
            .ok_or(malformed("a block extends past the end of the index"))?;
        fences.push(fence);
    }
    if at != trailer.fence_offset {
        return Err(malformed("the blocks do not fill the index"));
    }
    if fences.len() as u64 != trailer.blocks {
        return Err(malformed("the number of blocks differs from the trailer"));
    }
    Ok(fences)
}

/// Reads the content of a record that has no path and no attributes, and that fills `range`
/// exactly.
fn read_record(
    plaintext: &impl Plaintext,
    marker: &Marker,
    kind: RecordKind,
    range: Range<u64>,
) -> Result<Bytes> {
    let malformed = |what| Error::Malformed { offset: range.start, what };
    let bytes = plaintext.range(range.clone())?;
    let head = bytes.first_chunk().ok_or(malformed("a record is truncated"))?;
    let head = Head::from_bytes(head, marker).ok_or(malformed("a record has no marker"))?;
    let expected = Head::plain(kind, (bytes.len() - HEAD_LEN) as u64);
    if head != expected {
        return Err(malformed("a record has an unexpected kind or length"));
    }
    Ok(bytes.slice(HEAD_LEN..))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Plaintext for Vec<u8> {
        fn len(&self) -> u64 {
            self.len() as u64
        }

        fn range(&self, range: Range<u64>) -> Result<Bytes> {
            Ok(Bytes::copy_from_slice(&self[range.start as usize..range.end as usize]))
        }
    }

    /// Returns the rule that `trailer` violates if it follows `start` bytes, which begin with a
    /// containers record that has the trailer's number of rows.
    fn violation(trailer: Trailer, start: usize) -> Option<&'static str> {
        let marker = Marker::new(&[7; 32]);
        let rows = Head::plain(RecordKind::CONTAINERS, trailer.rows * ROW_LEN).to_bytes(&marker);
        let mut plaintext = vec![0; start];
        plaintext[..HEAD_LEN].copy_from_slice(&rows);
        let content = trailer.to_bytes();
        plaintext.extend(Head::plain(RecordKind::TRAILER, content.len() as u64).to_bytes(&marker));
        plaintext.extend(content);
        match read_trailer(&plaintext, &marker) {
            Ok(read) => {
                assert_eq!(read, trailer);
                None
            }
            Err(Error::Malformed { what, .. }) => Some(what),
            Err(error) => panic!("{error}"),
        }
    }

    /// each section starts after the one before it, and no count exceeds what fits in
    /// its section.
    #[test]
    fn rejects_trailers_with_impossible_offsets_or_counts() {
        // The rows take up 32 + 3 * 96 bytes. There is space for 3 entries, which are longer than
        // 32 bytes, and for 31 fences, which are longer than 16 bytes.
        let full = Trailer {
            notes_offset: 320,
            index_offset: 400,
            fence_offset: 500,
            entries: 3,
            blocks: 31,
            rows: 3,
            ..Trailer::default()
        };
        for valid in [
            full,
            Trailer { index_offset: 320, ..full },
            Trailer { fence_offset: 400, entries: 0, ..full },
            Trailer { fence_offset: 999, blocks: 0, ..full },
            Trailer { notes_offset: 0, rows: 0, ..full },
        ] {
            assert_eq!(violation(valid, 1000), None, "{valid:?}");
        }

        let order = "the offsets in the trailer are not in order";
        for (trailer, what) in [
            (Trailer { notes_offset: 401, ..full }, order),
            (Trailer { index_offset: 501, ..full }, order),
            (Trailer { fence_offset: 1000, ..full }, order),
            (Trailer { blocks: 32, ..full }, "the fence is too short for the number of blocks"),
            (Trailer { entries: 4, ..full }, "the index is too short for the number of entries"),
            (
                Trailer { notes_offset: 319, ..full },
                "there is no space for the rows before the notes",
            ),
            (Trailer { rows: 4, ..full }, "there is no space for the rows before the notes"),
        ] {
            assert_eq!(violation(trailer, 1000), Some(what), "{trailer:?}");
        }

        // the maximum number of rows, and one more row. Both fit before the notes.
        let with_rows = |rows: u64| {
            let end = 32 + rows * 96;
            let [notes_offset, index_offset, fence_offset] = [end; 3];
            let trailer =
                Trailer { notes_offset, index_offset, fence_offset, rows, ..Trailer::default() };
            violation(trailer, end as usize + 100)
        };
        assert_eq!(with_rows(65_536), None);
        assert_eq!(with_rows(65_537), Some("the number of rows exceeds 65536"));
    }
}
