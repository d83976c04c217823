//! The way into an archive from its end: trailer, fence, blocks, each checked before it is used
//!

use std::ops::Range;

use bulla::{RangeReader, ReadAt};
use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::block::Block;
use crate::format::record::{HEAD_LEN, Head, Marker, RecordKind};
use crate::format::trailer::{FENCE_LEN, Fence, TRAILER_LEN, Trailer};

/// Bytes in a row of the containers record: salt, key, commitment.
const ROW_LEN: u64 = 96;
/// Other containers that an archive refers to, at most.
const MAX_ROWS: u64 = 1 << 16;

/// The plaintext of a container: all of it, or what is left.
pub(crate) trait Plaintext {
    /// Bytes in it.
    fn len(&self) -> u64;

    /// A range of it, if all of that is there.
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

/// The last 128 bytes (A-6.1, 1 and 2).
pub(crate) fn read_trailer<P: Plaintext>(plain: &P, marker: &Marker) -> Result<Trailer> {
    let malformed =
        |what| Error::Malformed { offset: plain.len().saturating_sub(TRAILER_LEN), what };
    let start =
        plain.len().checked_sub(TRAILER_LEN).ok_or(malformed("it is too short for a trailer"))?;
    let content = read_record(plain, marker, RecordKind::TRAILER, start..plain.len())?;
    let content =
        content[..].try_into().map_err(|_| malformed("the trailer is of another length"))?;
    let trailer = Trailer::from_bytes(content);
    let Trailer { notes_offset, index_offset, fence_offset, .. } = trailer;
    if notes_offset > index_offset || index_offset > fence_offset || fence_offset >= start {
        return Err(malformed("the parts that the trailer paths do not follow one another"));
    }
    // Bounded before anything is reserved for them: each has more bytes than this.
    if trailer.blocks > (start - fence_offset) / FENCE_LEN as u64 {
        return Err(malformed("there are more blocks than the fence has room for"));
    }
    if trailer.entries > (fence_offset - index_offset) / HEAD_LEN as u64 {
        return Err(malformed("there are more entries than the index has room for"));
    }
    // A row is 96 bytes long, and the record of them the first.
    if trailer.rows > MAX_ROWS {
        return Err(malformed("there are more rows of containers than there may be"));
    }
    if trailer.rows > 0 {
        let end = HEAD_LEN as u64 + trailer.rows * ROW_LEN;
        if end > notes_offset {
            return Err(malformed("there are more rows of containers than there is room for"));
        }
        read_record(plain, marker, RecordKind::CONTAINERS, 0..end)?;
    }
    Ok(trailer)
}

/// The fence (A-6.1, 3).
pub(crate) fn read_fences<P: Plaintext>(
    plain: &P,
    marker: &Marker,
    trailer: &Trailer,
) -> Result<Vec<Fence>> {
    let malformed = |what| Error::Malformed { offset: trailer.fence_offset, what };
    let end = plain.len() - TRAILER_LEN;
    let content = read_record(plain, marker, RecordKind::FENCE, trailer.fence_offset..end)?;
    let mut bytes = &content[..];
    let mut fences: Vec<Fence> = Vec::with_capacity(trailer.blocks as usize);
    let mut at = trailer.index_offset;
    while !bytes.is_empty() {
        let fence = Fence::decode(&mut bytes).ok_or(malformed("the fence is cut"))?;
        if fence.offset != at {
            return Err(malformed("a block does not lie behind the one before"));
        }
        if fences.last().is_some_and(|last| last.first >= fence.first) {
            return Err(malformed("the fence's paths do not ascend"));
        }
        at = at
            .checked_add(HEAD_LEN as u64 + u64::from(fence.content_len))
            .filter(|at| *at <= trailer.fence_offset)
            .ok_or(malformed("a block reaches behind the index"))?;
        fences.push(fence);
    }
    if at != trailer.fence_offset {
        return Err(malformed("the blocks do not fill the index"));
    }
    if fences.len() as u64 != trailer.blocks {
        return Err(malformed("there are not as many blocks as the trailer says"));
    }
    Ok(fences)
}

/// The content of a record that has neither path nor attributes, and fills its place to the byte.
pub(crate) fn read_record<P: Plaintext>(
    plain: &P,
    marker: &Marker,
    kind: RecordKind,
    place: Range<u64>,
) -> Result<Bytes> {
    let malformed = |what| Error::Malformed { offset: place.start, what };
    let bytes = plain.range(place.clone())?;
    let head = bytes.first_chunk().ok_or(malformed("a record is cut"))?;
    let head = Head::from_bytes(head, marker).ok_or(malformed("a record has no marker"))?;
    let expected = Head::plain(kind, (bytes.len() - HEAD_LEN) as u64);
    if head != expected {
        return Err(malformed("a record is of another kind or length than it has to be"));
    }
    Ok(bytes.slice(HEAD_LEN..))
}

/// One block of the index (A-6.1, 4).
pub(crate) fn read_block<P: Plaintext>(
    plain: &P,
    marker: &Marker,
    trailer: &Trailer,
    fences: &[Fence],
    number: usize,
) -> Result<Block> {
    let fence = &fences[number];
    let end = fence.offset + HEAD_LEN as u64 + u64::from(fence.content_len);
    let content = read_record(plain, marker, RecordKind::BLOCK, fence.offset..end)?;
    let next = fences.get(number + 1).map(|fence| &*fence.first);
    Block::parse(&content, fence, next, trailer)
        .map_err(|what| Error::Malformed { offset: fence.offset, what })
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

    /// What is wrong with a trailer behind `start` bytes, which begin with a record of as many rows
    /// as it says.
    fn fault(trailer: Trailer, start: usize) -> Option<&'static str> {
        let marker = Marker::new(&[7; 32]);
        let rows = Head::plain(RecordKind::CONTAINERS, trailer.rows * ROW_LEN).to_bytes(&marker);
        let mut plain = vec![0; start];
        plain[..HEAD_LEN].copy_from_slice(&rows);
        let content = trailer.to_bytes();
        plain.extend(Head::plain(RecordKind::TRAILER, content.len() as u64).to_bytes(&marker));
        plain.extend(content);
        match read_trailer(&plain, &marker) {
            Ok(read) => {
                assert_eq!(read, trailer);
                None
            }
            Err(Error::Malformed { what, .. }) => Some(what),
            Err(error) => panic!("{error}"),
        }
    }

