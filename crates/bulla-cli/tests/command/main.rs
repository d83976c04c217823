//! Black-box tests of the `bulla` command: its output files, messages and exit codes.

// clippy.toml allows `unwrap` only in test functions, not in their helpers.
#![allow(clippy::unwrap_used)]

mod sandbox;
mod listing;

mod backup;
mod help;
#[cfg(unix)]
mod hostile;
mod inspect;
mod invalid_inputs;
mod key_slots;
mod keys;
mod list_and_cat;
mod open;
mod outputs;
#[cfg(unix)]
mod restore;
#[cfg(unix)]
mod salvage;
mod seal;
mod sheet;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod streams;
#[cfg(target_os = "linux")]
mod terminal;
mod vault;
