//! The comparisons, one module per section of the report.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod peers;
pub(crate) mod memory;
pub(crate) mod messages;
#[cfg(feature = "libraries")]
pub(crate) mod libraries;
pub(crate) mod files;
pub(crate) mod trees;
pub(crate) mod million_files;
pub(crate) mod growth;
