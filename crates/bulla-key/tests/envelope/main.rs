//! Key envelopes, from outside: made, opened, changed, damaged, forged.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod sample;

mod copies;
mod flips;
mod hostile;
mod making;
mod opening;
mod rewriting;
mod salamander;
