//! The schema of envelope vectors; spec/vectors/README.md describes every member.

use serde::{Deserialize, Serialize};

use crate::vectors::hex::Hex;

/// An envelope with one feature or one fault, and what a reader must report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// A unique name for the feature or fault, such as `slot_from_another_container`.
    pub name: String,
    /// The clause of ENVELOPE.md that decides the outcome, such as `E-4.4`.
    pub clause: String,
    /// What was changed in the envelope, and why it leads to the outcome.
    pub comment: String,
    /// The container's header.
    pub header: Hex,
    /// The context given to the reader.
    pub context: Option<Hex>,
    /// The first copy, or the only one.
    pub first: Hex,
    /// The second copy, if the reader has two.
    pub second: Option<Hex>,
    /// The secret given to the reader.
    pub secret: Secret,
    /// The outcome that the reader must report.
    pub outcome: Outcome,
}

/// The secret with which a reader opens an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// A recovery key.
    RecoveryKey(Hex),
    /// A passphrase as typed, before the OpaqueString profile is applied.
    Passphrase(String),
}

/// The outcome of opening an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The envelope opens.
    Ok(Box<Success>),
    /// The name of the error, such as `wrong_secret`.
    Error(String),
}

/// The results of opening an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// The container's key.
    pub container_key: Hex,
    /// The id of the slot that opens.
    pub slot: u16,
    /// The revision of the envelope.
    pub revision: u64,
    /// The state of the copies (E-2.6): `intact`, `first_damaged`, `second_damaged`, `differ`, or
    /// `single` for a single copy.
    pub copies: String,
    /// Whether the MAC is valid (E-5.2).
    pub intact: bool,
    /// The 32-byte secret of the slot (section 3).
    pub slot_secret: Hex,
    /// The head of the slot (section 3).
    pub slot_head: Hex,
    /// The wrapping key followed by the commitment (E-4.1).
    pub t1: Hex,
    /// The MAC key (E-5.1).
    pub mac_key: Hex,
}
