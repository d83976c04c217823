//! What it takes to test a reader or writer of [bulla containers] without trusting it: a slow
//! [`mod@reference`] that follows the specification clause by clause, [`malform`]ed containers with
//! one fault each, and the [`vectors`] that both make. [`faulty`] input and output shows what
//! becomes of errors.
//!
//! The crate shares no code with the library `bulla`, and does not depend on it either, unless its
//! feature `oracles` is asked for. Then there is more: the `oracles`, functions from any bytes to a
//! panic if the library breaks one of its promises, for fuzzers; and the `library`, called as the
//! reference is.
//!
//! A test of another reader walks the vectors, which are made in memory:
//!
//! ```
//! use bulla_testkit::reference;
//! use bulla_testkit::vectors::{self, Outcome};
//!
//! for vector in vectors::all() {
//!     let key = vector.key.0.try_into().expect("a key has 32 bytes");
//!     let context = vector.context.as_deref();
//!     let opened = reference::open_positional(&vector.container, &key, context); // your reader here
//!     match (opened, vector.positional) {
//!         (Ok(opened), Outcome::Ok(stated)) => assert_eq!(opened.plaintext.len() as u64, stated.plaintext_len),
//!         (Err(fault), Outcome::Error(stated)) => assert_eq!(fault.name(), stated.name),
//!         (opened, stated) => panic!("{}: {opened:?}, but {stated:?} is stated", vector.name),
//!     }
//! }
//! ```
//!
//! [bulla containers]: https://github.com/bulla-backup/bulla/blob/main/spec/FORMAT.md

pub mod archive;
pub mod envelope;
pub mod faulty;
#[cfg(feature = "oracles")]
pub mod library;
pub mod malform;
#[cfg(feature = "oracles")]
pub mod oracles;
pub mod reference;
pub mod vectors;

mod outcome;
