//! The crate's error type, which converts to [`std::io::Error`] and back without loss.

use std::ops::Deref;
use std::sync::Arc;
use std::{fmt, io};

/// The errors that this crate returns.
///
/// Every variant carries only public information, so any error may be logged. The variants that
/// describe a container correspond one to one to section 9 of FORMAT.md. The others describe the
/// call.
///
/// An `Error` survives a round trip through [`std::io::Error`], the error type of the [`std::io`]
/// traits:
///
/// ```
/// use bulla::Error;
/// let io: std::io::Error = Error::ChunkRejected { index: 7 }.into();
/// assert_eq!(Error::from(io), Error::ChunkRejected { index: 7 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The input does not begin with the container magic (F-3.5).
    NotAContainer,
    /// The container has an unsupported major version (F-3.5).
    UnsupportedVersion {
        /// The container's major version. This crate supports only version 1.
        major: u8,
    },
    /// The container uses a cryptographic suite that this crate does not support (F-3.7).
    UnsupportedSuite {
        /// The suite number. This crate supports only suite 1.
        suite: u16,
    },
    /// The header requires something that this crate does not support (F-3.7).
    UnsupportedFeature(Feature),
    /// The header is damaged, and there is no valid footer to use instead (F-3.5).
    DamagedHeader,
    /// The container requires a context, but none was given (F-3.8).
    ContextRequired,
    /// A context was given, but the container was sealed without one (F-3.8).
    ContextUnexpected,
    /// The container was sealed under a different key or context (F-4.4).
    WrongKey,
    /// A chunk failed authentication: it was damaged or tampered with (F-7.4).
    ChunkRejected {
        /// The chunk number, starting at 0.
        index: u64,
    },
    /// The container ends too early (F-7.4).
    Truncated {
        /// The number of complete chunks before the truncation.
        after: u64,
    },
    /// The container is followed by extra bytes (F-7.4).
    TrailingData {
        /// The number of bytes after the container's end.
        extra: u64,
    },
    /// The plaintext has more bytes or more chunks than the format allows (F-5.4).
    TooLarge,
    /// The call was cancelled with [`Progress::cancel`](crate::Progress::cancel).
    Cancelled,
    /// The operating system provided no random bytes.
    NoRandomness,
    /// The source shrank while it was being sealed.
    SourceShrank {
        /// The source's length in bytes when sealing started.
        planned: u64,
        /// The offset at which the source ended.
        found: u64,
    },
    /// A buffer passed by the caller has the wrong length.
    BufferLength {
        /// The required length in bytes.
        needed: u64,
        /// The length of the buffer that was passed, in bytes.
        given: u64,
    },
    /// An envelope is longer than 2^20 bytes, or does not have the reserved length.
    EnvelopeLength {
        /// The reserved length in bytes, or the limit.
        expected: u64,
        /// The length of the envelope that was passed, in bytes.
        given: u64,
    },
    /// A range is not within the plaintext, or ends before it starts.
    OutOfRange {
        /// The plaintext length in bytes.
        len: u64,
    },
    /// Reading or writing failed.
    Io(IoError),
}

/// The header field that caused [`Error::UnsupportedFeature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// The critical flags. This crate supports only bit 0.
    Flags(u16),
    /// The base-2 logarithm of the chunk size, which is not in the range 12 to 20.
    ChunkLog2(u8),
    /// The envelope length in bytes, which is above 2^20.
    EnvelopeLen(u32),
}

/// An [`std::io::Error`] that can be cloned and compared.
///
/// A stream returns its first error again from every later call (F-7.8), so it must be possible to
/// share the error. Two `IoError`s are equal if they have the same kind and the same operating
/// system error code.
#[derive(Clone, Debug)]
pub struct IoError(Arc<io::Error>);

