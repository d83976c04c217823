//! The container format, without I/O (FORMAT.md, sections 2 to 5): geometry, header, key schedule,
//! and the sealing of chunks.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod geometry;
pub(crate) mod schedule;
pub(crate) mod header;
pub(crate) mod chunk;
pub(crate) mod run;
