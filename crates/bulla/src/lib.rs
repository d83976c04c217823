//! The Bulla encrypted backup container.
//!
//! A container holds any number of bytes, sealed under one 256-bit key with AES-256-GCM in chunks.
//! It is sealed in one pass and on all cores, and opened whole, as a stream, or at any byte range.
//! `spec/FORMAT.md` specifies the format. Clauses such as F-7.2 refer to it.
//!
//! ```
//! # fn main() -> bulla::Result<()> {
//! use bulla::{Key, Options};
//!
//! let key = Key::generate()?;
//! let container = bulla::seal(&key, b"a message", &Options::new())?;
//! let (plaintext, _) = bulla::open(&key, &container, &Options::new())?;
//! assert_eq!(plaintext, &b"a message"[..]);
//! # Ok(()) }
//! ```
//!
//! | to seal and open | use |
//! |---|---|
//! | bytes in memory | [`seal`], [`open`]; [`seal_into`], [`open_into`] with your own buffers |
//! | a stream | [`Sealer`], [`Opener`] |
//! | whole files | [`seal_file`], [`open_file`] |
//! | many sources, with a tail that depends on them | [`Plan`] |
//! | a part of a container | [`RangeReader`] over any [`ReadAt`] source |
//! | what remains of a damaged container | [`SalvageReader`] |
//! | a wrapped key in the container's envelope | [`Draft`], [`Preamble`] |
//!
//! # Guarantees
//!
//! - No plaintext byte is released before the tag of its chunk has been verified.
//! - Modified, truncated, extended, reordered and mixed containers give an [`Error`], never other
//!   plaintext and never a panic.
//! - If a container is read at an offset, a damaged header is replaced by the footer. Damage to
//!   either is reported ([`HeaderState`]).
//! - Memory does not grow with the plaintext. Each thread uses about 1 MiB.
//! - This crate contains no `unsafe` code. Keys are wiped when they are dropped, and commitments
//!   are compared in constant time.
//!
//! # Limits
//!
//! - Sealing cannot be resumed, and nothing can be appended to a container. A chunk is sealed once
//!   per salt.
//! - The length of the plaintext is not hidden, and replacing a container with an older one is not
//!   detected.
//! - A plaintext has at most 2^48 - 1 bytes and 2^32 chunks.
//!
//! This crate takes and returns bytes. It does not walk directories, access a clock or the network,
//! hash passwords, or compress.
//!
//! # Threads
//!
//! Work is spread over the ambient rayon pool unless [`Options::workers`] says otherwise. Inputs of
//! less than half a MiB stay on the calling thread. The calling thread always takes part in the
//! work, so a call from inside a pool cannot deadlock.
//!
//! # Features
//!
//! - `aws-lc-rs`: uses AES-256-GCM, HMAC and SHA-2 from AWS-LC instead of ring. [`BACKEND`] names
//!   the library in use. The containers are the same. It needs a C compiler, and NASM for Windows
//!   on x86-64. If the system provides AWS-LC, that one is linked, unless `AWS_LC_SYS_USE_SYSTEM=0`
//!   is set for the build.
//! - `hazmat`: functions for test vectors. Never use them for data.

#![forbid(unsafe_code)]

// Modules are listed in dependency order: each imports only from those above it.
mod error;
mod crypto;
mod format;
mod parallel;
mod io;
mod options;
mod opening;
mod sealing;
#[cfg(feature = "hazmat")]
pub mod hazmat;

pub use crypto::backend::BACKEND;
pub use crypto::key::Key;
pub use error::{Error, Feature, IoError, Result};
pub use format::geometry::ChunkSize;
pub use format::header::{ContentType, Header};
#[cfg(any(unix, windows))]
pub use io::file::write_all_at;
pub use io::read_at::ReadAt;
#[cfg(any(unix, windows))]
pub use opening::file::open_file;
pub use opening::memory::{open, open_into, plaintext_len};
pub use opening::opener::Opener;
pub use opening::preamble::{HeaderState, Opened, Preamble};
pub use opening::range::RangeReader;
pub use opening::salvage::SalvageReader;
pub use options::Options;
pub use parallel::progress::Progress;
pub use parallel::workers::Workers;
pub use sealing::draft::Draft;
#[cfg(any(unix, windows))]
pub use sealing::file::seal_file;
pub use sealing::memory::{seal, seal_into, sealed_len};
pub use sealing::plan::Plan;
pub use sealing::sealer::Sealer;
pub use sealing::session::Sealed;

// The README's example runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
