//! Arguments of the commands for archives.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::options::{
    KeyArgs, OUTPUT, PadArgs, QuietArgs, SELECTION, SealingKeyArgs, ThreadArgs, WriteArgs,
};
use super::values::{ByteRange, byte_range};

const BACKUP: &str = "\
Paths in the archive start with the last component of PATH: /home/me/photos is stored as photos.
The contents of `.`, `..` and / are stored without such a prefix. Modification times and
permissions are kept; owners, extended attributes and ACLs are not. Symbolic links are stored as
links, and hard links as separate files.

The archive being written and the key file are excluded. Sockets, named pipes, devices and
unreadable files are skipped with a warning.

A GLOB that contains a slash matches a whole path in the archive: photos/*.tmp, photos/**/raw.
Without a slash it matches any component of a path: *.tmp, cache. With a trailing slash it matches
directories only. `*` and `?` do not match a slash, `**` matches any number of directories, [abc]
matches one of the characters, and {a,b} one of the alternatives.";

/// Back up files and directories into an encrypted archive
#[derive(Args)]
#[command(after_long_help = BACKUP)]
pub(crate) struct BackupArgs {
    /// Archive to create, or - for standard output
    #[arg(value_name = "ARCHIVE")]
    pub(crate) output: PathBuf,

    /// Files and directories to back up
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) keys: SealingKeyArgs,

    /// Exclude files and directories that match GLOB (repeatable)
    ///
    /// Everything below an excluded directory is excluded as well.
    #[arg(long, value_name = "GLOB", help_heading = SELECTION)]
    pub(crate) exclude: Vec<String>,

    /// Back up only files matching GLOB or in a matching directory (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = SELECTION)]
    pub(crate) include: Vec<String>,

    #[command(flatten)]
    pub(crate) pad: PadArgs,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

/// Restore files and directories from an archive
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// Archive to restore from
    pub(crate) archive: PathBuf,

    /// Files and directories to restore, as `bulla list` shows them [default: all]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Restore into DIR, which is created if it does not exist
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".", help_heading = OUTPUT)]
    pub(crate) directory: PathBuf,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}

/// List the contents of an archive
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Archive to list
    pub(crate) archive: PathBuf,

    /// Files and directories to list [default: all]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Show the type, permissions, size, time and state of each entry
    #[arg(short, long, help_heading = OUTPUT)]
    pub(crate) long: bool,

    /// Print one JSON object per line
    #[arg(long, conflicts_with = "long", help_heading = OUTPUT)]
    pub(crate) json: bool,
}

/// Write a file from an archive, or a range of its bytes, to standard output
#[derive(Args)]
pub(crate) struct CatArgs {
    /// Archive to read from
    pub(crate) archive: PathBuf,

    /// File to write, as `bulla list` shows it
    pub(crate) path: OsString,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Write the bytes from A up to, but not including, B
    ///
    /// The first byte is 0. A.. extends to the end of the file, and ..B starts at its beginning.
    #[arg(long, value_name = "A..B", value_parser = byte_range, help_heading = SELECTION)]
    pub(crate) range: Option<ByteRange>,
}

const SALVAGE: &str = "\
Intact files are restored unchanged. A file that has lost some of its bytes is restored as
PATH.damaged, with zeros in place of the lost bytes, and the lost byte ranges are printed.";

/// Restore what is left of a damaged archive
#[derive(Args)]
#[command(after_long_help = SALVAGE)]
pub(crate) struct SalvageArgs {
    /// Damaged archive
    pub(crate) archive: PathBuf,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Restore into DIR, which is created if it does not exist
    #[arg(short = 'C', long, value_name = "DIR", help_heading = OUTPUT)]
    pub(crate) directory: PathBuf,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}
