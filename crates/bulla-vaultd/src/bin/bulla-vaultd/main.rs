//! The `bulla-vaultd` command: a server for a Backup Key Vault.

#![forbid(unsafe_code)]

mod args;
mod hardening;
mod setup;
mod commands;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

fn main() -> ExitCode {
    hardening::disable_core_dumps();
    let args = Args::parse();
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let result = match args.command {
        Command::Dev(dev) => commands::serve::dev(dev),
        Command::Serve(serve) => commands::serve::serve(serve),
        #[cfg(unix)]
        Command::Evaluator(evaluator) => commands::evaluator::run(evaluator),
        Command::Init(init) => commands::init::run(&init),
        Command::Token(token) => commands::token::run(&token),
        Command::Rotate(operate) => commands::operate::rotate(&operate),
        Command::Clamp(operate) => commands::operate::clamp(&operate),
        Command::Audit { command } => commands::audit::run(&command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bulla-vaultd: {message}");
            ExitCode::FAILURE
        }
    }
}