    /// each part lies behind the one before, and says of no more things than it has
    /// room for.
    #[test]
    fn bounds_of_a_trailer() {
        // 32 + 3 * 96 bytes of rows; room for 3 entries of more than 32 bytes, and 31 fences of
        // more than 16.
        let full = Trailer {
            notes_offset: 320,
            index_offset: 400,
            fence_offset: 500,
            entries: 3,
            blocks: 31,
            rows: 3,
            ..Trailer::default()
        };
        for fits in [
            full,
            Trailer { index_offset: 320, ..full },
            Trailer { fence_offset: 400, entries: 0, ..full },
            Trailer { fence_offset: 999, blocks: 0, ..full },
            Trailer { notes_offset: 0, rows: 0, ..full },
        ] {
            assert_eq!(fault(fits, 1000), None, "{fits:?}");
        }

        let order = "the parts that the trailer paths do not follow one another";
        for (trailer, what) in [
            (Trailer { notes_offset: 401, ..full }, order),
            (Trailer { index_offset: 501, ..full }, order),
            (Trailer { fence_offset: 1000, ..full }, order),
            (Trailer { blocks: 32, ..full }, "there are more blocks than the fence has room for"),
            (Trailer { entries: 4, ..full }, "there are more entries than the index has room for"),
            (
                Trailer { notes_offset: 319, ..full },
                "there are more rows of containers than there is room for",
            ),
            (
                Trailer { rows: 4, ..full },
                "there are more rows of containers than there is room for",
            ),
        ] {
            assert_eq!(fault(trailer, 1000), Some(what), "{trailer:?}");
        }

        // the most rows that there may be, all of which have room.
        let of_rows = |rows: u64| {
            let end = 32 + rows * 96;
            let [notes_offset, index_offset, fence_offset] = [end; 3];
            let trailer =
                Trailer { notes_offset, index_offset, fence_offset, rows, ..Trailer::default() };
            fault(trailer, end as usize + 100)
        };
        assert_eq!(of_rows(65_536), None);
        assert_eq!(of_rows(65_537), Some("there are more rows of containers than there may be"));
    }
}
