//! Container vectors (FORMAT.md), each with one feature or one fault.

use std::collections::BTreeMap;

pub use model::{ChunkNonce, Envelopes, Export, Intermediates, Seal, Vector};
pub use outcome::{Failure, Outcome, Success};

use super::file::{JsonFiles, to_json_files};

mod outcome;
mod model;
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

/// The value of the `format` member in every container vector file.
pub const FORMAT: &str = "bulla container vectors";

/// Returns all vectors, grouped by file name.
///
/// # Panics
///
/// If the reference disagrees with a stated outcome.
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

/// Returns all vectors.
///
/// # Panics
///
/// In the same cases as [`files`].
pub fn all() -> Vec<Vector> {
    files().into_values().flatten().collect()
}

/// Returns the contents of every JSON file, by file name.
///
/// # Panics
///
/// In the same cases as [`files`].
pub fn generate() -> JsonFiles {
    to_json_files(FORMAT, files())
}
