//! Compares `bulla` with `cp`, `age`, `cat` and a bare AES-GCM loop: pairs in turn, as a table of ratios.
//!
//! `cargo build --release --workspace && target/release/pairs`

mod commands;
mod memory;
mod pairs;

use std::path::PathBuf;

use clap::Parser;

/// Compares bulla with cp, age, cat and a bare AES-GCM loop: pairs in turn, as Markdown tables.
#[derive(Parser)]
struct Args {
    /// Compare in memory only
    #[arg(long)]
    memory: bool,
    /// Compare commands only
    #[arg(long, conflicts_with = "memory")]
    commands: bool,
    /// MiB in the file that commands work on
    #[arg(long, default_value_t = 2048)]
    mib: u64,
    /// Pairs for each row
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// A folder on the disk to be measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    if !args.commands {
        memory::compare(256 << 20, args.rounds);
    }
    if !args.memory {
        commands::compare(&args.folder, args.mib << 20, args.rounds)?;
    }
    Ok(())
}
