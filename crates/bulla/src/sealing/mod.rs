//! Sealing: from memory, from a stream, from files, and from a plan.
//!
//! [`Draft`](draft::Draft) is the entry point. Modules are listed in dependency order: each imports
//! only from those above it.

pub(crate) mod session;
pub(crate) mod sealer;
pub(crate) mod plan;
pub(crate) mod extents;
pub(crate) mod memory;
#[cfg(any(unix, windows))]
pub(crate) mod file;
pub(crate) mod draft;
