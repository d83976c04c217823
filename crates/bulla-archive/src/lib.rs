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

// Modules are listed in dependency order: each imports only from those above it.
mod error;
mod format;
mod index_reader;
mod builder;
mod reader;
mod salvage;

pub use builder::source::{ContentSource, Source};
pub use builder::{ArchiveWriter, Report};
pub use error::{Error, Result};
pub use format::attributes::{Metadata, Time};
pub use format::entry::{Entry, Kind};
pub use format::notes::{Note, State};
pub use reader::ArchiveReader;
pub use reader::content::EntryContent;
pub use reader::entries::Entries;
pub use salvage::{IndexState, Recovered, Salvage, Summary};
