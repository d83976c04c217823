//! Opening: whole containers, streams, byte ranges, and salvage.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod preamble;
pub(crate) mod tail_check;
pub(crate) mod opener;
pub(crate) mod range;
pub(crate) mod salvage;
pub(crate) mod memory;
#[cfg(any(unix, windows))]
pub(crate) mod file;
