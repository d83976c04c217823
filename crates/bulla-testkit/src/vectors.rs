//! The vectors of spec/vectors: their model, and the generator that makes them all in memory.
//!
//! Whoever tests another reader walks [`all`]; the JSON files are [`generate`]'s, so none is copied
//! into this crate. Nothing is random: keys, salts and plaintexts follow from labels by SHA-256.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use hex::Hex;
pub use label::bytes;
pub use outcome::{Failure, Outcome, Success};

pub mod archive;
pub mod envelopes;
pub mod vault;
mod hex;
mod label;
mod outcome;
mod sample;
mod basic;
mod chunks;
mod context;
mod envelope;
mod footer;
mod geometry;
mod header;
mod order;
mod planted;
mod schedule;
mod trailing;
mod truncation;

/// What the member "format" of every file says.
pub const FORMAT: &str = "bulla container vectors";
/// What the member "version" of every file says.
pub const VERSION: u32 = 1;

/// One file of vectors on one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// [`FORMAT`]
    pub format: String,
    /// [`VERSION`]
    pub version: u32,
    /// The vectors, in the order in which they are to be read.
    pub vectors: Vec<Vector>,
}

/// One container with one feature or one fault, and what readers make of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Unique, and telling: `last_chunk_full`.
    pub name: String,
    /// The clause of FORMAT.md that decides: `F-7.3`.
    pub clause: String,
    /// What was done, and why the outcome follows.
    pub comment: String,
    /// The key that the reader is given.
    pub key: Hex,
    /// The context that the reader is given.
    pub context: Option<Hex>,
    /// The container.
    pub container: Hex,
    /// What a writer needs, with key and context, to make exactly this container, where one can.
    pub seal: Option<Seal>,
    /// The envelope's copies, where a reader with positional access gets as far; it does so
    /// without a key (F-8.1).
    pub envelopes: Option<Envelopes>,
    /// The key schedule, where a reader with positional access gets as far.
    pub intermediates: Option<Intermediates>,
    /// What a reader without positional access reports.
    pub stream: Outcome,
    /// What a reader with positional access reports.
    pub positional: Outcome,
}

/// What a writer is given, besides key and context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of the spec")]
pub struct Seal {
    pub plaintext: Hex,
    pub salt: Hex,
    pub chunk_log2: u8,
    pub content: u8,
    pub envelope: Hex,
}

/// What a reader hands back of the envelope, as it stands (F-8.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelopes {
    /// The copy after the header.
    pub head: Hex,
    /// The copy before the footer; none if the container is too short to have one.
    pub tail: Option<Hex>,
}

/// Every value of the key schedule (F-4.3), over the copy that counts and the context given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of F-4.3")]
pub struct Intermediates {
    pub info: Hex,
    pub t1: Hex,
    pub t2: Hex,
    pub chunk_key: Hex,
    pub base_nonce: Hex,
    pub commitment: Hex,
    pub exporter: Hex,
    /// Of chunks 0 to n, and of some that no vector is long enough to have (F-5.2).
    pub nonces: Vec<ChunkNonce>,
    /// One exported secret (F-4.5).
    pub export: Export,
}

/// The nonce of one chunk (F-5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkNonce {
    /// The chunk's number.
    pub index: u64,
    /// Its nonce.
    pub nonce: Hex,
}

/// One exported secret (F-4.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of F-4.5")]
pub struct Export {
    pub label: Hex,
    pub secret: Hex,
}

/// All vectors, by the name of the file that holds them.
///
/// # Panics
///
/// If the reference reports something else than the generator states by hand.
pub fn files() -> BTreeMap<&'static str, Vec<Vector>> {
    BTreeMap::from([
        ("basic.json", basic::vectors()),
        ("chunks.json", chunks::vectors()),
        ("context.json", context::vectors()),
        ("envelope.json", envelope::vectors()),
        ("footer.json", footer::vectors()),
        ("geometry.json", geometry::vectors()),
        ("header.json", header::vectors()),
        ("order.json", order::vectors()),
        ("planted.json", planted::vectors()),
        ("schedule.json", schedule::vectors()),
        ("trailing.json", trailing::vectors()),
        ("truncation.json", truncation::vectors()),
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
