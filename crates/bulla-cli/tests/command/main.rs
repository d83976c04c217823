//! The command from outside: what it writes, what it says, what it leaves, and how it exits.

// clippy.toml allows it in tests; it does not take the helpers of a test for a part of it.
#![allow(clippy::unwrap_used)]

mod sandbox;
mod listing;

mod archives;
mod backup;
mod envelopes;
mod help;
#[cfg(unix)]
mod hostile;
mod keys;
mod opening;
mod outputs;
mod public_facts;
mod refusals;
#[cfg(unix)]
mod restore;
#[cfg(unix)]
mod salvage;
mod sealing;
mod sheets;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod streams;
#[cfg(target_os = "linux")]
mod terminal;
mod vault;
