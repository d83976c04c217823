//! The test vectors in spec/vectors, generated in memory.
//!
//! Each of the four kinds has a module with its vector types, functions that return its vectors,
//! and `generate`, which renders the JSON files. This crate contains no copies of those files.
//! Nothing is random: keys, salts and plaintexts are derived from labels with SHA-256 ([`bytes`]).

pub use file::{JsonFiles, VERSION, VectorFile};
pub use hex::Hex;
pub use label::bytes;

mod hex;
mod label;
mod file;
pub mod container;
pub mod archive;
pub mod envelope;
pub mod vault;
