//! Tools for testing readers and writers of Bulla containers, archives and key envelopes without
//! trusting the implementation under test.
//!
//! - [`mod@reference`], [`mod@archive`] and [`envelope`] implement the specifications clause by
//!   clause. They are slow, work on whole slices, and use cryptographic libraries that `bulla` does
//!   not use.
//! - [`corrupt`] builds containers with exactly one fault.
//! - [`vectors`] generates the test vectors of the specifications in memory.
//! - [`faulty`] wraps readers and writers so that the n-th call fails, is interrupted, or transfers
//!   at most one byte.
//!
//! These modules share no code with the `bulla` library and do not depend on it, so they can test
//! any implementation. The `oracles` feature adds this dependency and two modules: `oracles`, with
//! functions for fuzzers that take arbitrary bytes and panic if the library violates a guarantee,
//! and `library`, which calls `bulla` through the reference's interface.
//!
//! To test another reader, run it over the vectors:
//!
//! ```
//! use bulla_testkit::reference;
//! use bulla_testkit::vectors::container::{self, Outcome};
//!
//! for vector in container::all() {
//!     let key = vector.key.0.try_into().expect("a key has 32 bytes");
//!     let context = vector.context.as_deref();
//!     // Call your reader here.
//!     let opened = reference::open_positional(&vector.container, &key, context);
//!     match (opened, vector.positional) {
//!         (Ok(opened), Outcome::Ok(expected)) => {
//!             assert_eq!(opened.plaintext.len() as u64, expected.plaintext_len);
//!         }
//!         (Err(error), Outcome::Error(expected)) => assert_eq!(error.name(), expected.name),
//!         (opened, expected) => panic!("{}: got {opened:?}, expected {expected:?}", vector.name),
//!     }
//! }
//! ```

// Modules are listed in dependency order: each imports only from those above it.
mod outcome;
pub mod reference;
pub mod corrupt;
pub mod archive;
pub mod envelope;
pub mod faulty;
pub mod vectors;
#[cfg(feature = "oracles")]
pub mod library;
#[cfg(feature = "oracles")]
pub mod oracles;

/// Compiles and runs the examples in the README.
#[cfg(all(doctest, feature = "oracles"))]
#[doc = include_str!("../README.md")]
mod readme {}