/// A [`Result`](std::result::Result) whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
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
                write!(f, "unsupported container version {major}; a newer release may support it")
            }
            Error::UnsupportedSuite { suite } => {
                write!(f, "unsupported cipher suite {suite}; a newer release may support it")
            }
            Error::UnsupportedFeature(feature) => {
                write!(f, "unsupported feature: {feature}; a newer release may support it")
            }
            Error::DamagedHeader => f.write_str(
                "the header is damaged and there is no valid footer to replace it; \
                 open the container from a file instead of a pipe, or fetch another copy",
            ),
            Error::ContextRequired => f.write_str(
                "this container was sealed with a context; pass the same context to open it",
            ),
            Error::ContextUnexpected => {
                f.write_str("this container was sealed without a context; open it without one")
            }
            Error::WrongKey => f.write_str("the key does not belong to this container"),
            Error::ChunkRejected { index } => {
                write!(f, "chunk {index} is damaged or was tampered with")
            }
            Error::Truncated { after } => {
                write!(f, "truncated after {after} chunks; fetch the whole container again")
            }
            Error::TrailingData { extra } => {
                write!(f, "{extra} bytes of trailing data; remove them to open the container")
            }
            Error::TooLarge => f.write_str(
                "too large for one container; use a larger chunk size or several containers",
            ),
            Error::Cancelled => f.write_str("cancelled"),
            Error::NoRandomness => f.write_str("the operating system provided no random bytes"),
            Error::SourceShrank { planned, found } => write!(
                f,
                "the source shrank while it was being sealed: {planned} bytes expected, \
                 {found} found"
            ),
            Error::BufferLength { needed, given } => {
                write!(f, "wrong buffer length: {needed} bytes required, {given} given")
            }
            Error::EnvelopeLength { expected, given } => {
                write!(f, "wrong envelope length: {expected} bytes available, {given} given")
            }
            Error::OutOfRange { len } => {
                write!(f, "range out of bounds: the plaintext is {len} bytes long")
            }
            Error::Io(e) => e.fmt(f),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feature::Flags(flags) => write!(f, "critical flags {flags:#06x}"),
            Feature::ChunkLog2(log2) => write!(f, "2^{log2}-byte chunks"),
            Feature::EnvelopeLen(len) => write!(f, "{len}-byte envelope"),
        }
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // `Display` already shows the I/O error, so the chain continues with its source.
            Error::Io(e) => e.source(),
            _ => None,
        }
    }
}

impl std::error::Error for IoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Deref for IoError {
    type Target = io::Error;

    fn deref(&self) -> &io::Error {
        &self.0
    }
}

impl PartialEq for IoError {
    fn eq(&self, other: &IoError) -> bool {
        self.kind() == other.kind() && self.raw_os_error() == other.raw_os_error()
    }
}

impl Eq for IoError {}

impl From<Error> for io::Error {
    /// Converts an [`Error::Io`] back into the error that it came from, and wraps any other
    /// variant.
    ///
    /// An I/O error that is still shared cannot be moved out. If it has an operating system error
    /// code, a new error is created from that code. Otherwise, the shared error is wrapped.
    fn from(error: Error) -> io::Error {
        let Error::Io(IoError(shared)) = error else {
            return io::Error::new(error.kind(), error);
        };
        Arc::try_unwrap(shared).unwrap_or_else(|shared| match shared.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(shared.kind(), Error::Io(IoError(shared))),
        })
    }
}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        e.downcast::<Error>().unwrap_or_else(|e| Error::Io(IoError(Arc::new(e))))
    }
}

/// Returns an error unless the caller's buffer is exactly `needed` bytes long.
pub(crate) fn check_buffer_len(buffer: &[u8], needed: u64) -> Result<()> {
    if buffer.len() as u64 == needed {
        Ok(())
    } else {
        Err(Error::BufferLength { needed, given: buffer.len() as u64 })
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
            io::Error::from_raw_os_error(28).into(),
            io::Error::new(io::ErrorKind::WouldBlock, "not now").into(),
        ]
    }

    #[test]
    fn survives_a_round_trip_through_io_error() {
        for error in all() {
            let (expected, kind) = (error.clone(), error.kind());
            // `expected` shares the I/O error here. After it is dropped, `error` is the only owner.
            let io = io::Error::from(error);
            assert_eq!(io.kind(), kind);
            let error = Error::from(io);
            assert_eq!(error, expected);
            assert_eq!(error.to_string(), expected.to_string());
            drop(expected);
            let io = io::Error::from(error.clone());
            assert_eq!((io.kind(), io.to_string()), (kind, error.to_string()));
        }
    }

    #[test]
    fn io_errors_with_different_kinds_or_codes_are_not_equal() {
        let [no_space, io_error] =
            [28, 5].map(|code| Error::from(io::Error::from_raw_os_error(code)));
        assert_ne!(no_space, io_error);
        assert_ne!(no_space, Error::from(io::Error::from(no_space.kind())));
        assert_ne!(no_space, Error::NoRandomness);
    }
}
