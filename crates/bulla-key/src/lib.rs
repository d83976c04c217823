//! Keys for [`bulla`] containers, in forms that people can keep: printed and typed in, wrapped
//! under a passphrase, or stored in a vault. The formats are specified in `spec/ENVELOPE.md`.
//! References such as E-2.1 are to clauses of that document.
//!
//! | to | use |
//! |---|---|
//! | format a key as 64 digits, and parse it | [`key_text`] |
//! | locate a typing mistake in a key | [`typing`] |
//! | let several secrets open a container | [`Slots`], with [`bulla::Draft`] |
//! | open a container with any of these secrets | [`Envelope`], with [`bulla::Preamble`] |
//! | change the secrets later, without touching the data | [`Unlocked`] |
//! | print a page with the key for safekeeping | `sheet`, which requires the feature of that name |
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bulla_key::key_text;
//!
//! let key = bulla::Key::generate()?;
//! let shown = key_text::format(&key);
//! assert_eq!(shown.lines().count(), 4);
//!
//! let typed = shown.to_uppercase().replace('\n', " - ");
//! assert_eq!(key_text::parse(&typed)?.expose(), key.expose());
//! # Ok(()) }
//! ```
//!
//! A container without an envelope is sealed under the key that its owner keeps. A container with
//! an envelope is sealed under a random key, and each of the envelope's *slots* wraps that key
//! under one secret: a recovery key (64 digits), a passphrase, or a recovery key stored in a vault.
//! Anyone who can open the envelope can change its slots. An envelope can also be kept in a small
//! separate file, in the same format.
//!
//! # Guarantees
//!
//! - Opening an envelope returns either the key of the given container or an error that states the
//!   reason, never a different key.
//! - Each slot opens under only one secret. If a slot could open under several, an attacker could
//!   test many passphrases in one attempt.
//! - The work that a hostile envelope can cause is bounded, and the bounds are checked before any
//!   memory is allocated. An envelope has at most 8 passphrase slots, each of which takes at most
//!   256 MiB of memory and 1 GiB of hashing.
//! - Rewriting in place is crash-safe: after an interruption, either the old slots or the new ones
//!   open the container.
//! - This crate contains no `unsafe` code. Keys, passphrases and the memory used to hash them are
//!   wiped. Secrets are compared in constant time, and never appear in errors or `Debug` output.
//!   Stack temporaries in dependencies are not wiped, and neither are the copies made while
//!   normalizing a passphrase with non-ASCII characters.
//!
//! # Features
//!
//! - `sheet`: the recovery sheet, a printable page with the key.
//! - `aws-lc-rs`: the core uses AWS-LC instead of ring for its cryptography. Envelopes do not
//!   change.

#![forbid(unsafe_code)]

// Modules are listed in dependency order: each imports only from those above it.
mod error;
pub mod key_text;
pub mod typing;
#[cfg(feature = "sheet")]
pub mod sheet;
mod passphrase;
mod locator;
mod envelope;

pub use envelope::{Envelope, EnvelopeState, Secret, SlotId, SlotInfo, SlotKind, Slots, Unlocked};
pub use error::{Error, MAX_PASSPHRASE_LEN, PassphraseError, Result};
pub use locator::Locator;
pub use passphrase::{Passphrase, PassphraseCost};

// Runs the README's example as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
