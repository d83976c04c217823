//! The reference for archives: ARCHIVE.md clause by clause, slow and on whole slices.
//!
//! It shares no code with the library `bulla-archive`. The builder, [`CorruptibleArchive`], lets a
//! test change every stage of an archive before the next stage is derived from it, so it also
//! produces what no writer may, authenticated under a known key. The reader, [`ReferenceArchive`],
//! reports what ARCHIVE.md says about the result.

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
