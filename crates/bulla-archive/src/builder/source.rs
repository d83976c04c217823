//! Sources of entry content.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use bulla::ReadAt;
use bytes::Bytes;

use crate::format::attributes::Time;

/// Opens the content of one entry while an archive is being sealed.
///
/// A large entry is opened several times, once by each thread that reads part of it. This trait is
/// implemented for in-memory bytes and file paths. Implement it for content that comes from other
/// sources, such as a database or a network.
pub trait Source: Send + Sync {
    /// The opened content.
    type Content: ContentSource;

    /// Opens the content of the entry that was planned as `path`.
    ///
    /// # Errors
    ///
    /// Returns any error from the source. The entry is then noted as
    /// [unreadable](crate::State::UNREADABLE), and sealing continues.
    fn open(&self, path: &[u8]) -> io::Result<Self::Content>;
}

/// Content that a [`Source`] opened.
pub trait ContentSource: ReadAt {
    /// Returns the current mtime of the opened content, or `None` if the mtime is unknown. If it
    /// differs from the planned mtime, the entry is noted as [changed](crate::State::CHANGED).
    ///
    /// # Errors
    ///
    /// Returns any error from the source, which is treated as an unknown mtime.
    fn mtime(&self) -> io::Result<Option<Time>> {
        Ok(None)
    }
}

impl ContentSource for File {
    fn mtime(&self) -> io::Result<Option<Time>> {
        // Some platforms have no mtime.
        Ok(self.metadata()?.modified().ok().map(Time::from))
    }
}

impl ContentSource for Bytes {}
impl ContentSource for Vec<u8> {}

impl Source for Bytes {
    type Content = Bytes;

    fn open(&self, _path: &[u8]) -> io::Result<Bytes> {
        Ok(self.clone())
    }
}

impl Source for PathBuf {
    type Content = File;

    fn open(&self, _path: &[u8]) -> io::Result<File> {
        File::open(self)
    }
}
