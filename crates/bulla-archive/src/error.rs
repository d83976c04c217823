//! The error type of this crate.

use std::{fmt, io};

/// An error of building or reading an archive.
///
/// Messages include the paths of entries. Paths are secret until the container is opened, and
/// these errors are only returned afterwards.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The container does not hold an archive.
    NotAnArchive {
        /// Content type of the container. An archive has 1.
        content_type: u8,
    },
    /// The archive is authentic but violates `spec/ARCHIVE.md`: a faulty or malicious program wrote
    /// it.
    Malformed {
        /// Offset in the container's plaintext, at or near the violation.
        offset: u64,
        /// The rule that is violated.
        what: &'static str,
    },
    /// A record has a kind that this release does not know and must not skip.
    UnknownKind {
        /// Offset of the record in the container's plaintext.
        offset: u64,
        /// Kind of the record.
        kind: u8,
    },
    /// The content of an entry has an encoding that this release does not know.
    UnknownEncoding {
        /// Encoding of the content.
        encoding: u8,
    },
    /// The content of an entry is in another container.
    ExternalContent {
        /// Row of the containers record that identifies the other container.
        container: u32,
    },
    /// The entry is a directory or a symbolic link, which has no content.
    NoContent,
    /// The path of an entry, or the target of a symbolic link, is not valid.
    InvalidPath {
        /// The path or target.
        path: Vec<u8>,
        /// The rule that is violated, such as `path is empty`.
        why: &'static str,
    },
    /// Two entries have the same path.
    Duplicate {
        /// Path of the entries.
        path: Vec<u8>,
    },
    /// The parent of an entry is a file or a symbolic link.
    ParentNotDirectory {
        /// Path of the entry.
        path: Vec<u8>,
    },
    /// The archive exceeds a limit of the format.
    TooLarge {
        /// The limit that is exceeded.
        what: &'static str,
    },
    /// Sealing or opening the container failed, or reading or writing it did.
    Container(bulla::Error),
}

/// A [`Result`](std::result::Result) with the [`Error`] of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Quoted and escaped: a path may contain control characters.
        let lossy = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        match self {
            Error::NotAnArchive { content_type: 0 } => {
                f.write_str("not an archive: the container holds a single stream")
            }
            Error::NotAnArchive { content_type } => {
                write!(f, "not an archive: the container holds content of type {content_type}")
            }
            Error::Malformed { offset, what } => write!(
                f,
                "malformed archive: {what} (at byte {offset}); \
                 the data is authentic, so the program that wrote it is faulty"
            ),
            Error::UnknownKind { offset, kind } => {
                write!(
                    f,
                    "unknown record kind {kind} at byte {offset}; a newer release may read it"
                )
            }
            Error::UnknownEncoding { encoding } => {
                write!(f, "unknown content encoding {encoding}; a newer release may read it")
            }
            Error::ExternalContent { container } => {
                write!(f, "content is in another container (row {container})")
            }
            Error::NoContent => f.write_str("directories and symbolic links have no content"),
            Error::InvalidPath { path, why } => write!(f, "{why}: {:?}", lossy(path)),
            Error::Duplicate { path } => write!(f, "duplicate path {:?}", lossy(path)),
            Error::ParentNotDirectory { path } => {
                write!(f, "the parent of {:?} is not a directory", lossy(path))
            }
            Error::TooLarge { what } => write!(f, "too large for one archive: {what}"),
            Error::Container(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Display already includes this error, so the chain continues with its source.
            Error::Container(error) => error.source(),
            _ => None,
        }
    }
}

impl From<bulla::Error> for Error {
    fn from(error: bulla::Error) -> Error {
        Error::Container(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Container(error.into())
    }
}
