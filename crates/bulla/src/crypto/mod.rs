//! Cryptographic primitives and the container key. The key schedule, nonces and the sealing of
//! chunks are part of the format, in `format::schedule` and `format::chunk`.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod backend;
pub(crate) mod key;
