//! The schemas of vault vectors; spec/vectors/README.md describes every member.

use serde::{Deserialize, Serialize};

use crate::vectors::hex::Hex;

/// A message body with one feature or one fault, and what a reader must report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// A unique name for the feature or fault, such as `bytes_padded`.
    pub name: String,
    /// The clause of VAULT.md that decides the outcome, such as `V-2.3`.
    pub clause: String,
    /// What was changed in the body, and why it leads to the outcome.
    pub comment: String,
    /// The message to decode the body as, such as `login_start`.
    pub message: String,
    /// The body, as text.
    pub body: String,
    /// `ok`, `too_long`, `not_json` or `bad_field`.
    pub outcome: String,
}

/// A complete set of the values that a client and the vault derive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as in VAULT.md")]
pub struct Derivation {
    pub name: String,
    pub comment: String,
    pub iss: String,
    pub sub: String,
    pub account: Hex,
    pub registration: Hex,
    pub record_name: Hex,
    pub attempt: Hex,
    pub client_identity: Hex,
    pub context: Hex,
    pub password: String,
    pub pepper: Hex,
    pub input: Hex,
    pub passes: u32,
    pub memory_kib: u32,
    pub lanes: u32,
    pub oprf_output: Hex,
    pub stretched: Hex,
    pub export_key: Hex,
    pub wrapping_key: Hex,
    pub key: Hex,
    pub wrapped_key: Hex,
    pub session_key: Hex,
    pub reply_key: Hex,
    pub nonce: Hex,
    pub failures: u32,
    pub lifetime_failures: u32,
    pub grant: Hex,
    pub sealed: Hex,
    pub address: String,
    pub public_key: Hex,
    pub locator_file: Hex,
}
