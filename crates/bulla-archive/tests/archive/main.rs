//! Archives through the public API, and such as no writer makes.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod lookup;
mod malformed;
mod notes;
mod round_trip;
mod salvage;
mod sample;
