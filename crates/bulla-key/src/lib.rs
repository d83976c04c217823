//! Keys of [`bulla`] containers as people handle them: shown and typed in again, wrapped under a
//! passphrase, kept in a vault. The formats are specified in `spec/ENVELOPE.md`; clauses such as
//! E-2.1 refer to it.
//!
//! | to | use |
//! |---|---|
//! | show a key as 64 digits, and read it | [`key_text`] |
//! | find the mistake in one that was typed in | [`typing`] |
//! | give a container several ways to open it | [`Slots`], with [`bulla::Draft`] |
//! | open a container by one of them | [`Envelope`], with [`bulla::Preamble`] |
//! | change them later, without touching the data | [`Unlocked`] |
//! | print a page with the key, to be filed | `sheet`, with the feature of that name |
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
//! A container without an envelope is sealed under the key that a person keeps. One with an
//! envelope has a random key of its own, which is wrapped in *slots*: under a recovery key (64
//! digits), a passphrase, or a recovery key that lies in a vault. The envelope can be changed as
//! long as it opens, and can lie in a small file beside the container as well: its bytes are the
//! same.
//!
//! # What it promises
//!
//! - An envelope gives the key of the container that it is opened for, or an error that says what
//!   is wrong; never another key.
//! - A slot opens under one secret only: a slot that is made to open under several would tell which
//!   of many passphrases is the right one.
//! - What a hostile envelope makes a reader do is bounded before any memory is taken: 256 MiB, and
//!   1 GiB to be hashed, for each of at most 8 passphrase slots.
//! - Rewriting in place leaves the old slots or the new ones, whatever stops it.
//! - No `unsafe` in this crate; keys, passphrases and the memory in which they are hashed are
//!   wiped; secrets are compared in constant time and are in no error and no `Debug`. What is not
//!   wiped is what libraries keep on the stack while they work, and the copies that normalising a
//!   passphrase with non-ASCII characters makes.

#![forbid(unsafe_code)]

// Floors: a module uses only those above it in this list.
mod error;
pub mod key_text;
pub mod typing;
#[cfg(feature = "sheet")]
pub mod sheet;
mod passphrase;
mod locator;
mod slot;
mod envelope;
mod authentication;
mod slots;
mod unlocked;
#[cfg(any(unix, windows))]
mod rewrap;

pub use envelope::{Envelope, EnvelopeState, Secret};
pub use error::{Error, MAX_PASSPHRASE_LEN, PassphraseError, Result};
pub use locator::Locator;
pub use passphrase::{Passphrase, PassphraseCost};
pub use slot::{SlotId, SlotInfo, SlotKind};
pub use slots::Slots;
pub use unlocked::Unlocked;
