//! Many files in one encrypted container: planned and sealed in parallel, listed and read one by
//! one, and salvaged piece by piece when a part is lost. The format is specified in
//! `spec/ARCHIVE.md`; clauses such as refer to it, those such as F-4.5 to `spec/FORMAT.md`.
//!
//! | to | use |
//! |---|---|
//! | make an archive of files, of bytes in memory, of anything that is a [`Source`] | [`ArchiveWriter`] |
//! | list it, find an entry, read it or a range of it, or all of them at once | [`ArchiveReader`] |
//! | get back what is left of a damaged one | [`Salvage`] |
//!
//! It knows no file system but [`std::fs::File`]: walking directories, and restoring them without
//! leaving the target, is for who uses it; the command `bulla` does it.

#![forbid(unsafe_code)]

// Floors: a module uses only those above it in this list.
mod error;
mod path;
mod attributes;
mod notes;
mod record;
mod entry;
mod trailer;
mod block;
mod tail;
mod source;
mod slots;
mod planning;
mod reading;
mod log;
mod writer;
mod way_in;
mod reader;
mod entries;
mod content;
mod verify;
mod walk;
mod salvage;

pub use attributes::{Metadata, Time};
pub use content::EntryContent;
pub use entries::Entries;
pub use entry::{Entry, Kind};
pub use error::{Error, Result};
pub use notes::{Note, State};
pub use reader::ArchiveReader;
pub use salvage::{IndexState, Recovered, Salvage, Summary};
pub use source::{ContentSource, Source};
pub use writer::{ArchiveWriter, Report};
