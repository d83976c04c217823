//! Archives of many small files that lie in memory.

use bulla::{Key, Options};
use bulla_archive::{ArchiveBuilder, Metadata};
use bytes::Bytes;

/// So many files of the same length, in directories of a thousand.
pub struct SmallFiles {
    count: usize,
    content: Bytes,
}

impl SmallFiles {
    /// `count` files with `content` in each.
    pub fn new(count: usize, content: impl Into<Bytes>) -> SmallFiles {
        SmallFiles { count, content: content.into() }
    }

    /// Bytes in all of them.
    pub fn len(&self) -> usize {
        self.count * self.content.len()
    }

    /// Whether there are no bytes in them.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of one.
    pub fn name(number: usize) -> Vec<u8> {
        format!("photos/{:04}/{:03}.jpg", number / 1000, number % 1000).into_bytes()
    }

    /// Plans an archive of them.
    pub fn plan(&self) -> ArchiveBuilder<Bytes> {
        let mut writer = ArchiveBuilder::new();
        let metadata = Metadata::new().mode(0o644);
        for number in 0..self.count {
            let (name, len) = (SmallFiles::name(number), self.content.len() as u64);
            writer.file(&name, &metadata, len, self.content.clone()).expect("a good name");
        }
        writer
    }

    /// An archive of them.
    pub fn archive(&self, key: &Key, options: &Options<'_>) -> Vec<u8> {
        self.plan().seal_to(key, Vec::new(), options).expect("memory fails not").0
    }
}
