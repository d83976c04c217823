//! What a reader reports at the end, in the words of the vectors.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Hex;
use crate::reference::{Fault, HeaderState, Opened, StreamOutcome};

/// What a reader reports at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The plaintext is whole.
    Ok(Success),
    /// The first error.
    Error(Failure),
}

/// A plaintext, by its length and hash, and the state of the copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// Bytes in the plaintext.
    pub plaintext_len: u64,
    /// SHA-256 of the plaintext.
    pub plaintext_sha256: Hex,
    /// `intact`, `header_damaged`, `footer_damaged` or `differ` (F-3.6).
    pub copies: String,
}

/// An error of section 9 with its details, and what was released before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The error: `chunk_rejected`.
    pub name: String,
    /// The version of `unsupported_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<u8>,
    /// The suite of `unsupported_suite`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<u16>,
    /// The chunk of `chunk_rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The chunks before the cut of `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The bytes too many of `trailing_data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<u64>,
    /// Streaming only: bytes of plaintext released before the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_len: Option<u64>,
    /// Streaming only: SHA-256 of those bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_sha256: Option<Hex>,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let mut failure = Failure { name: fault.name().to_owned(), ..Failure::default() };
        match fault {
            Fault::UnsupportedVersion { major } => failure.major = Some(major),
            Fault::UnsupportedSuite { suite } => failure.suite = Some(suite),
            Fault::ChunkRejected { index } => failure.index = Some(index),
            Fault::Truncated { after } => failure.after = Some(after),
            Fault::TrailingData { extra } => failure.extra = Some(extra),
            _ => {}
        }
        failure
    }
}

impl From<&StreamOutcome> for Outcome {
    fn from(stream: &StreamOutcome) -> Outcome {
        match stream.result {
            Ok(copies) => Outcome::Ok(success(&stream.released, copies)),
            Err(fault) => Outcome::Error(Failure {
                released_len: Some(stream.released.len() as u64),
                released_sha256: Some(Sha256::digest(&stream.released).into()),
                ..fault.into()
            }),
        }
    }
}

impl From<&Result<Opened, Fault>> for Outcome {
    fn from(positional: &Result<Opened, Fault>) -> Outcome {
        match positional {
            Ok(opened) => Outcome::Ok(success(&opened.plaintext, opened.header_state)),
            Err(fault) => Outcome::Error((*fault).into()),
        }
    }
}

fn success(plaintext: &[u8], copies: HeaderState) -> Success {
    Success {
        plaintext_len: plaintext.len() as u64,
        plaintext_sha256: Sha256::digest(plaintext).into(),
        copies: copies.name().to_owned(),
    }
}
