//! Key envelope vectors (ENVELOPE.md), each with one feature or one fault.

use std::collections::BTreeMap;

pub use model::{Outcome, Secret, Success, Vector};

use super::file::{JsonFiles, to_json_files};

mod model;
mod case;
mod copies;
mod forged;
mod opening;
mod parsing;

/// The value of the `format` member in every envelope vector file.
pub const FORMAT: &str = "bulla envelope vectors";
/// The subdirectory of spec/vectors that contains the files.
pub const DIRECTORY: &str = "envelope";

/// Returns all vectors, grouped by file name.
///
/// # Panics
///
/// If a stated outcome contradicts the bytes of its vector.
pub fn files() -> BTreeMap<&'static str, Vec<Vector>> {
    BTreeMap::from([
        ("copies.json", copies::vectors()),
        ("forged.json", forged::vectors()),
        ("opening.json", opening::vectors()),
        ("parsing.json", parsing::vectors()),
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
