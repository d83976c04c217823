//! What a person sees and types.

pub(crate) mod display;
pub(crate) mod streams;
pub(crate) mod prompt;
pub(crate) mod progress;
