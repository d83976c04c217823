//! Everything that makes a container.

pub(crate) mod draft;
pub(crate) mod sealer;
pub(crate) mod plan;
#[cfg(any(unix, windows))]
pub(crate) mod positional;
