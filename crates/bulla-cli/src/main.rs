//! The command `bulla`: backs up files and directories into encrypted archives, seals single files,
//! and gets all of it back.

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
mod sheet_file;
mod progress;
mod team;
mod asking;
mod slots;
mod vault;
mod unlocking;
mod ways_in;
mod filter;
mod root;
mod tree;
mod facts;
mod directory;
mod directories;
mod unfinished;
mod writing;
mod restoring;
mod obstacles;
mod contents;
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
