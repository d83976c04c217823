//! Work on many threads.

pub(crate) mod workers;
pub(crate) mod for_each;
pub(crate) mod pipeline;
pub(crate) mod ordered;
