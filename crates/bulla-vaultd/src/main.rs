//! The command `bulla-vaultd`: a Backup Key Vault's server.

#![forbid(unsafe_code)]

mod args;
mod commands;
mod hardening;
mod parts;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

fn main() -> ExitCode {
    hardening::keep_secrets_in_memory();
    let args = Args::parse();
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let done = match args.command {
        Command::Dev(dev) => commands::serve::dev(dev),
        Command::Serve(serve) => commands::serve::serve(serve),
        #[cfg(unix)]
        Command::Evaluator(evaluator) => commands::evaluator::run(evaluator),
        Command::Init(init) => commands::keys::init(&init),
        Command::Token(token) => commands::token::run(&token),
        Command::Rotate(rotate) => commands::operate::rotate(&rotate),
        Command::Clamp(clamp) => commands::operate::clamp(&clamp),
        Command::Audit { command } => commands::audit::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("bulla-vaultd: {why}");
            ExitCode::FAILURE
        }
    }
}
