//! Vectors of key envelopes (ENVELOPE.md), each with one feature or one fault.

use std::collections::BTreeMap;

pub use model::{Outcome, Secret, Success, Vector};

use super::file::{JsonFiles, to_json_files};

mod model;
mod case;
mod copies;
mod forged;
mod opening;
mod parsing;

/// The value of the member `format` in every file of envelope vectors.
pub const FORMAT: &str = "bulla envelope vectors";
/// The subdirectory of spec/vectors that contains the files.
pub const DIRECTORY: &str = "envelope";

/// Returns all vectors by the name of their file.
///
/// # Panics
///
/// If a stated outcome does not follow from the bytes of its vector.
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
/// Like [`files`].
pub fn all() -> Vec<Vector> {
    files().into_values().flatten().collect()
}

/// Returns the JSON of every file by its name.
///
/// # Panics
///
/// Like [`files`].
pub fn generate() -> JsonFiles {
    to_json_files(FORMAT, files())
}
