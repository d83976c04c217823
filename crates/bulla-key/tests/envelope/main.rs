//! Black-box tests of key envelopes.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod fixtures;

mod bit_flips;
mod commitment;
mod copies;
mod malformed;
mod opening;
mod rewrap;
mod sealing;
