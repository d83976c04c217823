//! Errors for envelopes and passphrases.

use std::{fmt, io};

/// Maximum length of a passphrase before normalization, in bytes.
pub const MAX_PASSPHRASE_LEN: usize = 1024;

/// An error from reading, opening or writing an envelope.
///
/// Errors contain only public information and may be logged. The variants up to
/// [`TooCostly`](Error::TooCostly) correspond one-to-one to the errors in ENVELOPE.md, section 7.
/// The remaining variants report problems with a particular call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The container has no envelope: it reserves no space for one, or that space is all zeros
    /// (E-2.4).
    NoEnvelope,
    /// The bytes are not an envelope (E-2.4).
    NotAnEnvelope,
    /// The envelope has an unsupported version (E-2.4).
    UnsupportedVersion {
        /// The envelope's version. This crate supports version 1.
        version: u8,
    },
    /// The envelope's check does not match, and neither does the other copy's, if there is one
    /// (E-2.4).
    Damaged,
    /// The check matches, but the envelope violates the format, so the software that wrote it was
    /// faulty or hostile (E-2.5).
    Malformed {
        /// Offset of the invalid field, in bytes from the start of the envelope.
        offset: usize,
    },
    /// The envelope belongs to another container, or the context is wrong (E-4.3 to E-4.5).
    AnotherContainer,
    /// The key or passphrase opens none of the slots for its kind of secret (E-4.3).
    WrongSecret,
    /// The envelope has no slot for this kind of secret (E-4.3).
    NoSuchSlot,
    /// The passphrase opens no slot, and at least one slot was not tried because its cost exceeds
    /// the limits (E-4.3).
    TooCostly,
    /// The envelope was modified without the container's key, so none of its slots may be kept
    /// (E-5.2).
    Altered,
    /// The text is not a valid passphrase.
    Passphrase(PassphraseError),
    /// The Argon2id parameters are out of range (E-3.3).
    CostOutOfRange,
    /// A vault locator's hints are too long (E-3.4).
    LocatorTooLong {
        /// Encoded length of the hints, in bytes.
        bytes: usize,
    },
    /// The envelope already has the maximum number of slots, or of passphrase slots (E-2.3).
    TooManySlots,
    /// The envelope is too short for its slots.
    NoRoom {
        /// Bytes that the slots need.
        needed: usize,
        /// Bytes available.
        room: usize,
    },
    /// None of the slots can be opened, which would make the container inaccessible.
    NoSlots,
    /// No slot has this number.
    UnknownSlot {
        /// The number that was given.
        id: u16,
    },
    /// The key to be wrapped is not the key that the container is sealed under.
    WrongContainerKey,
    /// The container's envelope has been rewritten since it was opened (E-6.3).
    Outdated {
        /// The revision found in the container.
        found: u64,
        /// The revision that was to be written.
        given: u64,
    },
    /// The file is open in append mode, so the data was written at its end instead of the given
    /// offset. The file was then truncated to its previous length.
    AppendMode,
    /// The memory for Argon2id could not be allocated.
    OutOfMemory,
    /// Reading or writing the container failed, or the container rejected the key or context.
    Container(bulla::Error),
}

/// A `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoEnvelope => {
                f.write_str("no key envelope; open the container with its own key")
            }
            Error::NotAnEnvelope => f.write_str("not a key envelope"),
            Error::UnsupportedVersion { version } => {
                write!(f, "unsupported envelope version {version}; a newer release may support it")
            }
            Error::Damaged => f.write_str(
                "the envelope is damaged; open the container from a file instead of a stream, or \
                 use a separately stored envelope",
            ),
            Error::Malformed { offset } => {
                write!(f, "malformed envelope: invalid field at byte {offset}")
            }
            Error::AnotherContainer => {
                f.write_str("the envelope belongs to another container, or the context is wrong")
            }
            Error::WrongSecret => f.write_str("the key or passphrase does not open this envelope"),
            Error::NoSuchSlot => f.write_str("the envelope has no slot for this kind of secret"),
            Error::TooCostly => f.write_str(
                "the passphrase opens no slot; at least one slot was skipped because its hashing \
                 cost exceeds the limits",
            ),
            Error::Altered => f.write_str(
                "the envelope was modified without the container key, so its slots cannot be kept; \
                 create new ones",
            ),
            Error::Passphrase(e) => e.fmt(f),
            Error::CostOutOfRange => f.write_str(
                "Argon2id parameters out of range: use 1 to 16 lanes, at least 8 KiB of memory per \
                 lane, at most 256 MiB of memory, and at most 1 GiB in total over all passes",
            ),
            Error::LocatorTooLong { bytes } => {
                write!(f, "vault locator too long: {bytes} bytes of hints, at most 1024 allowed")
            }
            Error::TooManySlots => f.write_str(
                "too many slots: an envelope holds at most 32, including at most 8 for passphrases",
            ),
            Error::NoRoom { needed, room } => {
                write!(
                    f,
                    "envelope too short: the slots need {needed} bytes, but {room} are available"
                )
            }
            Error::NoSlots => f.write_str("an envelope needs at least one slot that can be opened"),
            Error::UnknownSlot { id } => write!(f, "the envelope has no slot {id}"),
            Error::WrongContainerKey => f.write_str("the key to wrap is not the container's key"),
            Error::Outdated { found, given } => write!(
                f,
                "the envelope has changed: found revision {found} while writing revision {given}; \
                 open it again and retry"
            ),
            Error::AppendMode => {
                f.write_str("cannot rewrite the envelope in place: the file is open in append mode")
            }
            Error::OutOfMemory => f.write_str("not enough memory to hash the passphrase"),
            Error::Container(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // `Display` already shows the inner error, so the chain continues with its source.
            Error::Container(e) => std::error::Error::source(e),
            _ => None,
        }
    }
}

impl From<bulla::Error> for Error {
    fn from(e: bulla::Error) -> Error {
        Error::Container(e)
    }
}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        Error::Container(e.into())
    }
}

impl From<PassphraseError> for Error {
    fn from(e: PassphraseError) -> Error {
        Error::Passphrase(e)
    }
}

/// The reason why a string is not a valid passphrase. It contains no part of the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// The text is empty.
    Empty,
    /// The text is longer than [`MAX_PASSPHRASE_LEN`](crate::MAX_PASSPHRASE_LEN).
    TooLong {
        /// Length of the text, in bytes.
        bytes: usize,
    },
    /// A character is disallowed, because other devices may encode it differently. Control
    /// characters are disallowed, and so are characters that Unicode 6.3 does not assign, such as
    /// most emoji (E-3.2).
    Refused {
        /// Position of the character, counted from 1.
        position: usize,
    },
}

impl fmt::Display for PassphraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PassphraseError::Empty => f.write_str("the passphrase is empty"),
            PassphraseError::TooLong { bytes } => {
                write!(
                    f,
                    "passphrase too long: {bytes} bytes, at most {MAX_PASSPHRASE_LEN} allowed"
                )
            }
            PassphraseError::Refused { position } => write!(
                f,
                "character {position} of the passphrase is not allowed, because other devices may \
                 encode it differently"
            ),
        }
    }
}

impl std::error::Error for PassphraseError {}
