//! The process itself: signals, memory protection and threads.

pub(crate) mod cleanup;
pub(crate) mod hardening;
pub(crate) mod workers;
