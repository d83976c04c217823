//! Keys of [`bulla`] containers for people: printed and typed in, wrapped under a passphrase, or
//! stored in a vault. The formats are specified in `spec/ENVELOPE.md`; clauses such as E-2.1 refer
//! to it.
//!
//! | to | use |
//! |---|---|
//! | format a key as 64 digits, and parse it | [`key_text`] |
//! | find a typing mistake in a key | [`typing`] |
//! | let several secrets open a container | [`Slots`], with [`bulla::Draft`] |
//! | open a container with one of them | [`Envelope`], with [`bulla::Preamble`] |
//! | change the secrets later, without touching the data | [`Unlocked`] |
//! | print a page with the key for safekeeping | `sheet`, with the feature of that name |
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
//! A container without an envelope is sealed under the key that a person keeps. A container with an
//! envelope has a random key, wrapped in *slots*: under a recovery key (64 digits), a passphrase,
//! or a recovery key that is stored in a vault. Anyone who can open the envelope can change its
//! slots. The envelope can also be kept in a small file beside the container, with the same bytes.
//!
//! # Guarantees
//!
//! - Opening an envelope gives the key of the given container or an error that states the reason,
//!   and never another key.
//! - A slot opens under one secret only. A slot that opened under several would let an attacker
//!   test many passphrases with one attempt.
//! - The work that a hostile envelope can cause is bounded before any memory is allocated: 256 MiB
//!   of memory, and 1 GiB hashed, for each of at most 8 passphrase slots.
//! - Rewriting in place leaves the old slots or the new ones, even if it is interrupted.
//! - This crate contains no `unsafe` code. Keys, passphrases and the memory for hashing them are
//!   wiped. Secrets are compared in constant time and appear in no error and no `Debug` output. Not
//!   wiped are stack temporaries of libraries, and the copies made while a passphrase with
//!   non-ASCII characters is normalized.
//!
//! # Features
//!
//! - `sheet`: the recovery sheet, a printable page with the key.
//! - `aws-lc-rs`: the core uses AWS-LC for its cryptography instead of ring. Envelopes are the
//!   same.

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
