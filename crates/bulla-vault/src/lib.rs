//! Client and protocol of the Backup Key Vault, which stores a backup key under a password and
//! limits the number of wrong guesses. References such as V-2.1 are clauses of `spec/VAULT.md`,
//! which specifies the protocol.
//!
//! | to | use |
//! |---|---|
//! | register, recover and delete keys | [`Client`] over a [`transport::Transport`] |
//! | run a registration or login step by step, without I/O | [`Registration`], [`Login`] |
//! | store the locator, which recovery requires besides the password | [`LocatorFiles`] |
//! | name accounts, registrations and attempts | [`AccountHash`], [`RegId`], [`AttemptId`] |
//! | encode and decode the messages, on either side | [`messages`], [`wire`] |
//! | use the OPAQUE cipher suite, on either side | [`suite`] |
//! | seal and open what a login releases | [`reply`] |
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bulla_key::Passphrase;
//! use bulla_vault::{AccountHash, Parties, RegId, Registration};
//!
//! let parties = Parties {
//!     account: AccountHash::of("https://id.example", "alice"),
//!     reg_id: RegId::generate()?,
//!     public_key: [7; 32], // the vault's, from the client's configuration
//! };
//! let password = Passphrase::new("correct horse battery staple")?;
//! let pepper = [1; 32]; // random in practice, and kept in the locator
//! let (_registration, request) = Registration::start(&password, &pepper, &parties)?;
//! assert_eq!(request.reg_id, parties.reg_id);
//! # Ok(()) }
//! ```
//!
//! # Guarantees
//!
//! - The client sends neither the key nor the password. It never sends the pepper, without which no
//!   password guess can be tested.
//! - A request whose response is lost is repeated with the same bytes and costs no second guess.
//! - While a registration replaces another, the locators of both are stored. An interrupted
//!   registration leaves at least one of them usable.
//! - Passwords, keys and values derived from them are wiped when dropped, and never appear in an
//!   error or in `Debug` output. Copies that dependencies leave on the stack are not wiped.
//!
//! # Limitations
//!
//! The limit on guesses is enforced by the vault, not by this crate. It holds against remote
//! clients and across crashes of the vault's processes. The machine that evaluates guesses is
//! trusted to count them: with control of it and the pepper, passwords can be guessed offline, at
//! the price of one Argon2id computation each. The pepper is in the envelope of every backup sealed
//! with the key, so an operator that runs both the vault and the storage of the backups has all
//! that this takes.
//!
//! # Features
//!
//! - `http`: the `http` module, a transport over TLS 1.3. Without it the crate does no networking.
//!
//! Only [`LocatorFiles`] accesses files.

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

// Compiles the README's example as a doctest. The example uses the HTTP transport.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../README.md")]
struct Readme;
