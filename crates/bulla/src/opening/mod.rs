//! Everything that reads a container.

pub(crate) mod preamble;
pub(crate) mod tail_check;
pub(crate) mod opener;
pub(crate) mod range;
pub(crate) mod salvage;
