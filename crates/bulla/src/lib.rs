//! The Bulla encrypted backup container.
//!
//! A container holds up to 256 TiB of data, sealed in chunks with AES-256-GCM under one 256-bit
//! key. Sealing takes a single pass and uses all cores. A container can be opened as a whole, as a
//! stream, or at any byte range. The format is specified in `spec/FORMAT.md`, and references such
//! as F-7.2 are to its clauses.
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
//! | many sources, followed by a tail that depends on them | [`Plan`] |
//! | part of a container | [`RangeReader`] over any [`ReadAt`] source |
//! | whatever is left of a damaged container | [`SalvageReader`] |
//! | a container whose envelope holds its wrapped key | [`Draft`], [`Preamble`] |
//!
//! # Guarantees
//!
//! - No plaintext byte is released before the tag of its chunk has been verified.
//! - Opening a modified, truncated, extended, reordered or spliced container returns an [`Error`].
//!   It never returns different plaintext and never panics.
//! - If the source supports reading at an offset, the footer is used when the header is damaged.
//!   Damage to either is reported ([`HeaderState`]).
//! - Memory use does not grow with the length of the plaintext. Each thread uses about 1 MiB.
//! - This crate contains no `unsafe` code. Keys are wiped when they are dropped, and commitments
//!   are compared in constant time.
//!
//! # Limits
//!
//! - Sealing cannot be resumed, and nothing can be appended to a container. Each chunk is sealed
//!   only once per salt.
//! - The plaintext length is not hidden, and replacing a container with an older one is not
//!   detected.
//! - A plaintext is at most 2^48 - 1 bytes long and has at most 2^32 chunks.
//!
//! This crate takes and returns bytes. It does not walk directories, read a clock, use the network,
//! hash passwords, or compress data.
//!
//! # Threads
//!
//! Work is spread over the ambient rayon pool unless [`Options::workers`] says otherwise.
//! Plaintexts shorter than 256 KiB are processed on the calling thread alone. The calling thread
//! always takes part in the work, so a call from inside a pool cannot deadlock.
//!
//! # Features
//!
//! - `aws-lc-rs`: uses AWS-LC instead of ring for AES-256-GCM, HMAC and SHA-2. The containers are
//!   identical, and [`BACKEND`] names the library in use. Building requires a C compiler, and NASM
//!   on x86-64 Windows. If AWS-LC is installed on the system, that copy is linked unless
//!   `AWS_LC_SYS_USE_SYSTEM=0` is set for the build.
//! - `hazmat`: provides functions for test vectors. Never use them for real data.

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
