//! Code that several commands share.

pub(super) mod warnings;
pub(super) mod container;
pub(super) mod archive;
pub(super) mod create;
