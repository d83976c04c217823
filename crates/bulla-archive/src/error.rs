//! The one error type of the crate.

use std::{fmt, io};

/// What went wrong. Names are shown; they are secret until the container was opened, and whoever
/// sees this has opened it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The container holds something else.
    NotAnArchive {
        /// Its content number; an archive's is 1.
        content_type: u8,
    },
    /// The archive is authentic, but not as ARCHIVE.md says: made by a faulty program, or in order
    /// to do harm.
    Malformed {
        /// Where, in the container's plaintext.
        offset: u64,
        /// Which rule does not hold.
        what: &'static str,
    },
    /// A record of a kind that only a newer release knows.
    UnknownKind {
        /// Where, in the container's plaintext.
        offset: u64,
        /// The kind.
        kind: u8,
    },
    /// The content of an entry is encoded in a way that only a newer release knows.
    UnknownEncoding {
        /// The encoding.
        encoding: u8,
    },
    /// The content of an entry lies in another container.
    ExternalContent {
        /// The row that paths it.
        container: u32,
    },
    /// The entry is a directory or a symbolic link, and has no content.
    NoContent,
    /// A path that an archive cannot hold.
    InvalidPath {
        /// The path.
        path: Vec<u8>,
        /// Why not.
        why: &'static str,
    },
    /// Two entries of one path.
    Duplicate {
        /// The path.
        path: Vec<u8>,
    },
    /// An entry below something that is no directory.
    ParentNotDirectory {
        /// The entry's path.
        path: Vec<u8>,
    },
    /// More than the format's limits allow.
    TooLarge {
        /// What there is too much of.
        what: &'static str,
    },
    /// An error of the container, or of reading and writing it.
    Container(bulla::Error),
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &[u8]| String::from_utf8_lossy(path).escape_debug().to_string();
        match self {
            Error::NotAnArchive { content_type: 0 } => {
                f.write_str("the container holds no archive, but a single stream")
            }
            Error::NotAnArchive { content_type } => {
                write!(f, "the container holds no archive, but content of kind {content_type}")
            }
            Error::Malformed { offset, what } => write!(
                f,
                "malformed archive: {what} (at byte {offset}); it is authentic, so the program that made it is at fault"
            ),
            Error::UnknownKind { offset, kind } => {
                write!(
                    f,
                    "record of unknown kind {kind} at byte {offset}; a newer release may read it"
                )
            }
            Error::UnknownEncoding { encoding } => {
                write!(f, "content in the unknown encoding {encoding}; a newer release may read it")
            }
            Error::ExternalContent { container } => {
                write!(
                    f,
                    "the content lies in another container, number {container} of this archive's table"
                )
            }
            Error::NoContent => f.write_str("a directory or a symbolic link, which has no content"),
            Error::InvalidPath { path, why } => write!(f, "the path {} {why}", shown(path)),
            Error::Duplicate { path } => write!(f, "two entries are named {}", shown(path)),
            Error::ParentNotDirectory { path } => {
                write!(f, "{} lies below an entry that is no directory", shown(path))
            }
            Error::TooLarge { what } => write!(f, "too large for one archive: {what}"),
            Error::Container(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Display already shows it; its own source is what comes next.
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
