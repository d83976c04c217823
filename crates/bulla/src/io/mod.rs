//! Reading and writing, sequentially and at an offset.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod stream;
pub(crate) mod read_at;
#[cfg(any(unix, windows))]
pub(crate) mod file;
