//! The reference for key envelopes: ENVELOPE.md clause by clause, slow and on whole slices.
//!
//! A separate function builds each part of an envelope, so that a test can change one part and
//! complete the rest. The reader is in [`read`].

pub use build::{
    HEAD_LEN, MAGIC, SEALED_LEN, TAIL_LEN, complete, cost, envelope, kind, slot, slot_head,
    stretch, t1, wrap, write_check,
};

mod build;
pub mod read;
