//! Reads the content of one entry, or of many in parallel.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use bulla::{RangeReader, ReadAt};
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::format::entry::Entry;

/// Bytes to read ahead in sequential reads.
const BUFFER_LEN: u64 = 1 << 20;

/// The content of one entry.
///
/// It can be read at any offset with [`ReadAt`] and [`range`](EntryContent::range), which do not
/// buffer, or from the start with [`Read`] and [`BufRead`], which buffer up to 1 MiB.
pub struct EntryContent<'r, 'a, S: ReadAt> {
    range: &'r RangeReader<'a, S>,
    /// Offset of the content in the plaintext.
    offset: u64,
    len: u64,
    /// Offset of the buffer's end in the content.
    position: u64,
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of the buffer that have been read.
    consumed: usize,
}

impl<'r, 'a, S: ReadAt> EntryContent<'r, 'a, S> {
    pub(crate) fn new(
        range: &'r RangeReader<'a, S>,
        offset: u64,
        len: u64,
    ) -> EntryContent<'r, 'a, S> {
        EntryContent { range, offset, len, position: 0, buffer: Zeroizing::default(), consumed: 0 }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether the content is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads a range of the content on all workers.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`RangeReader::range`], except that [`bulla::Error::OutOfRange`]
    /// contains the length of this content.
    pub fn range(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.len {
            return Err(bulla::Error::OutOfRange { len: self.len }.into());
        }
        Ok(self.range.range(self.offset + range.start..self.offset + range.end)?)
    }
}

impl<S: ReadAt> ReadAt for EntryContent<'_, '_, S> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let available = self.len.saturating_sub(offset);
        let read = usize::try_from(available).map_or(buf.len(), |len| len.min(buf.len()));
        if read > 0 {
            self.range.read_into(&mut buf[..read], self.offset + offset)?;
        }
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len)
    }
}

impl<S: ReadAt> Read for EntryContent<'_, '_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let unread = self.fill_buf()?;
        let read = unread.len().min(buf.len());
        buf[..read].copy_from_slice(&unread[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<S: ReadAt> BufRead for EntryContent<'_, '_, S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed == self.buffer.len() {
            let len = (self.len - self.position).min(BUFFER_LEN);
            self.buffer.resize(len as usize, 0);
            self.range.read_into(&mut self.buffer, self.offset + self.position)?;
            (self.position, self.consumed) = (self.position + len, 0);
        }
        Ok(&self.buffer[self.consumed..])
    }

    fn consume(&mut self, amount: usize) {
        self.consumed = (self.consumed + amount).min(self.buffer.len());
    }
}

/// Reads the contents of `entries`; see
/// [`ArchiveReader::read_all`](crate::ArchiveReader::read_all).
pub(crate) fn read_all<S: ReadAt>(
    range: &RangeReader<'_, S>,
    entries: &[Entry],
    visit: impl Fn(usize, u64, &[u8]) -> io::Result<()> + Sync,
) -> Result<()> {
    let mut order: Vec<usize> = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        entry.check_readable()?;
        if entry.len > 0 {
            order.push(number);
        }
    }
    order.sort_unstable_by_key(|number| (entries[*number].offset, entries[*number].len));
    // Reading a gap of up to one chunk between two contents costs less than a separate read.
    let max_gap = range.opened().header.chunk_size().bytes() as u64;
    let ranges = merged_ranges(order.iter().map(|number| &entries[*number]), max_gap)?;

    let end = |entry: &Entry| entry.offset + entry.len;
    let visit_extent = |extent_start: u64, bytes: &[u8]| {
        let extent_end = extent_start + bytes.len() as u64;
        // Contents are identical or disjoint, so their ends are in ascending order too.
        let first = order.partition_point(|number| end(&entries[*number]) <= extent_start);
        for number in &order[first..] {
            let entry = &entries[*number];
            if entry.offset >= extent_end {
                break;
            }
            let (from, to) = (entry.offset.max(extent_start), end(entry).min(extent_end));
            let piece = &bytes[(from - extent_start) as usize..(to - extent_start) as usize];
            visit(*number, from - entry.offset, piece)?;
        }
        Ok(())
    };
    Ok(range.for_each_extent(&ranges, visit_extent)?)
}

/// Returns the content ranges of entries that are sorted by offset. Ranges are merged if the gap
/// between them is at most `max_gap` bytes.
fn merged_ranges<'e>(
    sorted: impl Iterator<Item = &'e Entry>,
    max_gap: u64,
) -> Result<Vec<Range<u64>>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    let mut last = 0..0;
    for entry in sorted {
        let range = entry.offset..entry.offset + entry.len;
        if range.start < last.end && range != last {
            return Err(Error::Malformed {
                offset: range.start,
                what: "the contents of two entries overlap",
            });
        }
        match ranges.last_mut() {
            Some(merged) if range.start <= merged.end + max_gap => {
                merged.end = merged.end.max(range.end)
            }
            _ => ranges.push(range.clone()),
        }
        last = range;
    }
    Ok(ranges)
}
