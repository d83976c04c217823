//! Container oracles.

pub(super) mod header;
pub(super) mod open;
pub(super) mod resealed;
pub(super) mod roundtrip;
pub(super) mod faulty_io;
