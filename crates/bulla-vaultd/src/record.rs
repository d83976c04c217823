//! The two records of an account: the *counter*, which says how many guesses are left, and the
//! *sealed* record, which holds what a guess is tested against.
//!
//! | record | changes | guarded by |
//! |---|---|---|
//! | [`Counter`] | with every guess, by compare-and-swap | a MAC under a key in the HSM |
//! | [`Sealed`](sealed) | never: it is written once, re-sealed under a new epoch's key, deleted | AES-256-GCM under a key in the HSM |
//!
//! A counter names its sealed record by digest, so one cannot be put beside another's counter.

mod codec;
mod counter;
mod encoding;
mod guessing;
mod lifecycle;
mod policy;
pub mod sealed;

use std::fmt;

pub use counter::{Attempt, Counter, Draft, Finished, Slot, State};
pub use encoding::{COUNTER_BODY_LEN, decode_counter, encode_counter};
pub use guessing::{Grant, Proof};
pub use lifecycle::{Deletion, Drafting, Placement, clamp};
pub use policy::{MAX_GUESSES, Policy};

/// An account as the store knows it: a keyed hash of tenant and subject.
pub type Account = [u8; 32];
/// A registration's identity, drawn by the client.
pub type RegId = [u8; 32];
/// A login attempt's identity, drawn by the client.
pub type AttemptId = [u8; 16];
/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A record of this kind has another length.
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes that such a record has.
        expected: usize,
    },
    /// A record of another kind or version.
    UnknownVersion,
    /// A field breaks a rule.
    Malformed {
        /// Where the field begins, in bytes.
        offset: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Length { found, expected } => {
                write!(f, "record has {found} bytes, not {expected}")
            }
            DecodeError::UnknownVersion => f.write_str("record is of another kind or version"),
            DecodeError::Malformed { offset } => {
                write!(f, "record breaks a rule in the field at byte {offset}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}
