//! Backup Key Vault vectors (VAULT.md): valid and invalid message bodies, and derivations.

pub use model::{Derivation, Message};

use std::collections::BTreeMap;

use super::file::{JsonFiles, to_json};

mod model;
mod base64url;
mod derivations;
mod messages;

/// The value of the `format` member in every vault vector file.
pub const FORMAT: &str = "bulla vault vectors";
/// The subdirectory of spec/vectors that contains the files.
pub const DIRECTORY: &str = "vault";

/// Returns the message vectors.
pub fn messages() -> Vec<Message> {
    messages::vectors()
}

/// Returns the derivation vectors.
pub fn derivations() -> Vec<Derivation> {
    derivations::vectors()
}

/// Returns the contents of every JSON file, by file name.
pub fn generate() -> JsonFiles {
    BTreeMap::from([
        ("derivations.json", to_json(FORMAT, derivations())),
        ("messages.json", to_json(FORMAT, messages())),
    ])
}
