//! What can go wrong with an envelope.

use std::{fmt, io};

/// Bytes in the longest text that is taken for a passphrase.
pub const MAX_PASSPHRASE_LEN: usize = 1024;

/// What went wrong with an envelope. Every variant names public facts only, so that any of them may
/// be logged.
///
/// The variants up to [`TooCostly`](Error::TooCostly) are those of ENVELOPE.md, section 7, one to
/// one; the others concern the call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no envelope: no room for one, or nothing but zeros in it (E-2.4).
    NoEnvelope,
    /// The bytes are not those of an envelope (E-2.4).
    NotAnEnvelope,
    /// An envelope of another version (E-2.4).
    UnsupportedVersion {
        /// The version of the envelope; this crate knows 1.
        version: u8,
    },
    /// The envelope's check does not hold, nor that of its other copy if there is one (E-2.4).
    Damaged,
    /// The check holds, but the envelope breaks a rule: it was not made by a correct writer
    /// (E-2.5).
    Malformed {
        /// Where, in bytes from the envelope's beginning.
        offset: usize,
    },
    /// The envelope belongs to another container, or the context is another one (E-4.4, E-4.5).
    AnotherContainer,
    /// The key or passphrase opens none of the slots that are for its like (E-4.3).
    WrongSecret,
    /// No slot is for this kind of secret: none for a passphrase, say (E-4.3).
    NoSuchSlot,
    /// The key or passphrase opens no slot, but there are slots that would take more memory or time
    /// than is allowed; they were not tried (E-4.3).
    TooCostly,
    /// The envelope was altered by somebody without the container's key, so nothing of it is
    /// carried into a new one (E-5.2).
    Altered,
    /// The text cannot be a passphrase.
    Passphrase(PassphraseError),
    /// The parameters for Argon2id are out of range (E-3.3).
    CostOutOfRange,
    /// A vault locator's hints are too long (E-3.4).
    LocatorTooLong {
        /// Bytes that they take.
        bytes: usize,
    },
    /// There are more slots than an envelope may have, or more for passphrases (E-2.3).
    TooManySlots,
    /// The envelope is too short for its slots.
    NoRoom {
        /// Bytes that it would have to have.
        needed: usize,
        /// Bytes that it has.
        room: usize,
    },
    /// An envelope without a slot that can be opened would lock everybody out.
    NoSlots,
    /// There is no slot of this number.
    UnknownSlot {
        /// The number that was given.
        id: u16,
    },
    /// The key to be wrapped is not the one that the container is sealed under.
    WrongContainerKey,
    /// The envelope in the container is not the one that was opened: it was rewritten meanwhile
    /// (E-6.3).
    Outdated {
        /// The revision in the container.
        found: u64,
        /// The revision that was to be written.
        given: u64,
    },
    /// The file did not take a write in place: it is open for appending. It was cut back to its
    /// length.
    AppendMode,
    /// There is not enough memory for Argon2id.
    OutOfMemory,
    /// Reading the container failed, or it refused the key or context.
    Container(bulla::Error),
}

/// Shorthand for results of this crate's envelopes.
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoEnvelope => f.write_str("there is no envelope; the container opens with its key itself"),
            Error::NotAnEnvelope => f.write_str("not a key envelope"),
            Error::UnsupportedVersion { version } => {
                write!(f, "envelope version {version} is not supported; a newer release may open it")
            }
            Error::Damaged => f.write_str(
                "the envelope is damaged; if this came through a pipe, open it as a file, else use an envelope that was kept beside it",
            ),
            Error::Malformed { offset } => {
                write!(f, "the envelope breaks a rule at byte {offset}; it was made by a faulty or hostile writer")
            }
            Error::AnotherContainer => {
                f.write_str("the envelope belongs to another container, or the container to another context")
            }
            Error::WrongSecret => f.write_str("the key or passphrase does not open this envelope"),
            Error::NoSuchSlot => f.write_str("the envelope has no slot for this kind of secret"),
            Error::TooCostly => f.write_str(
                "the passphrase opens no slot, and one was not tried, because it asks for more memory or time than is allowed",
            ),
            Error::Altered => f.write_str(
                "the envelope was altered without the key, so its slots are not taken over; make new ones",
            ),
            Error::Passphrase(e) => e.fmt(f),
            Error::CostOutOfRange => f.write_str("the cost is out of the range for Argon2id in an envelope"),
            Error::LocatorTooLong { bytes } => write!(f, "{bytes} bytes of hints are too many for a locator"),
            Error::TooManySlots => f.write_str("the envelope has as many slots as it may have"),
            Error::NoRoom { needed, room } => {
                write!(f, "the slots take an envelope of {needed} bytes, and there are {room}")
            }
            Error::NoSlots => f.write_str("an envelope without slots would lock everybody out"),
            Error::UnknownSlot { id } => write!(f, "there is no slot {id}"),
            Error::WrongContainerKey => f.write_str("the key to be wrapped is not the container's"),
            Error::Outdated { found, given } => write!(
                f,
                "the envelope was rewritten meanwhile: revision {found} is there, {given} was to follow; open it anew"
            ),
            Error::AppendMode => f.write_str("the file cannot be written in place; is it open for appending?"),
            Error::OutOfMemory => f.write_str("not enough memory to try the passphrase"),
            Error::Container(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Display already shows it; its own source is what comes next.
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

/// Why a text cannot be a passphrase. It holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// It is empty.
    Empty,
    /// It is longer than [`MAX_PASSPHRASE_LEN`](crate::MAX_PASSPHRASE_LEN).
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A character is none that other devices are sure to take for the same: a control character,
    /// or one that Unicode 6.3, whose tables RFC 8264's registry has, does not know, as most
    /// emoji (E-3.2).
    Refused {
        /// Which character, from 1.
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
                    "{bytes} bytes are too many for a passphrase; {MAX_PASSPHRASE_LEN} are the limit"
                )
            }
            PassphraseError::Refused { position } => write!(
                f,
                "character {position} of the passphrase may not come out the same on another device; use another one"
            ),
        }
    }
}

impl std::error::Error for PassphraseError {}
