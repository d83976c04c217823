//! The server of Backup Key Vaults.

#![forbid(unsafe_code)]

pub mod record;
