//! Archives of many small files, created in memory.

use bulla::{Key, Options};
use bulla_archive::{ArchiveBuilder, Metadata};
use bytes::Bytes;

/// Files that all have the same content, 1000 in each directory.
pub struct SmallFiles {
    count: usize,
    content: Bytes,
}

impl SmallFiles {
    /// Describes `count` files, each with `content`.
    pub fn new(count: usize, content: impl Into<Bytes>) -> SmallFiles {
        SmallFiles { count, content: content.into() }
    }

    /// Returns the total number of bytes in all files.
    pub fn len(&self) -> usize {
        self.count * self.content.len()
    }

    /// Returns whether the files contain no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the path of file number `number`.
    pub fn path(number: usize) -> Vec<u8> {
        format!("photos/{:04}/{:03}.jpg", number / 1000, number % 1000).into_bytes()
    }

    /// Plans an archive of the files.
    pub fn plan(&self) -> ArchiveBuilder<Bytes> {
        let mut writer = ArchiveBuilder::new();
        let metadata = Metadata::new().mode(0o644);
        for number in 0..self.count {
            let (path, len) = (SmallFiles::path(number), self.content.len() as u64);
            writer.file(&path, &metadata, len, self.content.clone()).expect("the path is valid");
        }
        writer
    }

    /// Returns a sealed archive of the files.
    pub fn archive(&self, key: &Key, options: &Options<'_>) -> Vec<u8> {
        self.plan().seal_to(key, Vec::new(), options).expect("writing to memory succeeds").0
    }
}
