//! Backup keys behind a password, in a vault that learns neither. The protocol is specified in `spec/VAULT.md`; clauses such as V-2.1
//! refer to it.
//!
//! | to | use |
//! |---|---|
//! | name accounts, registrations and attempts | [`AccountHash`], [`RegId`], [`AttemptId`] |
//! | speak the protocol's messages, on either side | [`messages`] |
//! | share the cipher suite of OPAQUE | [`suite`] |
//! | seal and open what a login releases | [`reply`] |
//! | go through a registration or login step by step | [`Registration`], [`Login`] |
//! | do it all over a transport | [`Client`] |
//! | keep the locator, without which the password is worth nothing | [`LocatorFiles`] |
//!
//! There is no input and output but in [`LocatorFiles`] and, with the feature of that name, `http`.

#![forbid(unsafe_code)]

// Floors: a module uses only those above it in this list.
pub mod wire;
mod ids;
mod stretching;
pub mod suite;
pub mod reply;
pub mod messages;
pub mod transport;
mod error;
mod secrets;
mod registration;
mod login;
mod token;
pub mod locators;
mod client;
#[cfg(feature = "http")]
pub mod http;

pub use client::{Client, Deleted, Registered, VaultIdentity};
pub use error::{Error, Result};
pub use ids::{AccountHash, AttemptId, RecordName, RegId};
pub use locators::{LocatorFiles, Locators};
pub use login::{Login, ProvenLogin, Recovered};
pub use registration::{Parties, Registration, Terms};
pub use stretching::Stretching;
pub use token::Token;
