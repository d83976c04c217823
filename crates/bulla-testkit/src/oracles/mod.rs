//! Fuzzing oracles: functions that take arbitrary bytes and panic if the library violates a
//! guarantee.
//!
//! A fuzz target calls one oracle and does nothing else. Tests can replay inputs through them:
//!
//! ```
//! use bulla_testkit::oracles;
//!
//! oracles::open_stream(b"not a container");
//! for (_name, oracle) in oracles::ALL {
//!     oracle(b"\x93BULLA\r\n\x01");
//! }
//! ```
//!
//! Oracles compare the library with the [reference](mod@crate::reference), so they find wrong
//! results as well as crashes.
//!
//! Some oracles treat their input as a container or an archive under the key and context in
//! [`known`], so that inputs derived from the [vectors](mod@crate::vectors), such as [`seeds`],
//! pass authentication. Others treat their input as a description from which they build and seal a
//! container or an archive, so that mutated inputs are authentic: [`resealed`], [`roundtrip`],
//! [`archive_index`], [`archive_records`], [`archive_roundtrip`] and [`salvage`]. Any bytes are a
//! valid description: if it ends too early, it is continued with zeros.
//!
//! The reference works on whole slices, so inputs should be no larger than a few tens of KiB. Run
//! the oracles with a limit on individual allocations, such as libFuzzer's `-malloc_limit_mb=64`,
//! because no field in any input may make the library allocate that much.
//!
//! Oracles do not access the clock, the environment or the file system, and they start no threads.
//! The only random values are the salts in [`roundtrip`] and [`archive_roundtrip`] and those of the
//! vault client in `vault_messages`.

pub use archive::index::archive_index;
pub use archive::records::archive_records;
pub use archive::roundtrip::archive_roundtrip;
pub use archive::salvage::salvage;
pub use container::faulty_io::faulty_io;
pub use container::header::header;
pub use container::open::{open_range, open_slice, open_stream};
pub use container::resealed::resealed;
pub use container::roundtrip::roundtrip;
pub use envelope::envelope;
pub use key_text::key_text;
#[cfg(feature = "vault")]
pub use vault_messages::vault_messages;

pub mod known;
mod script;
mod container;
mod archive;
mod envelope;
mod key_text;
#[cfg(feature = "vault")]
mod vault_messages;
pub mod seeds;

/// An oracle, which panics if the library violates a guarantee for the given bytes.
pub type Oracle = fn(&[u8]);

/// All oracles, each with the name of its fuzz target.
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
