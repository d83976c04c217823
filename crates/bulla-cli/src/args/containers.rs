//! Arguments of the commands for single-stream containers, and for containers of any kind.

use std::path::PathBuf;

use bulla::ChunkSize;
use clap::Args;

use super::options::{
    EnvelopeArgs, KeyArgs, OUTPUT, QuietArgs, SealingKeyArgs, ThreadArgs, WriteArgs,
};
use super::values::chunk_size;

/// Seal a file or standard input into a container
#[derive(Args)]
pub(crate) struct SealArgs {
    /// File to seal, or - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) keys: SealingKeyArgs,

    /// Write the container to OUTPUT, or to standard output with -
    ///
    /// The default is FILE.bulla, or standard output if the input is standard input.
    #[arg(short, long, help_heading = OUTPUT)]
    pub(crate) output: Option<PathBuf>,

    /// Seal in chunks of SIZE bytes: 4K, 8K, 16K, ... or 1M
    ///
    /// A chunk is the unit of authentication. Smaller chunks make it faster to read
    /// short ranges; larger chunks make the container slightly smaller.
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "64K",
        value_parser = chunk_size,
        help_heading = OUTPUT
    )]
    pub(crate) chunk_size: ChunkSize,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

/// Open a container that `bulla seal` created
#[derive(Args)]
pub(crate) struct OpenArgs {
    /// Container to open, or - for standard input
    #[arg(value_name = "CONTAINER")]
    pub(crate) input: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Write the content to OUTPUT, or to standard output with -
    ///
    /// The default is CONTAINER without .bulla, or standard output if the input is standard
    /// input.
    #[arg(short, long, help_heading = OUTPUT)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

/// Verify every byte of a container without writing anything
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// Container to verify, or - for standard input
    #[arg(value_name = "CONTAINER")]
    pub(crate) input: PathBuf,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

/// Show the public, unauthenticated properties of a container
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// Container to inspect, or - for standard input
    #[arg(value_name = "CONTAINER")]
    pub(crate) input: PathBuf,

    #[command(flatten)]
    pub(crate) envelope: EnvelopeArgs,

    /// Print JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) json: bool,
}
