//! The schema of container vectors; spec/vectors/README.md describes every member.

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::vectors::hex::Hex;

/// A container with one feature or one fault, and the outcomes that readers must report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// A unique name for the feature or fault, such as `last_chunk_full`.
    pub name: String,
    /// The clause of FORMAT.md that decides the outcome, such as `F-7.3`.
    pub clause: String,
    /// What was changed in the container, and why it leads to the outcome.
    pub comment: String,
    /// The key given to the reader.
    pub key: Hex,
    /// The context given to the reader.
    pub context: Option<Hex>,
    /// The container.
    pub container: Hex,
    /// The writer's inputs besides key and context, if a writer can produce this container.
    pub seal: Option<Seal>,
    /// Both copies of the envelope, if a positional reader gets that far. No key is needed (F-8.1).
    pub envelopes: Option<Envelopes>,
    /// The key schedule, if a positional reader gets that far.
    pub intermediates: Option<Intermediates>,
    /// The outcome for a streaming reader.
    pub stream: Outcome,
    /// The outcome for a positional reader.
    pub positional: Outcome,
}

/// The inputs of a writer besides key and context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as in FORMAT.md")]
pub struct Seal {
    pub plaintext: Hex,
    pub salt: Hex,
    pub chunk_log2: u8,
    pub content: u8,
    pub envelope: Hex,
}

/// Both copies of the envelope, byte for byte as stored (F-8.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelopes {
    /// The copy after the header.
    pub head: Hex,
    /// The copy before the footer, unless the container is too short for one.
    pub tail: Option<Hex>,
}

/// Every value in the key schedule (F-4.3) for the authoritative header copy and the given context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as in F-4.3")]
pub struct Intermediates {
    pub info: Hex,
    pub t1: Hex,
    pub t2: Hex,
    pub chunk_key: Hex,
    pub base_nonce: Hex,
    pub commitment: Hex,
    pub exporter: Hex,
    /// The nonces of chunks 0 to n, and of some chunk numbers that are higher than in any vector
    /// (F-5.2).
    pub nonces: Vec<ChunkNonce>,
    /// One exported secret (F-4.5).
    pub export: Export,
}

/// The nonce of one chunk (F-5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkNonce {
    /// The chunk number.
    pub index: u64,
    /// The nonce.
    pub nonce: Hex,
}

/// One exported secret (F-4.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as in F-4.5")]
pub struct Export {
    pub label: Hex,
    pub secret: Hex,
}
