//! What can go wrong, from the client's side.

use std::{fmt, io};

use crate::protocol::messages::{Code, Failure};
use crate::protocol::wire::DecodeError;
use crate::transport::TransportError;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the vault's client failed. Holds nothing secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The password is not the registration's.
    WrongPassword {
        /// Guesses left, as the vault says.
        left: Option<u32>,
    },
    /// The guesses ran out: the key is gone from the vault for good.
    Locked,
    /// The vault has no such registration.
    NoRecord,
    /// Too many requests for now.
    TooManyRequests {
        /// Seconds after which to ask again.
        retry_after: Option<u32>,
    },
    /// The vault does not accept the token: it is missing, invalid or out of date.
    Unauthorized,
    /// The vault says no for another reason.
    Refused(Failure),
    /// The vault's public key is not the pinned one, or the locator is of a vault with another
    /// address or public key than the configured one.
    VaultMismatch,
    /// What came back is no message of the protocol.
    InvalidResponse(DecodeError),
    /// What came back is a message of the protocol, but one that no honest vault sends.
    ProtocolViolation {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The vault gave back another key than was registered.
    KeyMismatch,
    /// The vault was not reached, or its reply was lost, at every try.
    Transport(TransportError),
    /// The locator could not be written, or reads back as another one. Nothing that was there
    /// before is lost.
    Locator(io::Error),
    /// The token is no signed token with an issuer and a subject.
    InvalidToken,
    /// There is no locator to recover from.
    NoLocator,
    /// The number of guesses is not from 1 to [`MAX_GUESSES`](crate::protocol::messages::MAX_GUESSES).
    GuessesOutOfRange,
    /// There is no memory for stretching the password.
    OutOfMemory,
    /// The operating system gave no random numbers.
    NoRandomness,
    /// A cryptographic library refused what it should not: a bug.
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
                f.write_str("the password is wrong, and no guess is left")
            }
            Error::WrongPassword { left: Some(1) } => {
                f.write_str("the password is wrong; 1 guess is left, then the key is gone for good")
            }
            Error::WrongPassword { left: Some(left) } => {
                write!(
                    f,
                    "the password is wrong; {left} guesses are left, then the key is gone for good"
                )
            }
            Error::WrongPassword { left: None } => f.write_str("the password is wrong"),
            Error::Locked => {
                f.write_str("the guesses ran out: the key is gone from the vault for good")
            }
            Error::NoRecord => {
                f.write_str("the vault has no such registration: was it replaced or deleted since?")
            }
            Error::TooManyRequests { retry_after: Some(seconds) } => {
                write!(f, "too many attempts: try again in {seconds} s")
            }
            Error::TooManyRequests { retry_after: None } => {
                f.write_str("too many attempts: try again later")
            }
            Error::Unauthorized => f.write_str(
                "the vault does not accept the token: it may be out of date, or another vault's",
            ),
            Error::Refused(failure) => failure.code.fmt(f),
            Error::VaultMismatch => f.write_str(
                "this is not the vault of the configuration: its key or address differs",
            ),
            Error::InvalidResponse(error) => write!(f, "the vault's reply is none: {error}"),
            Error::ProtocolViolation { what } => {
                write!(f, "the vault does not keep to the protocol: {what}")
            }
            Error::KeyMismatch => {
                f.write_str("the vault gave back another key than was registered")
            }
            Error::Transport(error) => error.fmt(f),
            Error::Locator(error) => write!(f, "the locator cannot be kept: {error}"),
            Error::InvalidToken => f.write_str("the token is not one with an issuer and a subject"),
            Error::NoLocator => {
                f.write_str("there is no locator, and without it nothing can be recovered")
            }
            Error::GuessesOutOfRange => {
                write!(
                    f,
                    "the number of guesses is not from 1 to {}",
                    crate::protocol::messages::MAX_GUESSES
                )
            }
            Error::OutOfMemory => f.write_str("not enough memory to stretch the password"),
            Error::NoRandomness => f.write_str("the operating system gave no random numbers"),
            Error::Internal => f.write_str("internal error of a cryptographic library"),
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
