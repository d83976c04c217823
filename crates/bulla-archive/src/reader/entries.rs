//! The entries of an archive one by one, and the rules that concern all of it.

use std::mem;
use std::vec;

use bulla::ReadAt;

use crate::error::{Error, Result};
use crate::format::entry::{Entry, Kind};
use crate::format::path::{Ascending, is_below};
use crate::format::trailer::Trailer;
use crate::reader::ArchiveReader;

impl<'a, S: ReadAt> ArchiveReader<'a, S> {
    /// All entries in the order of their paths. When the last was given, the rules that concern all
    /// of them were checked; a breach of one comes as an error in its place.
    pub fn entries(&self) -> Entries<'_, 'a, S> {
        Entries::all(self)
    }

    /// The entry `directory`, if it is there, and all that lies in it, in the order of paths. The
    /// empty path means all entries.
    pub fn directory<'r>(
        &'r self,
        directory: &'r [u8],
    ) -> impl Iterator<Item = Result<Entry>> + use<'r, 'a, S> {
        let start = self.block_of(directory).unwrap_or(0);
        let ends = move |entry: &Result<Entry>| match entry {
            // What begins with the path lies together, and more than what is below it does.
            Ok(entry) => entry.path() <= directory || entry.path().starts_with(directory),
            Err(_) => true,
        };
        let is_in = move |entry: &Result<Entry>| match entry {
            Ok(entry) => entry.path() == directory || is_below(entry.path(), directory),
            Err(_) => true,
        };
        Entries::from_block(self, start).take_while(ends).filter(is_in)
    }
}

/// The entries of an archive, in the order of their paths: see [`ArchiveReader::entries`].
pub struct Entries<'r, 'a, S: ReadAt> {
    reader: &'r ArchiveReader<'a, S>,
    block: vec::IntoIter<Entry>,
    next_block: usize,
    /// None where the iteration does not begin with the first entry.
    checks: Option<Checks>,
    failed: bool,
}

/// What is checked over all entries.
#[derive(Default)]
struct Checks {
    ascending: Ascending,
    /// Contents in this container.
    ranges: Vec<(u64, u64)>,
    entries: u64,
    content_len: u64,
}

impl<'r, 'a, S: ReadAt> Entries<'r, 'a, S> {
    pub(crate) fn all(reader: &'r ArchiveReader<'a, S>) -> Entries<'r, 'a, S> {
        Entries { checks: Some(Checks::default()), ..Entries::from_block(reader, 0) }
    }

    pub(crate) fn from_block(reader: &'r ArchiveReader<'a, S>, block: usize) -> Entries<'r, 'a, S> {
        Entries {
            reader,
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
            if self.next_block == self.reader.blocks() {
                if let Some(checks) = self.checks.take() {
                    let trailer = self.reader.trailer();
                    let malformed = |what| Error::Malformed { offset: trailer.index_offset, what };
                    checks.finish(trailer).map_err(malformed)?;
                }
                return Ok(None);
            }
            self.block = self.reader.block(self.next_block)?.entries.into_iter();
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
        self.ascending.next(entry.path(), entry.kind == Kind::Directory)?;
        self.entries += 1;
        let what = "the contents are longer together than anything";
        let content_len = self.content_len.checked_add(entry.len);
        self.content_len = content_len.ok_or(Error::Malformed { offset: entry.offset, what })?;
        if entry.is_here() && entry.len > 0 {
            self.ranges.push((entry.offset, entry.len));
        }
        Ok(())
    }

    fn finish(mut self, trailer: &Trailer) -> Result<(), &'static str> {
        if self.entries != trailer.entries {
            return Err("there are not as many entries as the trailer says");
        }
        if self.content_len != trailer.content_len {
            return Err("the contents are not as long together as the trailer says");
        }
        let mut ranges = mem::take(&mut self.ranges);
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[0] != pair[1] && pair[0].0 + pair[0].1 > pair[1].0) {
            return Err("two contents overlap");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with files whose contents lie in these containers, at these offsets, with
    /// these lengths.
    fn fault(contents: &[(u32, u64, u64)]) -> Option<&'static str> {
        let mut checks = Checks::default();
        for (path, (container, offset, len)) in (b'a'..).zip(contents) {
            checks.add(&Entry::file_at(&[path], *container, *offset, *len)).unwrap();
        }
        let content_len = contents.iter().map(|(_, _, len)| len).sum();
        let trailer = Trailer { entries: contents.len() as u64, content_len, ..Trailer::default() };
        checks.finish(&trailer).err()
    }

    /// two contents are the same or lie apart, if they are of one container and not
    /// empty.
    #[test]
    fn contents_do_not_overlap() {
        assert_eq!(fault(&[(0, 10, 5), (0, 0, 10)]), None, "one behind the other");
        assert_eq!(fault(&[(0, 0, 10), (0, 0, 10)]), None, "the same");
        assert_eq!(fault(&[(1, 0, 10), (0, 5, 10)]), None, "another container");
        assert_eq!(fault(&[(0, 0, 10), (0, 5, 0)]), None, "empty");
        let overlap = Some("two contents overlap");
        assert_eq!(fault(&[(0, 10, 5), (0, 0, 11)]), overlap);
        assert_eq!(fault(&[(0, 0, 10), (0, 0, 9)]), overlap);
        assert_eq!(fault(&[(0, 0, 10), (0, 5, 1)]), overlap);
    }
}
