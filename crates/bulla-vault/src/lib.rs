//! Backup keys behind a password, in a vault that learns neither. The protocol is specified in
//! `spec/VAULT.md`; clauses such as V-2.1 refer to it.
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
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bulla_key::Passphrase;
//! use bulla_vault::{AccountHash, Parties, RegId, Registration};
//!
//! let parties = Parties {
//!     account: AccountHash::of("https://id.example", "alice"),
//!     reg_id: RegId::generate()?,
//!     public_key: [7; 32], // of the configuration
//! };
//! let password = Passphrase::new("correct horse battery staple")?;
//! let (_registration, request) = Registration::start(&password, &[1; 32], &parties)?;
//! assert_eq!(request.reg_id, parties.reg_id);
//! # Ok(()) }
//! ```
//!
//! # What it promises
//!
//! - The vault is sent neither key nor password, nor anything that a guess could be tested against
//!   without the pepper, which it is not sent either.
//! - A registration that is stopped anywhere leaves a way to the key.
//! - A lost reply is asked for again by the same bytes, and costs no second guess.
//! - Passwords, keys and what follows from them are wiped, and are in no error and no `Debug`; what
//!   libraries keep on the stack is not.
//!
//! There is no input and output but in [`LocatorFiles`] and, with the feature of that name, `http`.

#![forbid(unsafe_code)]

// Modules are listed in dependency order: each imports only from those above it.
mod protocol;
pub mod transport;
mod error;
mod token;
pub mod locators;
mod client;
#[cfg(feature = "http")]
pub mod http;

pub use client::{
    Client, Deleted, Login, Parties, ProvenLogin, Recovered, Registered, Registration,
    RegistrationOptions, VaultIdentity,
};
pub use error::{Error, Result};
pub use locators::{LocatorFiles, LocatorStore};
pub use protocol::{AccountHash, AttemptId, RecordName, RegId, Stretching};
pub use protocol::{messages, reply, suite, wire};
pub use token::Token;
