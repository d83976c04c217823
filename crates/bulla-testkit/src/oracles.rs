//! Oracles: each takes any bytes and panics if the library breaks a promise on them. A fuzz target
//! calls one, and does nothing else.
//!
//! ```
//! use bulla_testkit::oracles;
//!
//! // One of them:
//! oracles::open_stream(b"no container at all");
//! // All of them, by name, on an input that a fuzzer once found:
//! for (_name, oracle) in oracles::ALL {
//!     oracle(b"\x93BULLA\r\n\x01");
//! }
//! ```
//!
//! What they know is in [`known`]: one key, one context. So inputs made from the
//! [vectors](mod@crate::vectors), or by a fuzzer from those, get past the tags. [`seeds`] makes
//! such inputs. Others are a description, from which the oracle makes a container or an archive and
//! seals it, so that what was mutated is authentic: [`resealed`], [`roundtrip`], [`archive_index`],
//! [`archive_records`], [`archive_roundtrip`], [`salvage`]. Any bytes are such a description; where
//! they end, zeros follow.
//!
//! All of them hold the library against the [reference](mod@crate::reference), so whatever one of
//! the two does that the other does not is found, not crashes alone. The reference takes whole
//! slices: inputs of some ten KiB are the right ones. Memory is bounded from outside: run them with
//! a limit for one allocation (`-malloc_limit_mb=64` of libFuzzer). No field of any input may
//! make the library ask for so much.
//!
//! They call nothing that reads a clock, the environment or a file, and start no threads.
//! [`roundtrip`] and [`archive_roundtrip`] draw salts from the system, and `vault_messages`, which
//! comes with the feature `vault`, draws what a client of the vault draws; nothing else is random.

pub use archive_index::archive_index;
pub use archive_roundtrip::archive_roundtrip;
pub use archives::archive_records;
pub use envelope::envelope;
pub use faults::faulty_io;
pub use header::header;
pub use key_text::key_text;
pub use openings::{open_range, open_slice, open_stream};
pub use resealed::resealed;
pub use roundtrip::roundtrip;
pub use salvage::salvage;
#[cfg(feature = "vault")]
pub use vault_messages::vault_messages;

pub mod known;
pub mod seeds;
mod script;
mod header;
mod openings;
mod resealed;
mod roundtrip;
mod archives;
mod archive_index;
mod archive_roundtrip;
mod salvage;
mod key_text;
mod envelope;
mod faults;
#[cfg(feature = "vault")]
mod vault_messages;

/// An oracle: bytes in, a panic if a promise is broken.
pub type Oracle = fn(&[u8]);

/// All oracles, by the name of their fuzz target.
pub const ALL: [(&str, Oracle); if cfg!(feature = "vault") { 14 } else { 13 }] = [
    ("header", header),
    ("open_stream", open_stream),
    ("open_range", open_range),
    ("open_slice", open_slice),
    ("roundtrip", roundtrip),
    ("resealed", resealed),
    ("archive_index", archive_index),
    ("archive_records", archive_records),
    ("archive_roundtrip", archive_roundtrip),
    ("salvage", salvage),
    ("key_text", key_text),
    ("envelope", envelope),
    ("faulty_io", faulty_io),
    #[cfg(feature = "vault")]
    ("vault_messages", vault_messages),
];
