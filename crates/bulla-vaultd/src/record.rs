//! The two records of an account: the *counter*, which holds the guesses left, and the *sealed*
//! record, which holds the data to test a guess against.
//!
//! | record | changes | protected by |
//! |---|---|---|
//! | [`Counter`] | at every guess, by compare-and-swap | a MAC under a key in the HSM |
//! | [`sealed`] | when registered, resealed, deleted | AES-256-GCM under a key in the HSM |
//!
//! A counter contains the digest of its sealed record, so records cannot be swapped.

mod codec;
mod counter;
mod encoding;
mod guessing;
mod lifecycle;
mod policy;
pub mod sealed;

use std::fmt;

pub use counter::{Attempt, Counter, Finished, Registration, RegistrationDraft, RegistrationState};
pub use encoding::{COUNTER_BODY_LEN, decode_counter, encode_counter};
pub use guessing::{GrantOutcome, ProofOutcome};
pub use lifecycle::{DeleteOutcome, DraftOutcome, RegisterOutcome, clamp};
pub use policy::{MAX_GUESSES, Policy};

/// An account as the store knows it: a hash of tenant and subject (V-2.4).
pub type Account = [u8; 32];
/// A registration's identity, chosen at random by the client (V-2.5).
pub type RegId = [u8; 32];
/// An attempt's identity, chosen at random by the client (V-2.5).
pub type AttemptId = [u8; 16];
/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// The reason why bytes are not a valid record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The length is not that of a record of this kind.
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// The magic is that of another kind or version.
    UnknownVersion,
    /// A field is invalid.
    Malformed {
        /// Offset of the field in bytes.
        offset: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Length { found, expected } => {
                write!(f, "record: {found} bytes instead of {expected}")
            }
            DecodeError::UnknownVersion => f.write_str("record: unknown kind or version"),
            DecodeError::Malformed { offset } => {
                write!(f, "record: invalid field at byte {offset}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}
