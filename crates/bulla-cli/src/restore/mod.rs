//! Restores entries below a target directory.

pub(crate) mod directory;
pub(crate) mod directories;
pub(crate) mod temporary;
pub(crate) mod restorer;
pub(crate) mod conflicts;
pub(crate) mod writer;
