//! The schema of archive vectors; spec/vectors/README.md describes every member.

use serde::{Deserialize, Serialize};

use crate::vectors::hex::Hex;

/// An archive with one feature or one fault, and what readers must report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// A unique name for the feature or fault, such as `fence_block_repeated`.
    pub name: String,
    /// The clause of ARCHIVE.md that decides the outcome, such as `A-6.1`.
    pub clause: String,
    /// What was changed in the archive, and why it leads to the outcome.
    pub comment: String,
    /// The key given to the reader.
    pub key: Hex,
    /// The context given to the reader.
    pub context: Option<Hex>,
    /// The container.
    pub container: Hex,
    /// The containers that the rows refer to, in row order.
    pub others: Vec<Hex>,
    /// The listed entries. `None` if listing fails, or if a reader may fail before it reaches the
    /// step of `error`.
    pub entries: Option<Vec<VectorEntry>>,
    /// The notes, unless opening or listing fails or the notes are malformed.
    pub notes: Option<Vec<VectorNote>>,
    /// The first error, unless the archive is well-formed.
    pub error: Option<VectorFailure>,
}

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorEntry {
    /// The name.
    pub name: Hex,
    /// `file`, `directory` or `link`.
    pub kind: String,
    /// The bits of the state as words, lowest bit first.
    pub state: Vec<String>,
    /// The row of the container that holds the content, or 0 for this container.
    pub container: u32,
    /// The length of the content in bytes.
    pub len: u64,
    /// SHA-256 of a file's content, unless reading it fails.
    pub sha256: Option<Hex>,
    /// The *modified* attribute.
    pub modified: Option<Modified>,
    /// The *mode* attribute.
    pub mode: Option<u32>,
    /// The *target* attribute.
    pub target: Option<Hex>,
}

/// The time at which the content was last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named as in A-2.3")]
pub struct Modified {
    pub seconds: i64,
    pub nanoseconds: u32,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorNote {
    /// The name, which does not restrict.
    pub name: Hex,
    /// The bits of the state as words, lowest bit first.
    pub state: Vec<String>,
    /// The number of bytes that the source provided.
    pub found: u64,
}

/// The first error and the step that reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFailure {
    /// The last step at which a reader may report the error.
    pub step: Step,
    /// The name of the error, such as `malformed`.
    pub name: String,
    /// The entry whose content cannot be read, for the step `content`.
    pub entry: Option<Hex>,
}

/// The steps of reading an archive, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Reading the container, the trailer and the fence (A-6.1, 1 to 3).
    Open,
    /// Reading the whole index.
    List,
    /// Reading the content of one entry.
    Content,
    /// Comparing the records with the index.
    Verify,
}
