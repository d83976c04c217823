//! The JSON files. Their top-level members are the same for every kind of vector.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The value of the `version` member in every file.
pub const VERSION: u32 = 1;

/// The contents of the JSON files in one directory, by file name.
pub type JsonFiles = BTreeMap<&'static str, String>;

/// A JSON file with vectors of type `V` on one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile<V> {
    /// The kind of vectors in the file: the `FORMAT` constant of the module that defines `V`.
    pub format: String,
    /// The version of the schema: [`VERSION`].
    pub version: u32,
    /// The vectors, in the order in which they are meant to be read.
    pub vectors: Vec<V>,
}

/// Renders one file.
pub(super) fn to_json<V: Serialize>(format: &str, vectors: Vec<V>) -> String {
    let file = VectorFile { format: format.to_owned(), version: VERSION, vectors };
    serde_json::to_string_pretty(&file).expect("strings, numbers and lists are JSON") + "\n"
}

/// Renders every file of a directory.
pub(super) fn to_json_files<V: Serialize>(
    format: &str,
    files: BTreeMap<&'static str, Vec<V>>,
) -> JsonFiles {
    files.into_iter().map(|(name, vectors)| (name, to_json(format, vectors))).collect()
}
