//! The `bulla` command: backs up files and directories into encrypted archives, seals single files
//! and streams, and restores them.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

// Modules are listed in dependency order: each imports only from those above it.
mod error;
mod args;
mod process;
mod terminal;
mod io;
mod keys;
mod backup;
mod restore;
mod commands;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    process::hardening::protect_memory();
    let result = process::cleanup::install().and_then(|()| commands::run(&cli.command));
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal::message::note(&failure.to_string());
            failure.exit.into()
        }
    }
}
