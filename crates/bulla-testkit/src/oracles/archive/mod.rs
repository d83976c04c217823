//! Archive oracles.

pub(super) mod records;
pub(super) mod index;
pub(super) mod roundtrip;
pub(super) mod salvage;
