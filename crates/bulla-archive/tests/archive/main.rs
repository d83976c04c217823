//! Tests of the public API, including archives that only a faulty or malicious writer would
//! produce.

#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod lookup;
mod malformed;
mod notes;
mod round_trip;
mod salvage;
mod sample;
