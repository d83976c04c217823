//! The one error type of the crate, and its way through [`std::io::Error`] and back.

use std::{fmt, io};

/// What went wrong. Every variant names public facts only, so that any of them may be logged.
///
/// The variants of damage and refusal are those of FORMAT.md, section 9, one to one; the last
/// ones concern the call.
///
/// An `Error` passes through [`std::io::Error`] unharmed, which the [`std::io`] traits need:
///
/// ```
/// use bulla::Error;
/// let io: std::io::Error = Error::ChunkRejected { index: 7 }.into();
/// assert!(matches!(Error::from(io), Error::ChunkRejected { index: 7 }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes are not those of a container (F-3.5).
    NotAContainer,
    /// A container of another major version (F-3.5).
    UnsupportedVersion {
        /// The version in the file; this crate knows 1.
        major: u8,
    },
    /// A cryptographic suite that this crate does not know (F-3.7).
    UnsupportedSuite {
        /// The suite's number; this crate knows 1.
        suite: u16,
    },
    /// A header field asks for something that this crate does not know (F-3.7).
    UnsupportedFeature(Feature),
    /// The header is damaged, and no valid footer could be used in its place (F-3.5).
    DamagedHeader,
    /// The container needs a context to open, and none was given (F-3.8).
    ContextRequired,
    /// A context was given, and the container was sealed without one (F-3.8).
    ContextUnexpected,
    /// The key or the context is not the one that the container was sealed under (F-4.4).
    WrongKey,
    /// A chunk's tag does not fit its bytes: it was damaged or tampered with (F-7.4).
    ChunkRejected {
        /// The chunk's number, from 0.
        index: u64,
    },
    /// The container ends too early (F-7.4).
    Truncated {
        /// How many whole chunks there are before the cut.
        after: u64,
    },
    /// There are bytes behind the container's end (F-7.4).
    TrailingData {
        /// How many.
        extra: u64,
    },
    /// The plaintext or its number of chunks is beyond the format's limits (F-5.4).
    TooLarge,
    /// [`Progress::cancel`](crate::Progress::cancel) was called.
    Cancelled,
    /// The system gave no random bytes.
    NoRandomness,
    /// The source held fewer bytes than it had when sealing started.
    SourceShrank {
        /// Its length in bytes when sealing started.
        planned: u64,
        /// Where it ended now.
        found: u64,
    },
    /// A buffer of the caller's does not have the length that the call needs.
    BufferLength {
        /// Bytes needed, exactly.
        needed: u64,
        /// Bytes given.
        given: u64,
    },
    /// An envelope is longer than 2^20 bytes, or not as long as was reserved for it.
    EnvelopeLength {
        /// Bytes reserved in the header, or the limit.
        expected: u64,
        /// Bytes given.
        given: u64,
    },
    /// A range reaches behind the end of the plaintext, or ends before it starts.
    OutOfRange {
        /// The plaintext's length in bytes.
        len: u64,
    },
    /// Reading or writing failed.
    Io(io::Error),
}

