//! Multithreading: worker pools, parallel loops and the pipeline for streams.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod progress;
pub(crate) mod workers;
pub(crate) mod for_each;
pub(crate) mod pipeline;
pub(crate) mod ordered;
