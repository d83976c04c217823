//! The reference implementation of key envelopes. It follows ENVELOPE.md clause by clause and works
//! on whole slices.
//!
//! Each part of an envelope has a separate build function, so that a test can change one part and
//! then complete the envelope. The reader is in [`read`].

pub use build::{
    HEAD_LEN, MAGIC, SEALED_LEN, TAIL_LEN, complete, cost, envelope, kind, slot, slot_head,
    stretch, t1, wrap, write_check,
};

mod build;
pub mod read;
