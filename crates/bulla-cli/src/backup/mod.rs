//! Finds the files to back up.

pub(crate) mod filter;
pub(crate) mod source;
pub(crate) mod walk;
