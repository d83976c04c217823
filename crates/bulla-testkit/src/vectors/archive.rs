//! The vectors of spec/vectors/archive: archives with one feature or one fault each. They have a
//! schema of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Hex;

mod case;
mod attributes;
mod contents;
mod fence;
mod index;
mod names;
mod notes;
mod records;
mod trailer;
mod whole;

/// What the member "format" of every file says.
pub const FORMAT: &str = "bulla archive vectors";
/// What the member "version" of every file says.
pub const VERSION: u32 = 1;
/// The directory of the files, in that of the containers' vectors.
pub const DIRECTORY: &str = "archive";

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

/// One archive with one feature or one fault, and what readers make of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Unique, and telling: `fence_runs_in_a_circle`.
    pub name: String,
    /// The clause of ARCHIVE.md that decides: `A-6.1`.
    pub clause: String,
    /// What was done, and why the outcome follows.
    pub comment: String,
    /// The key that the reader is given.
    pub key: Hex,
    /// The context that the reader is given.
    pub context: Option<Hex>,
    /// The container.
    pub container: Hex,
    /// The containers that the rows name, in their order.
    pub others: Vec<Hex>,
    /// What listing gives; none where it fails, or where a reader may have failed before.
    pub entries: Option<Vec<Entry>>,
    /// What the notes say; none as with `entries`, or where the notes are what is wrong.
    pub notes: Option<Vec<Note>>,
    /// The first error; none if there is nothing wrong with the archive.
    pub error: Option<Failure>,
}

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name.
    pub name: Hex,
    /// `file`, `directory` or `link`.
    pub kind: String,
    /// As in, in the order of bits.
    pub state: Vec<String>,
    /// 0, or the row of the container that has the content.
    pub container: u32,
    /// Bytes of content.
    pub len: u64,
    /// SHA-256 of a file's content; none of what has no content, or where reading it fails.
    pub sha256: Option<Hex>,
    ///
    pub modified: Option<Modified>,
    ///
    pub mode: Option<u32>,
    ///
    pub target: Option<Hex>,
}

/// When a content was last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of A-2.3")]
pub struct Modified {
    pub seconds: i64,
    pub nanoseconds: u32,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The name, which need not be one of.
    pub name: Hex,
    /// In the order of bits.
    pub state: Vec<String>,
    /// Bytes that were found.
    pub found: u64,
}

/// The first error, and the step that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The last step at which it may show.
    pub step: Step,
    /// The error: `malformed`.
    pub name: String,
    /// Of the step `content`: the entry whose content cannot be read.
    pub entry: Option<Hex>,
}

/// What a reader does with an archive, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// 1 to 3: container, trailer, fence.
    Open,
    /// all of the index.
    List,
    /// The content of one entry.
    Content,
    ///
    Verify,
}

/// All vectors, by the name of the file that holds them.
///
/// # Panics
///
/// If the reference reports something else than the generator states by hand.
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
