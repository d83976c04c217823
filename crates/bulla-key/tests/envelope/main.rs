//! Key envelopes, from outside: made, opened, changed, damaged, forged.

mod sample;

mod copies;
mod flips;
mod hostile;
mod making;
mod opening;
mod rewriting;
mod salamander;
