//! The container format, bytes in memory to bytes in memory (FORMAT.md, sections 2 to 5).

pub(crate) mod geometry;
pub(crate) mod header;
pub(crate) mod schedule;
pub(crate) mod chunk;
pub(crate) mod run;
