//! What a command reads and writes.

pub(crate) mod input;
pub(crate) mod staged;
pub(crate) mod output;
pub(crate) mod fill;
