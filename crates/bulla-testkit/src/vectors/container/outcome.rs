//! The outcomes of reading a container, as the vectors represent them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::reference::{ContainerError, HeaderState, OpenedContainer, StreamOutcome};
use crate::vectors::hex::Hex;

/// The outcome of reading a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole plaintext is released.
    Ok(Success),
    /// The first error.
    Error(Failure),
}

/// The length and hash of the plaintext, and the state of the header copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// The length of the plaintext in bytes.
    pub plaintext_len: u64,
    /// SHA-256 of the plaintext.
    pub plaintext_sha256: Hex,
    /// The state of the header copies (F-3.6): `intact`, `header_damaged`, `footer_damaged` or
    /// `differ`.
    pub header_state: String,
}

/// An error in section 9 of FORMAT.md with its details, and the bytes released before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The name of the error, such as `chunk_rejected`.
    pub name: String,
    /// The version, for `unsupported_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<u8>,
    /// The suite, for `unsupported_suite`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<u16>,
    /// The chunk, for `chunk_rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The number of chunks before the end, for `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The number of excess bytes, for `trailing_data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<u64>,
    /// The number of plaintext bytes released before the error. Streaming only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_len: Option<u64>,
    /// SHA-256 of those bytes. Streaming only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_sha256: Option<Hex>,
}

impl From<ContainerError> for Failure {
    fn from(error: ContainerError) -> Failure {
        let mut failure = Failure { name: error.name().to_owned(), ..Failure::default() };
        match error {
            ContainerError::UnsupportedVersion { major } => failure.major = Some(major),
            ContainerError::UnsupportedSuite { suite } => failure.suite = Some(suite),
            ContainerError::ChunkRejected { index } => failure.index = Some(index),
            ContainerError::Truncated { after } => failure.after = Some(after),
            ContainerError::TrailingData { extra } => failure.extra = Some(extra),
            _ => {}
        }
        failure
    }
}

impl From<&StreamOutcome> for Outcome {
    fn from(stream: &StreamOutcome) -> Outcome {
        match stream.result {
            Ok(state) => Outcome::Ok(success(&stream.released, state)),
            Err(error) => Outcome::Error(Failure {
                released_len: Some(stream.released.len() as u64),
                released_sha256: Some(Sha256::digest(&stream.released).into()),
                ..error.into()
            }),
        }
    }
}

impl From<&Result<OpenedContainer, ContainerError>> for Outcome {
    fn from(positional: &Result<OpenedContainer, ContainerError>) -> Outcome {
        match positional {
            Ok(opened) => Outcome::Ok(success(&opened.plaintext, opened.header_state)),
            Err(error) => Outcome::Error((*error).into()),
        }
    }
}

fn success(plaintext: &[u8], state: HeaderState) -> Success {
    Success {
        plaintext_len: plaintext.len() as u64,
        plaintext_sha256: Sha256::digest(plaintext).into(),
        header_state: state.name().to_owned(),
    }
}
