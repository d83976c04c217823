//! Cryptographic primitives and the container key.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod backend;
pub(crate) mod key;
