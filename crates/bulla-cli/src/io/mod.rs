//! What a command reads and writes: inputs, outputs, and the temporary files that outputs are
//! staged in.

pub(crate) mod path;
pub(crate) mod streams;
pub(crate) mod input;
pub(crate) mod staged;
pub(crate) mod output;
pub(crate) mod fill;
