//! Backup keys behind a password, in a vault that learns neither. The protocol is specified in `spec/VAULT.md`; clauses such as V-2.1
//! refer to it.
//!
//! | to | use |
//! |---|---|
//! | name accounts, registrations and attempts | [`AccountHash`], [`RegId`], [`AttemptId`] |
//! | speak the protocol's messages, on either side | [`messages`] |
//! | share the cipher suite of OPAQUE | [`suite`] |
//! | seal and open what a login releases | [`reply`] |
//!
//! This crate does no input and output but with the feature `http`.

#![forbid(unsafe_code)]

// Floors: a module uses only those above it in this list.
pub mod wire;
mod ids;
mod stretching;
pub mod suite;
pub mod reply;
pub mod messages;

pub use ids::{AccountHash, AttemptId, RegId};
pub use stretching::Stretching;
