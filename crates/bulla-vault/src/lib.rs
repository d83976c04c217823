//! The client and the protocol for the Backup Key Vault, which protects a backup key with a
//! password and limits the number of wrong guesses. The protocol is specified in `spec/VAULT.md`.
//! References such as V-2.1 are to clauses of that document.
//!
//! | to | use |
//! |---|---|
//! | register, recover and delete keys | [`Client`] over a [`transport::Transport`] |
//! | run a registration or login step by step, without I/O | [`Registration`], [`Login`] |
//! | store the locator, which recovery requires in addition to the password | [`LocatorFiles`] |
//! | identify accounts, registrations and attempts | [`AccountHash`], [`RegId`], [`AttemptId`] |
//! | encode and decode the messages, on either side | [`messages`], [`wire`] |
//! | use the OPAQUE cipher suite, on either side | [`suite`] |
//! | seal and open login replies | [`reply`] |
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
//! - The client never sends the key, the password or the pepper. Without the pepper, no password
//!   guess can be tested.
//! - If a response is lost, the client repeats the request with the same bytes, which does not cost
//!   a second guess.
//! - While one registration replaces another, both locators are stored. If the registration is
//!   interrupted, at least one of the two remains usable.
//! - Passwords, keys and values derived from them are wiped when dropped, and never appear in
//!   errors or `Debug` output. Copies that dependencies leave on the stack are not wiped.
//!
//! # Limitations
//!
//! The guess limit is enforced by the vault, not by this crate. It holds against remote clients,
//! and it survives crashes of the vault's processes. The machine that evaluates guesses is trusted
//! to count them. An attacker who controls that machine and has the pepper can guess passwords
//! offline, at one Argon2id computation per guess. The pepper is in the envelope of every backup
//! sealed with the key, so an operator that runs both the vault and the backup storage has
//! everything needed for offline guessing.
//!
//! # Features
//!
//! - `http`: adds the `http` module, a transport over TLS 1.3. Without this feature, the crate does
//!   no networking.
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

// Compiles the README's example, which uses the HTTP transport, as a doctest.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../README.md")]
struct Readme;
