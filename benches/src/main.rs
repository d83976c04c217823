//! Compares `bulla` with `cp`, `tar`, `age`, `cat` and a bare AES-GCM loop: pairs in turn, as a table of ratios.
//!
//! `cargo build --release --workspace && target/release/pairs`

mod archives;
mod commands;
mod memory;
mod pairs;

use std::path::PathBuf;

use clap::Parser;

/// Compares bulla with cp, tar, age, cat and a bare AES-GCM loop: pairs in turn, as Markdown tables.
#[derive(Parser)]
struct Args {
    /// Compare only what works in memory
    #[arg(long)]
    memory: bool,
    /// Compare only commands on a single file
    #[arg(long)]
    commands: bool,
    /// Compare only commands on archives
    #[arg(long)]
    archives: bool,
    /// Only read one entry of an archive of a million; makes a million files, so name a folder in memory
    #[arg(long)]
    entries: bool,
    /// MiB in the file that commands work on
    #[arg(long, default_value_t = 2048)]
    mib: u64,
    /// Pairs for each row
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// A folder on the disk to be measured
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// Only write that many MiB from memory to a file: what a command cannot be faster than
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Only take that many MiB of memory, and give them back
    #[arg(long, value_name = "MIB")]
    touch: Option<usize>,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    if let Some(file) = args.write {
        return commands::write_only(&file, args.mib << 20);
    }
    if let Some(mib) = args.touch {
        commands::touch_memory(mib << 20);
        return Ok(());
    }
    let all = !(args.memory || args.commands || args.archives || args.entries);
    if all || args.memory {
        memory::compare(256 << 20, args.rounds);
    }
    if all || args.commands {
        commands::compare(&args.folder, args.mib << 20, args.rounds)?;
    }
    if all || args.archives {
        archives::compare(&args.folder, args.rounds)?;
    }
    if all || args.entries {
        archives::one_among_many(&args.folder, args.rounds)?;
    }
    Ok(())
}
