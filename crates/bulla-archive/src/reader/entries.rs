//! Iterates over the index, and checks the rules that concern the whole index.

use std::mem;
use std::vec;

use bulla::{RangeReader, ReadAt};

use crate::error::{Error, Result};
use crate::format::entry::{Entry, Kind};
use crate::format::path::PathChecker;
use crate::format::trailer::Trailer;
use crate::index_reader::IndexReader;

/// An iterator over an archive's entries in ascending path order.
///
/// Returned by [`ArchiveReader::entries`](crate::ArchiveReader::entries).
pub struct Entries<'r, 'a, S: ReadAt> {
    index: &'r IndexReader<RangeReader<'a, S>>,
    block: vec::IntoIter<Entry>,
    next_block: usize,
    /// The checks that need all entries, or `None` if the iteration does not start with the first
    /// entry.
    checks: Option<Checks>,
    failed: bool,
}

/// The checks that need all entries.
#[derive(Default)]
struct Checks {
    paths: PathChecker,
    /// Offset and length of each entry's content in this container.
    ranges: Vec<(u64, u64)>,
    entries: u64,
    content_len: u64,
}

impl<'r, 'a, S: ReadAt> Entries<'r, 'a, S> {
    /// Iterates over all entries, and makes the checks that need all of them.
    pub(crate) fn all(index: &'r IndexReader<RangeReader<'a, S>>) -> Entries<'r, 'a, S> {
        Entries { checks: Some(Checks::default()), ..Entries::from_block(index, 0) }
    }

    /// Iterates over the entries from the given block to the last one.
    pub(crate) fn from_block(
        index: &'r IndexReader<RangeReader<'a, S>>,
        block: usize,
    ) -> Entries<'r, 'a, S> {
        Entries {
            index,
            block: Vec::new().into_iter(),
            next_block: block,
            checks: None,
            failed: false,
        }
    }

    fn step(&mut self) -> Result<Option<Entry>> {
        loop {
            if let Some(entry) = self.block.next() {
                if let Some(checks) = &mut self.checks {
                    checks.add(&entry)?;
                }
                return Ok(Some(entry));
            }
            if self.next_block == self.index.blocks() {
                if let Some(checks) = self.checks.take() {
                    let trailer = self.index.trailer();
                    let malformed = |what| Error::Malformed { offset: trailer.index_offset, what };
                    checks.finish(trailer).map_err(malformed)?;
                }
                return Ok(None);
            }
            self.block = self.index.block(self.next_block)?.into_iter();
            self.next_block += 1;
        }
    }
}

impl<S: ReadAt> Iterator for Entries<'_, '_, S> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Result<Entry>> {
        if self.failed {
            return None;
        }
        let step = self.step().transpose();
        self.failed = matches!(step, Some(Err(_)));
        step
    }
}

impl Checks {
    fn add(&mut self, entry: &Entry) -> Result<()> {
        self.paths.add(entry.path(), entry.kind == Kind::Directory)?;
        self.entries += 1;
        let what = "the total content length exceeds 2^64 - 1";
        let content_len = self.content_len.checked_add(entry.len);
        self.content_len = content_len.ok_or(Error::Malformed { offset: entry.offset, what })?;
        if entry.is_internal() && entry.len > 0 {
            self.ranges.push((entry.offset, entry.len));
        }
        Ok(())
    }

    fn finish(mut self, trailer: &Trailer) -> Result<(), &'static str> {
        if self.entries != trailer.entries {
            return Err("the number of entries differs from the trailer");
        }
        if self.content_len != trailer.content_len {
            return Err("the total content length differs from the trailer");
        }
        let mut ranges = mem::take(&mut self.ranges);
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[0] != pair[1] && pair[0].0 + pair[0].1 > pair[1].0) {
            return Err("the contents of two entries overlap");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the rule that is violated by files whose contents have these rows, offsets and
    /// lengths.
    fn violation(contents: &[(u32, u64, u64)]) -> Option<&'static str> {
        let mut checks = Checks::default();
        for (path, (container, offset, len)) in (b'a'..).zip(contents) {
            checks.add(&Entry::file_at(&[path], *container, *offset, *len)).unwrap();
        }
        let content_len = contents.iter().map(|(_, _, len)| len).sum();
        let trailer = Trailer { entries: contents.len() as u64, content_len, ..Trailer::default() };
        checks.finish(&trailer).err()
    }

    /// non-empty contents in this container are identical or disjoint.
    #[test]
    fn rejects_overlapping_contents() {
        assert_eq!(violation(&[(0, 10, 5), (0, 0, 10)]), None, "adjacent");
        assert_eq!(violation(&[(0, 0, 10), (0, 0, 10)]), None, "identical");
        assert_eq!(violation(&[(1, 0, 10), (0, 5, 10)]), None, "another container");
        assert_eq!(violation(&[(0, 0, 10), (0, 5, 0)]), None, "empty");
        let overlap = Some("the contents of two entries overlap");
        assert_eq!(violation(&[(0, 10, 5), (0, 0, 11)]), overlap);
        assert_eq!(violation(&[(0, 0, 10), (0, 0, 9)]), overlap);
        assert_eq!(violation(&[(0, 0, 10), (0, 5, 1)]), overlap);
    }
}
