//! The vectors of spec/vectors/vault: the vault's messages, good and bad, and its derivations. They
//! have schemas of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Hex;

mod base64url;
mod derivations;
mod messages;

/// What the member "format" of every file says.
pub const FORMAT: &str = "bulla vault vectors";
/// What the member "version" of every file says.
pub const VERSION: u32 = 1;
/// The directory of the files, in that of the containers' vectors.
pub const DIRECTORY: &str = "vault";

/// One file of vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile<V> {
    /// [`FORMAT`]
    pub format: String,
    /// [`VERSION`]
    pub version: u32,
    /// The vectors.
    pub vectors: Vec<V>,
}

/// One body with one feature or one fault, and what a reader makes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Unique, and telling: `login_start_ke1_short`.
    pub name: String,
    /// The clause of VAULT.md that decides: `V-2.3`.
    pub clause: String,
    /// What was done, and why the outcome follows.
    pub comment: String,
    /// Which message the body is read as: `login_start`.
    pub message: String,
    /// The body, which is text.
    pub body: String,
    /// `ok`, `too_long`, `not_json` or `bad_field`.
    pub outcome: String,
}

/// One value of everything that client and vault derive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the names are those of the page; spec/vectors/README.md says the rest"
)]
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

/// The vectors of messages.
pub fn messages() -> Vec<Message> {
    messages::vectors()
}

/// The vectors of derivations.
///
/// # Panics
///
/// If the generator contradicts itself.
pub fn derivations() -> Vec<Derivation> {
    derivations::vectors()
}

/// The JSON of every file, by its name.
///
/// # Panics
///
/// As [`derivations`].
pub fn generate() -> BTreeMap<&'static str, String> {
    BTreeMap::from([("derivations.json", json(derivations())), ("messages.json", json(messages()))])
}

fn json<V: Serialize>(vectors: Vec<V>) -> String {
    let file = VectorFile { format: FORMAT.to_owned(), version: VERSION, vectors };
    serde_json::to_string_pretty(&file).expect("strings, numbers and lists are JSON") + "\n"
}
