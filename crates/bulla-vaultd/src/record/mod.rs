//! An account's two records: the *counter*, which holds the number of guesses left, and the
//! *sealed* record, which holds the data needed to test a guess.
//!
//! | record | changes | protected by |
//! |---|---|---|
//! | [`Counter`] | at every guess, by compare-and-swap | a MAC under a key in the HSM |
//! | [`sealed`] | when registered, resealed or deleted | AES-256-GCM under a key in the HSM |
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

/// An account as the store identifies it: a hash of the tenant and the subject (V-2.4).
pub type Account = [u8; 32];
/// A registration's identity, chosen at random by the client (V-2.5).
pub type RegId = [u8; 32];
/// An attempt's identity, chosen at random by the client (V-2.5).
pub type AttemptId = [u8; 16];
/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// The reason bytes are not a valid record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The length is wrong for this kind of record.
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// The magic belongs to another kind or version of record.
    UnknownVersion,
    /// A field is invalid.
    Malformed {
        /// The field's offset in bytes.
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
