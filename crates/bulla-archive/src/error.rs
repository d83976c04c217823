//! The crate's error type.

use std::{fmt, io};

/// An error from building or reading an archive.
///
/// Messages include entry paths. In a sealed archive, paths are secret until the container is
/// opened, and these errors are returned only after that.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The container does not hold an archive.
    NotAnArchive {
        /// The container's content type. An archive has content type 1.
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
        /// The record kind.
        kind: u8,
    },
    /// An entry's content has an encoding that this release does not know.
    UnknownEncoding {
        /// The content encoding.
        encoding: u8,
    },
    /// An entry's content is in another container.
    ExternalContent {
        /// The row of the containers record that identifies the other container.
        container: u32,
    },
    /// The entry is a directory or a symbolic link, which has no content.
    NoContent,
    /// An entry path or a symbolic link target is invalid.
    InvalidPath {
        /// The path or target.
        path: Vec<u8>,
        /// The rule that is violated, such as `path is empty`.
        why: &'static str,
    },
    /// Two entries have the same path.
    Duplicate {
        /// The path.
        path: Vec<u8>,
    },
    /// An entry's parent is a file or a symbolic link.
    ParentNotDirectory {
        /// The path of the entry.
        path: Vec<u8>,
    },
    /// The archive exceeds a limit of the format.
    TooLarge {
        /// The limit that is exceeded.
        what: &'static str,
    },
    /// Sealing, opening, reading or writing the container failed.
    Container(bulla::Error),
}

/// A [`Result`](std::result::Result) whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths are quoted and escaped, because they may contain control characters.
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
                    "unknown record kind {kind} at byte {offset}; a newer release may support it"
                )
            }
            Error::UnknownEncoding { encoding } => {
                write!(f, "unknown content encoding {encoding}; a newer release may support it")
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
            // `Display` already shows the container's error, so the chain continues with its
            // source.
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
