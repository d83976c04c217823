//! The process: its signals, its memory and its threads.

pub(crate) mod cleanup;
pub(crate) mod hardening;
pub(crate) mod workers;
