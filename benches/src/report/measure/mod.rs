//! How measurements are made and stored.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod alternate;
pub(crate) mod settings;
pub(crate) mod machine;
pub(crate) mod results;
pub(crate) mod scratch;
pub(crate) mod probe;
