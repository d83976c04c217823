//! The command `bulla`: seals a file into an encrypted backup container, and opens it again.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

// Floors: a module uses only those above it in this list.
mod failure;
mod names;
mod cleanup;
mod hardening;
mod args;
mod streams;
mod input;
mod staging;
mod output;
mod prompt;
mod key_source;
mod new_key;
mod progress;
mod team;
mod facts;
mod commands;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    hardening::keep_secrets_in_memory();
    let done = cleanup::install().and_then(|()| commands::run(&cli.command));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            streams::note(&failure.to_string());
            failure.exit.into()
        }
    }
}
