//! Fuzzing oracles: functions that take arbitrary bytes and panic if the library breaks a promise.
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
//! Some oracles read their input as a container or an archive under the key and context of
//! [`known`]. Inputs derived from the [vectors](mod@crate::vectors), such as [`seeds`], therefore
//! get past the authentication tags. Others read a description, from which they build and seal a
//! container or an archive, so that mutations are authentic: [`resealed`], [`roundtrip`],
//! [`archive_index`], [`archive_records`], [`archive_roundtrip`] and [`salvage`]. Any bytes are a
//! valid description, and an exhausted description continues with zeros.
//!
//! The reference works on whole slices, so inputs should not exceed some tens of KiB. Run the
//! oracles with a limit on single allocations, such as `-malloc_limit_mb=64` of libFuzzer: no field
//! of any input may make the library allocate that much.
//!
//! Oracles read no clock, environment or file, and start no threads. [`roundtrip`] and
//! [`archive_roundtrip`] draw salts from the system, and `vault_messages` draws the random values
//! of a vault client. Nothing else is random.

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

/// An oracle, which panics if the library breaks a promise on the given bytes.
pub type Oracle = fn(&[u8]);

/// All oracles by the name of their fuzz target.
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
