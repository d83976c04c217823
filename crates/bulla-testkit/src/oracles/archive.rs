//! Oracles of archives.

pub(super) mod records;
pub(super) mod index;
pub(super) mod roundtrip;
pub(super) mod salvage;
