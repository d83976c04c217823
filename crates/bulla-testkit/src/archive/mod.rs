//! The reference implementation of archives. It follows ARCHIVE.md clause by clause and is slow,
//! because it works on whole slices.
//!
//! It shares no code with the `bulla-archive` library. The builder, [`CorruptibleArchive`], lets a
//! test change any stage of an archive before the next stage is derived from it, so it can also
//! produce authenticated archives that no conforming writer would. The reader,
//! [`ReferenceArchive`], reports the outcome that ARCHIVE.md requires.

pub use build::{
    CorruptibleArchive, FenceEntry, IndexEntry, Item, Layout, Lengths, Piece, RawNote, Record, Row,
    Trailer, encode_records,
};
pub use error::ArchiveError;
pub use format::{
    ATTRIBUTES_MAX, CONTENT, HEAD_LEN, NAME_MAX, ROW_LEN, TRAILER_LEN, attribute, kind, marker,
    mode, modified, state, tag,
};
pub use read::{ReferenceArchive, ReferenceEntry, ReferenceNote};

mod format;
mod error;
mod build;
mod fields;
mod read;
