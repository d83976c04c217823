//! Where the bytes of entries come from.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use bulla::ReadAt;
use bytes::Bytes;

use crate::format::attributes::Time;

/// Where the content of one entry comes from. It is opened when its turn comes, and more than once
/// if it is large: by each thread that reads a part of it.
///
/// Bytes in memory and paths of files are sources; so is whatever a database or a network hands
/// out.
pub trait Source: Send + Sync {
    /// What is read.
    type Content: ContentSource;

    /// Opens the content of the entry that was planned under `path`.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being read; the entry is noted as
    /// [unreadable](crate::State::UNREADABLE), and the backup goes on.
    fn open(&self, path: &[u8]) -> io::Result<Self::Content>;
}

/// What a [`Source`] opens.
pub trait ContentSource: ReadAt {
    /// When it was last changed, now that it is open; `None` if that is not known. If it is not the
    /// time that was planned with, the entry is noted as [changed](crate::State::CHANGED).
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being told.
    fn mtime(&self) -> io::Result<Option<Time>> {
        Ok(None)
    }
}

impl ContentSource for File {
    fn mtime(&self) -> io::Result<Option<Time>> {
        // Not every system knows.
        Ok(self.metadata()?.modified().ok().map(Time::from))
    }
}

impl ContentSource for Bytes {}
impl ContentSource for Vec<u8> {}

impl Source for Bytes {
    type Content = Bytes;

    fn open(&self, _name: &[u8]) -> io::Result<Bytes> {
        Ok(self.clone())
    }
}

impl Source for PathBuf {
    type Content = File;

    fn open(&self, _name: &[u8]) -> io::Result<File> {
        File::open(self)
    }
}
