//! The part of the protocol that the client and the vault share: the identifiers, the messages and
//! the OPAQUE suite.

// Modules are listed in dependency order: each imports only from those above it.
pub mod wire;
mod ids;
mod stretching;
pub mod suite;
pub mod reply;
pub mod messages;

pub use ids::{AccountHash, AttemptId, RecordName, RegId};
pub use stretching::Stretching;
