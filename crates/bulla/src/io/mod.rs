//! Reading and writing at an offset.

#[cfg(any(unix, windows))]
pub(crate) mod file;
pub(crate) mod read_at;
