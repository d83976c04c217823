//! Archive vectors (ARCHIVE.md), each with one feature or one fault.

use std::collections::BTreeMap;

pub use model::{Modified, Step, Vector, VectorEntry, VectorFailure, VectorNote};

use super::file::{JsonFiles, to_json_files};

mod model;
mod case;
mod whole;
mod attributes;
mod contents;
mod fence;
mod index;
mod names;
mod notes;
mod records;
mod trailer;

/// The value of the `format` member in every archive vector file.
pub const FORMAT: &str = "bulla archive vectors";
/// The subdirectory of spec/vectors that contains the files.
pub const DIRECTORY: &str = "archive";

/// Returns all vectors, grouped by file name.
///
/// # Panics
///
/// If the reference disagrees with a stated outcome.
pub fn files() -> BTreeMap<&'static str, Vec<Vector>> {
    BTreeMap::from([
        ("attributes.json", attributes::vectors()),
        ("contents.json", contents::vectors()),
        ("fence.json", fence::vectors()),
        ("index.json", index::vectors()),
        ("names.json", names::vectors()),
        ("notes.json", notes::vectors()),
        ("records.json", records::vectors()),
        ("trailer.json", trailer::vectors()),
        ("whole.json", whole::vectors()),
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
