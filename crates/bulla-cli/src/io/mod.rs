//! Inputs, outputs, and the temporary files in which outputs are staged.

pub(crate) mod path;
pub(crate) mod streams;
pub(crate) mod input;
pub(crate) mod staged;
pub(crate) mod output;
pub(crate) mod fill;
