//! Interaction with the user: messages, progress and prompts.

pub(crate) mod display;
pub(crate) mod message;
pub(crate) mod progress;
pub(crate) mod prompt;
