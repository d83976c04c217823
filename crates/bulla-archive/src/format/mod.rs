//! The archive encoding: records, entries and the index, without any I/O.

// Modules are listed in dependency order: each imports only from those above it.
pub(crate) mod path;
pub(crate) mod attributes;
pub(crate) mod notes;
pub(crate) mod record;
pub(crate) mod entry;
pub(crate) mod trailer;
pub(crate) mod block;
