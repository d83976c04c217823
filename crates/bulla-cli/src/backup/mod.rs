//! Finds the files to back up, and reads them.

pub(crate) mod filter;
pub(crate) mod source;
pub(crate) mod walk;
