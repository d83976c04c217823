//! Stores many files in one encrypted container. Entries are sealed in parallel, can be listed and
//! read individually, and can be recovered from a damaged container.
//!
//! The format is specified in `spec/ARCHIVE.md`, and references such as are to its clauses.
//! References such as F-4.5 are to clauses of `spec/FORMAT.md`, which specifies the container.
//!
//! | to | use |
//! |---|---|
//! | create an archive from files, in-memory bytes or any other [`Source`] | [`ArchiveBuilder`] |
//! | list, look up, read and verify entries | [`ArchiveReader`] |
//! | recover entries from a damaged archive | [`Salvage`] |
//!
//! Apart from [`std::fs::File`], this crate does not use the file system. Walking directories, and
//! restoring entries without writing outside the target directory, are up to the caller. The
//! `bulla` command does both.

#![forbid(unsafe_code)]

// Modules are listed in dependency order: each imports only from those above it.
mod error;
mod format;
mod index_reader;
mod builder;
mod reader;
mod salvage;

pub use builder::progress::EntryProgress;
pub use builder::source::{ContentSource, Source};
pub use builder::{ArchiveBuilder, SealReport};
pub use error::{Error, Result};
pub use format::attributes::{Metadata, Time};
pub use format::entry::{Entry, Kind};
pub use format::notes::{Note, State};
pub use reader::ArchiveReader;
pub use reader::content::EntryContent;
pub use reader::entries::Entries;
pub use salvage::{IndexState, Recovered, Salvage, Summary};

// The README's example runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
