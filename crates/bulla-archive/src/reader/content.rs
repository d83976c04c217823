//! The content of one entry, or of many at once.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use bulla::{RangeReader, ReadAt};
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::format::entry::Entry;
use crate::reader::ArchiveReader;

/// Bytes that are opened at once for who reads in small steps.
const BUFFER_LEN: u64 = 1 << 20;

/// The content of one entry: as [`ReadAt`] at any offset, as [`Read`] from its beginning on.
///
/// Reading at an offset keeps nothing. Reading from the beginning on opens about 1 MiB at a time.
pub struct EntryContent<'r, 'a, S: ReadAt> {
    range: &'r RangeReader<'a, S>,
    offset: u64,
    len: u64,
    /// Where the buffer ends, in the content.
    position: u64,
    buffer: Zeroizing<Vec<u8>>,
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

    /// Bytes in it.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A range of its bytes, read on all workers.
    ///
    /// # Errors
    ///
    /// As [`RangeReader::range`]; [`bulla::Error::OutOfRange`] with this content's length.
    pub fn range(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.len {
            return Err(bulla::Error::OutOfRange { len: self.len }.into());
        }
        Ok(self.range.range(self.offset + range.start..self.offset + range.end)?)
    }
}

impl<S: ReadAt> ReadAt for EntryContent<'_, '_, S> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.len.saturating_sub(offset);
        let read = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
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

impl<'a, S: ReadAt> ArchiveReader<'a, S> {
    /// The content of an entry of this archive.
    ///
    /// # Errors
    ///
    /// [`Error::NoContent`], [`Error::ExternalContent`], [`Error::UnknownEncoding`].
    pub fn content(&self, entry: &Entry) -> Result<EntryContent<'_, 'a, S>> {
        entry.check_readable()?;
        Ok(EntryContent::new(self.range(), entry.offset, entry.len))
    }

    /// Reads the contents of many entries at once, on all workers, each byte of the container once.
    /// `visit` gets pieces as they come, from several threads and in any order: the entry's
    /// number in `entries`, the offset in its content, and the bytes. Nothing comes for an
    /// entry without bytes.
    ///
    /// # Errors
    ///
    /// As [`content`](ArchiveReader::content), before anything is read; [`Error::Malformed`] if
    /// contents overlap; as [`RangeReader::for_each_extent`].
    pub fn read_all(
        &self,
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
        let end = |entry: &Entry| entry.offset + entry.len;
        let ranges = self.joined(order.iter().map(|number| &entries[*number]))?;
        let visit_extent = |at: u64, bytes: &[u8]| {
            let stop = at + bytes.len() as u64;
            // Contents are identical or disjoint, so ends ascend as well.
            let first = order.partition_point(|number| end(&entries[*number]) <= at);
            for number in &order[first..] {
                let entry = &entries[*number];
                if entry.offset >= stop {
                    break;
                }
                let (from, to) = (entry.offset.max(at), end(entry).min(stop));
                visit(
                    *number,
                    from - entry.offset,
                    &bytes[(from - at) as usize..(to - at) as usize],
                )?;
            }
            Ok(())
        };
        Ok(self.range().for_each_extent(&ranges, visit_extent)?)
    }

    /// The ranges of contents that are sorted by offset, joined where reading what lies between
    /// costs less than leaving it out.
    fn joined<'e>(&self, sorted: impl Iterator<Item = &'e Entry>) -> Result<Vec<Range<u64>>> {
        let gap = self.opened().header.chunk_size().bytes() as u64;
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut last = 0..0;
        for entry in sorted {
            let range = entry.offset..entry.offset + entry.len;
            if range.start < last.end && range != last {
                return Err(Error::Malformed { offset: range.start, what: "two contents overlap" });
            }
            match ranges.last_mut() {
                Some(joined) if range.start <= joined.end + gap => {
                    joined.end = joined.end.max(range.end)
                }
                _ => ranges.push(range.clone()),
            }
            last = range;
        }
        Ok(ranges)
    }
}
