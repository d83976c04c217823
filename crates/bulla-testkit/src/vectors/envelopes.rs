//! The vectors of spec/vectors/envelope: key envelopes with one feature or one fault each. They
//! have a schema of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Hex;

mod case;
mod copies;
mod forged;
mod opening;
mod parsing;

/// What the member "format" of every file says.
pub const FORMAT: &str = "bulla envelope vectors";
/// What the member "version" of every file says.
pub const VERSION: u32 = 1;
/// The directory of the files, in that of the containers' vectors.
pub const DIRECTORY: &str = "envelope";

/// One file of vectors on one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// [`FORMAT`]
    pub format: String,
    /// [`VERSION`]
    pub version: u32,
    /// The vectors.
    pub vectors: Vec<Vector>,
}

/// One envelope with one feature or one fault, and what readers make of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Unique, and telling: `slot_of_another_container`.
    pub name: String,
    /// The clause of ENVELOPE.md that decides: `E-4.4`.
    pub clause: String,
    /// What was done, and why the outcome follows.
    pub comment: String,
    /// The container's header.
    pub header: Hex,
    /// The context that the reader is given.
    pub context: Option<Hex>,
    /// The first copy, or the only one.
    pub first: Hex,
    /// The second copy; none if the reader has one only.
    pub second: Option<Hex>,
    /// What the reader is to open it with.
    pub secret: Secret,
    /// What the reader reports.
    pub outcome: Outcome,
}

/// What a reader opens an envelope with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// A recovery key.
    RecoveryKey(Hex),
    /// A passphrase as it is typed, before it is an OpaqueString.
    Passphrase(String),
}

/// What a reader reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The envelope opens.
    Ok(Box<Success>),
    /// The error's name: `wrong_secret`.
    Error(String),
}

/// What an envelope gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// The container's key.
    pub container_key: Hex,
    /// The id of the slot that opens.
    pub slot: u16,
    /// The envelope's revision.
    pub revision: u64,
    /// What is reported of the copies (E-2.6): `intact`, `first_damaged`, `second_damaged`,
    /// `differ`, or `single` where there is one.
    pub copies: String,
    /// Whether the mac holds (E-5.2).
    pub intact: bool,
    /// The 32 bytes of the slot's secret (section 3).
    pub slot_secret: Hex,
    /// The slot's head (section 3).
    pub slot_head: Hex,
    /// The wrapping key, then the commitment (E-4.1).
    pub t1: Hex,
    /// What the mac is made with (E-5.1).
    pub mac_key: Hex,
}

/// All vectors, by the name of the file that holds them.
///
/// # Panics
///
/// If the generator contradicts itself.
pub fn files() -> BTreeMap<&'static str, Vec<Vector>> {
    BTreeMap::from([
        ("copies.json", copies::vectors()),
        ("forged.json", forged::vectors()),
        ("opening.json", opening::vectors()),
        ("parsing.json", parsing::vectors()),
    ])
}

/// All vectors.
///
/// # Panics
///
/// As [`files`].
pub fn all() -> Vec<Vector> {
    files().into_values().flatten().collect()
}

/// The JSON of every file, by its name.
///
/// # Panics
///
/// As [`files`].
pub fn generate() -> BTreeMap<&'static str, String> {
    let json = |vectors| {
        let file = VectorFile { format: FORMAT.to_owned(), version: VERSION, vectors };
        serde_json::to_string_pretty(&file).expect("strings, numbers and lists are JSON") + "\n"
    };
    files().into_iter().map(|(name, vectors)| (name, json(vectors))).collect()
}