/// The header field that [`Error::UnsupportedFeature`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// Critical flags, of which this crate knows bit 0.
    Flags(u16),
    /// log2 of the chunk size, outside 12 to 20.
    ChunkLog2(u8),
    /// The envelope's length in bytes, above 2^20.
    EnvelopeLen(u32),
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The same error once more, for a stream that failed and is used again (F-7.8). Only an
    /// [`Error::Io`] is not the same to the last detail: its source cannot be cloned.
    pub(crate) fn again(&self) -> Error {
        match self {
            Error::NotAContainer => Error::NotAContainer,
            Error::UnsupportedVersion { major } => Error::UnsupportedVersion { major: *major },
            Error::UnsupportedSuite { suite } => Error::UnsupportedSuite { suite: *suite },
            Error::UnsupportedFeature(feature) => Error::UnsupportedFeature(*feature),
            Error::DamagedHeader => Error::DamagedHeader,
            Error::ContextRequired => Error::ContextRequired,
            Error::ContextUnexpected => Error::ContextUnexpected,
            Error::WrongKey => Error::WrongKey,
            Error::ChunkRejected { index } => Error::ChunkRejected { index: *index },
            Error::Truncated { after } => Error::Truncated { after: *after },
            Error::TrailingData { extra } => Error::TrailingData { extra: *extra },
            Error::TooLarge => Error::TooLarge,
            Error::Cancelled => Error::Cancelled,
            Error::NoRandomness => Error::NoRandomness,
            &Error::SourceShrank { planned, found } => Error::SourceShrank { planned, found },
            &Error::BufferLength { needed, given } => Error::BufferLength { needed, given },
            &Error::EnvelopeLength { expected, given } => Error::EnvelopeLength { expected, given },
            Error::OutOfRange { len } => Error::OutOfRange { len: *len },
            Error::Io(e) => Error::Io(match e.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(e.kind(), e.to_string()),
            }),
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Error::Io(e) => e.kind(),
            Error::Truncated { .. } | Error::SourceShrank { .. } => io::ErrorKind::UnexpectedEof,
            Error::UnsupportedVersion { .. }
            | Error::UnsupportedSuite { .. }
            | Error::UnsupportedFeature(_) => io::ErrorKind::Unsupported,
            Error::BufferLength { .. }
            | Error::EnvelopeLength { .. }
            | Error::OutOfRange { .. }
            | Error::ContextRequired
            | Error::ContextUnexpected => io::ErrorKind::InvalidInput,
            Error::NoRandomness | Error::Cancelled => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidData,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotAContainer => f.write_str("not a bulla container"),
            Error::UnsupportedVersion { major } => {
                write!(f, "container version {major} is not supported; a newer release may open it")
            }
            Error::UnsupportedSuite { suite } => {
                write!(f, "cipher suite {suite} is not supported; a newer release may open it")
            }
            Error::UnsupportedFeature(feature) => {
                write!(f, "unsupported feature: {feature}; a newer release may open it")
            }
            Error::DamagedHeader => f.write_str(
                "the header is damaged and no intact footer can stand in for it; \
                 if this came through a pipe, open it as a file, else fetch another copy",
            ),
            Error::ContextRequired => {
                f.write_str("this container was sealed with a context; give the same to open it")
            }
            Error::ContextUnexpected => {
                f.write_str("a context was given, but this container was sealed without one")
            }
            Error::WrongKey => f.write_str("the key does not belong to this container"),
            Error::ChunkRejected { index } => {
                write!(f, "chunk {index} is damaged or was tampered with")
            }
            Error::Truncated { after } => {
                write!(f, "truncated after {after} chunks; fetch the container again, whole")
            }
            Error::TrailingData { extra } => {
                write!(f, "{extra} bytes of trailing data; cut them off to open the container")
            }
            Error::TooLarge => f.write_str(
                "too large for one container; use a larger chunk size, or several containers",
            ),
            Error::Cancelled => f.write_str("cancelled"),
            Error::NoRandomness => f.write_str("the system gave no random bytes"),
            Error::SourceShrank { planned, found } => write!(
                f,
                "the source became shorter while it was sealed: {found} of {planned} bytes are left"
            ),
            Error::BufferLength { needed, given } => {
                write!(f, "a buffer of {needed} bytes is needed, {given} were given")
            }
            Error::EnvelopeLength { expected, given } => {
                write!(f, "an envelope of {given} bytes does not fit: {expected} are set aside")
            }
            Error::OutOfRange { len } => {
                write!(f, "the range is not within the plaintext's {len} bytes")
            }
            Error::Io(e) => e.fmt(f),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feature::Flags(flags) => write!(f, "critical flags {flags:#06x}"),
            Feature::ChunkLog2(log2) => write!(f, "chunks of 2^{log2} bytes"),
            Feature::EnvelopeLen(len) => write!(f, "an envelope of {len} bytes"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Display already shows it; its own source is what comes next.
            Error::Io(e) => e.source(),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        match error {
            Error::Io(e) => e,
            other => io::Error::new(other.kind(), other),
        }
    }
}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        e.downcast::<Error>().unwrap_or_else(Error::Io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Error> {
        vec![
            Error::NotAContainer,
            Error::UnsupportedVersion { major: 2 },
            Error::UnsupportedSuite { suite: 9 },
            Error::UnsupportedFeature(Feature::Flags(2)),
            Error::UnsupportedFeature(Feature::ChunkLog2(21)),
            Error::UnsupportedFeature(Feature::EnvelopeLen(1 << 21)),
            Error::DamagedHeader,
            Error::ContextRequired,
            Error::ContextUnexpected,
            Error::WrongKey,
            Error::ChunkRejected { index: 3 },
            Error::Truncated { after: 4 },
            Error::TrailingData { extra: 5 },
            Error::TooLarge,
            Error::Cancelled,
            Error::NoRandomness,
            Error::SourceShrank { planned: 9, found: 8 },
            Error::BufferLength { needed: 1, given: 2 },
            Error::EnvelopeLength { expected: 1, given: 2 },
            Error::OutOfRange { len: 3 },
            Error::Io(io::Error::from_raw_os_error(28)),
            Error::Io(io::Error::new(io::ErrorKind::WouldBlock, "not now")),
        ]
    }

    #[test]
    fn through_io_error_and_back() {
        for error in all() {
            let (shown, kind) = (error.to_string(), error.kind());
            let io = io::Error::from(error);
            assert_eq!(io.kind(), kind);
            assert_eq!(Error::from(io).to_string(), shown);
        }
    }

    #[test]
    fn again_says_the_same() {
        for error in all() {
            assert_eq!(error.again().to_string(), error.to_string());
            assert_eq!(error.again().kind(), error.kind());
        }
    }
}
