//! Errors from the client.

use std::{fmt, io};

use crate::protocol::messages::{Code, Failure, MAX_GUESSES};
use crate::protocol::wire::DecodeError;
use crate::transport::TransportError;

/// A `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error from the vault client. It contains no secrets.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The password is wrong for this registration.
    WrongPassword {
        /// Guesses left, as reported by the vault.
        left: Option<u32>,
    },
    /// No guesses are left, and the vault has permanently deleted the key.
    Locked,
    /// The vault has no such registration.
    NoRecord,
    /// The request exceeds the vault's rate limit.
    TooManyRequests {
        /// Seconds to wait before the next request.
        retry_after: Option<u32>,
    },
    /// The vault rejected the token as missing, invalid or expired.
    Unauthorized,
    /// The vault refused the request for another reason.
    Refused(Failure),
    /// The vault's public key is not the pinned one, or the locator's hints name a vault other than
    /// the configured one.
    VaultMismatch,
    /// The response is not a protocol message.
    InvalidResponse(DecodeError),
    /// The response is a protocol message, but not one that a correct vault would send.
    ProtocolViolation {
        /// A description of the violation.
        what: &'static str,
    },
    /// The vault returned a key other than the one that was registered.
    KeyMismatch,
    /// The transport failed, or no request got a response.
    Transport(TransportError),
    /// The locator could not be stored, or it reads back with different bytes. The locator that was
    /// in use is not lost.
    Locator(io::Error),
    /// The token is not a JWT with an issuer and a subject.
    InvalidToken,
    /// No locator was given to recover from.
    NoLocator,
    /// The requested number of guesses is not between 1 and
    /// [`MAX_GUESSES`](crate::messages::MAX_GUESSES).
    GuessesOutOfRange,
    /// The memory that Argon2id requires could not be allocated.
    OutOfMemory,
    /// The operating system's random number generator failed.
    NoRandomness,
    /// A cryptographic library rejected valid input. This is a bug.
    Internal,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        match failure.code {
            Code::WrongPassword => Error::WrongPassword { left: failure.left },
            Code::Locked => Error::Locked,
            Code::NoRecord => Error::NoRecord,
            Code::TooManyRequests => Error::TooManyRequests { retry_after: failure.retry_after },
            Code::Unauthorized => Error::Unauthorized,
            Code::Malformed | Code::Conflict | Code::Unavailable => Error::Refused(failure),
        }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Error {
        Error::InvalidResponse(error)
    }
}

impl From<rand_core::Error> for Error {
    fn from(_: rand_core::Error) -> Error {
        Error::NoRandomness
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::WrongPassword { left: Some(0) } => {
                f.write_str("wrong password; no guesses left")
            }
            Error::WrongPassword { left: Some(1) } => {
                f.write_str("wrong password; 1 guess left before the key is permanently deleted")
            }
            Error::WrongPassword { left: Some(left) } => write!(
                f,
                "wrong password; {left} guesses left before the key is permanently deleted"
            ),
            Error::WrongPassword { left: None } => f.write_str("wrong password"),
            Error::Locked => f.write_str("no guesses left; the key was permanently deleted"),
            Error::NoRecord => f.write_str(
                "no such registration; it may have been replaced or deleted since the locator was \
                 stored",
            ),
            Error::TooManyRequests { retry_after: Some(seconds) } => {
                write!(f, "too many attempts; try again in {seconds} s")
            }
            Error::TooManyRequests { retry_after: None } => {
                f.write_str("too many attempts; try again later")
            }
            Error::Unauthorized => f.write_str(
                "token rejected: it is expired, or issued for another vault; obtain a new one",
            ),
            Error::Refused(failure) => failure.code.fmt(f),
            Error::VaultMismatch => f.write_str(
                "not the configured vault: the public key or address differs; check the \
                 configuration",
            ),
            Error::InvalidResponse(error) => write!(f, "invalid response: {error}"),
            Error::ProtocolViolation { what } => write!(f, "protocol violation: {what}"),
            Error::KeyMismatch => f.write_str(
                "the vault returned a key other than the registered one; keep another copy of the \
                 key",
            ),
            Error::Transport(error) => error.fmt(f),
            Error::Locator(error) => write!(f, "cannot store the locator: {error}"),
            Error::InvalidToken => f.write_str("not a JWT with an issuer and a subject"),
            Error::NoLocator => f.write_str(
                "no locator: recovery requires a locator file, or a backup sealed with the key in \
                 the vault",
            ),
            Error::GuessesOutOfRange => {
                write!(f, "number of guesses out of range: must be 1 to {MAX_GUESSES}")
            }
            Error::OutOfMemory => f.write_str("not enough memory to stretch the password"),
            Error::NoRandomness => {
                f.write_str("the operating system's random number generator failed")
            }
            Error::Internal => f.write_str("internal error in a cryptographic library"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::InvalidResponse(error) => Some(error),
            Error::Transport(error) => Some(error),
            Error::Locator(error) => Some(error),
            _ => None,
        }
    }
}
