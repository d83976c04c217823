//! The encrypted backup container: any number of bytes, sealed under one 256-bit key, in parallel,
//! by one pass, and opened whole, as a stream or at any byte range. The format is specified in
//! `spec/FORMAT.md`; clauses such as F-7.2 refer to it.
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
//! | bytes in memory | [`seal`], [`open`]; [`seal_into`], [`open_into`] with buffers of your own |
//! | a stream | [`Sealer`], [`Opener`] |
//! | whole files | [`seal_file`], [`open_file`] |
//! | many sources at once, with a tail that depends on them | [`Plan`] |
//! | a part of something large | [`RangeReader`] over anything that is [`ReadAt`] |
//! | what is left of something damaged | [`SalvageReader`] |
//! | with a key wrapped in the container's envelope | [`Draft`], [`Preamble`] |
//!
//! # What it promises
//!
//! - No plaintext byte is released before its chunk's tag was verified.
//! - Any change, cut, extension, reordering or mixture of containers gives one of the errors of
//!   [`Error`]; never other plaintext, and never a panic.
//! - A damaged header is made up for by the footer where the container can be read at an offset;
//!   both are reported ([`HeaderState`]).
//! - Memory does not grow with the plaintext: about 1 MiB for each thread.
//! - No `unsafe` in this crate; keys are wiped when dropped and compared in constant time.
//!
//! It takes and gives bytes: it walks no directories and knows no clock, no network, no passwords
//! and no compression.
//!
//! # Threads
//!
//! Work is spread over the ambient rayon pool unless [`Options::workers`] says otherwise. Inputs
//! below half a MiB stay on the calling thread, which always works along; so a call cannot
//! deadlock, wherever it is made.
//!
//! # Features
//!
//! - `aws-lc-rs`: AES-256-GCM, HMAC and SHA-2 come from AWS-LC instead of ring; [`BACKEND`] names
//!   what is in use. Containers are the same. It needs a C compiler, and NASM for Windows on
//!   x86-64. An AWS-LC that the system offers is linked, unless `AWS_LC_SYS_USE_SYSTEM=0` is set
//!   for the build.
//! - `hazmat`: for test vectors, never for data.

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
mod oneshot;
#[cfg(any(unix, windows))]
mod file;
#[cfg(feature = "hazmat")]
pub mod hazmat;

pub use crypto::backend::BACKEND;
pub use crypto::key::Key;
pub use error::{Error, Feature, Result};
#[cfg(any(unix, windows))]
pub use file::{open_file, seal_file};
pub use format::geometry::ChunkSize;
pub use format::header::{ContentType, Header};
pub use io::read_at::ReadAt;
pub use oneshot::{open, open_into, plaintext_len, seal, seal_into, sealed_len};
pub use opening::opener::Opener;
pub use opening::preamble::{HeaderState, Opened, Preamble};
pub use opening::range::RangeReader;
pub use opening::salvage::SalvageReader;
pub use options::Options;
pub use parallel::workers::{Progress, Workers};
pub use sealing::draft::{Draft, Sealed};
pub use sealing::plan::Plan;
pub use sealing::sealer::Sealer;

// The README's example runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
