//! The command line.

use std::path::PathBuf;

use bulla::ChunkSize;
use clap::{Args, Parser, Subcommand};

use crate::failure::EXIT_CODES;

const EXAMPLES: &str = "\
Examples:
  bulla seal --new-key my.key photos.tar      makes my.key and photos.tar.bulla
  bulla open -k my.key photos.tar.bulla       gives photos.tar back
  tar c photos | bulla seal -k my.key > photos.bulla
  bulla open -k my.key < photos.bulla | tar x

The key is read from the file after -k, else from the file that the environment
variable BULLA_KEY_FILE names, else it is asked for on the terminal.
";

/// Seals a file into an encrypted backup container, and opens it again
#[derive(Parser)]
#[command(name = "bulla", version, max_term_width = 100, after_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Keygen(Keygen),
    Seal(Seal),
    Open(Open),
    Verify(Verify),
    Inspect(Inspect),
}

/// Make a new key, and show its 64 digits if the output is a terminal
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Keygen {
    /// File to make. One that exists is never overwritten
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Say nothing unless something is wrong; the digits are not shown
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Seal a file, or standard input
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Seal {
    /// File to seal, or - for standard input
    pub(crate) input: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) key: Key,

    /// Make a new key in this file, and seal with it. A file that exists is never overwritten
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) new_key: Option<PathBuf>,

    /// Where to write, or - for standard output [default: INPUT.bulla; standard output for standard input]
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,

    /// Bytes in a chunk, the unit that is sealed and read whole: 4K, 8K, 16K, ... up to 1M
    #[arg(long, value_name = "SIZE", default_value = "64K", value_parser = chunk_size)]
    pub(crate) chunk_size: ChunkSize,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) working: Working,
}

/// Open a container
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Open {
    /// Container to open, or - for standard input
    pub(crate) input: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) key: Key,

    /// Where to write, or - for standard output [default: INPUT without .bulla; standard output for standard input]
    #[arg(short, long)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) working: Working,
}

/// Verify every byte of a container, and write nothing
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Verify {
    /// Container to verify, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    #[command(flatten)]
    pub(crate) key: Key,

    #[command(flatten)]
    pub(crate) working: Working,
}

/// Show what a container tells without its key; nothing of it is authenticated
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Inspect {
    /// Container to inspect, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Key {
    /// File that holds the key's 64 hex digits
    // In full: `key` alone would be this struct's name.
    #[arg(short = 'k', long = "key", id = "key", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Writing {
    /// Replace the output if it exists
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Leave it to the system when the output reaches the disk, as cp does
    #[arg(long)]
    pub(crate) no_sync: bool,
}

#[derive(Args)]
pub(crate) struct Working {
    /// Threads to work on [default: as many as the machine runs at once]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS))]
    pub(crate) threads: Option<u16>,

    /// Say nothing unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Each thread takes about 1 MiB.
const MAX_THREADS: i64 = 256;

fn chunk_size(text: &str) -> Result<ChunkSize, String> {
    let (digits, unit) = match text.trim_end_matches("iB") {
        text if text.ends_with(['k', 'K']) => (&text[..text.len() - 1], 1 << 10),
        text if text.ends_with(['m', 'M']) => (&text[..text.len() - 1], 1 << 20),
        text => (text, 1),
    };
    let bytes = digits.parse().ok().and_then(|count: u64| count.checked_mul(unit));
    bytes.and_then(ChunkSize::from_bytes).ok_or_else(|| {
        "the sizes are 4K, 8K, 16K, 32K, 64K, 128K, 256K, 512K and 1M, or these as numbers of bytes"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn chunk_sizes() {
        for (text, log2) in [("4K", 12), ("64K", 16), ("65536", 16), ("1M", 20), ("64k", 16), ("64KiB", 16)] {
            assert_eq!(chunk_size(text).unwrap().log2(), log2, "{text}");
        }
        for text in
            ["", "K", "2K", "2M", "65537", "64KB", "-4K", "99999999999999999999", "20000000000000000K"]
        {
            assert!(chunk_size(text).is_err(), "{text}");
        }
    }
}
