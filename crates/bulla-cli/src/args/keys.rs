//! Arguments of the commands for keys, and for the slots of a container's envelope.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::options::{
    EnvelopeArgs, KEYS, KeyArgs, NewSlotArgs, OUTPUT, PadArgs, QuietArgs, ThreadArgs, WriteArgs,
};
use super::values::PaperSize;

/// Generate a key, and print its digits if standard output is a terminal
#[derive(Args)]
pub(crate) struct KeygenArgs {
    /// Write the key to FILE; an existing file is never overwritten
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) output: PathBuf,

    /// Write a recovery sheet, with the digits and a QR code, to SVG
    ///
    /// The sheet is a printable page in SVG format. An existing file is never overwritten.
    #[arg(long, value_name = "SVG", help_heading = OUTPUT)]
    pub(crate) sheet: Option<PathBuf>,

    /// Lay out the sheet for this paper size
    #[arg(long, value_enum, default_value_t, requires = "sheet", help_heading = OUTPUT)]
    pub(crate) paper: PaperSize,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,
}

const SHEET: &str = "\
The sheet is an SVG image that browsers and most drawing programs can print. It contains the key:
delete it after printing, or protect it like the key file.

With --container, the key is checked against the container, and the sheet shows the container's
name and its ID, which is the start of the salt that `bulla inspect` shows.";

/// Create a recovery sheet: a printable page with the key's digits and a QR code
#[derive(Args)]
#[command(after_long_help = SHEET)]
pub(crate) struct SheetArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Check the key against this container, and name it on the sheet
    #[arg(long, value_name = "CONTAINER", help_heading = KEYS)]
    pub(crate) container: Option<PathBuf>,

    /// Write the sheet to SVG; an existing file is never overwritten
    #[arg(short, long, value_name = "SVG", help_heading = OUTPUT)]
    pub(crate) output: PathBuf,

    /// Lay out the sheet for this paper size
    #[arg(long, value_enum, default_value_t, help_heading = OUTPUT)]
    pub(crate) paper: PaperSize,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    List(KeyListArgs),
    Add(KeyAddArgs),
    Remove(KeyRemoveArgs),
    Rotate(KeyRotateArgs),
    Save(KeySaveArgs),
}

/// List a container's slots, which requires no key and authenticates nothing
#[derive(Args)]
pub(crate) struct KeyListArgs {
    /// Container whose slots to list
    pub(crate) container: PathBuf,

    #[command(flatten)]
    pub(crate) envelope: EnvelopeArgs,
}

/// Save a container's envelope to a file, for use with --envelope
#[derive(Args)]
pub(crate) struct KeySaveArgs {
    /// Container whose envelope to save
    pub(crate) container: PathBuf,

    /// Write the envelope to FILE
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) write: WriteArgs,
}

const IN_PLACE: &str = "\
The envelope is changed in place within milliseconds, because the container's data is neither read
nor written. If the command is interrupted, either the old slots or the new ones unlock the
container. With --envelope FILE, that file is changed instead of the container.";

/// Add a passphrase or a key that unlocks the container
#[derive(Args)]
#[command(
    after_long_help = IN_PLACE,
    group = clap::ArgGroup::new("added").required(true).multiple(true).args([
        "passphrase", "new_passphrase_file", "recovery_key", "new_key", "vault_slot",
    ])
)]
pub(crate) struct KeyAddArgs {
    /// Container to change
    pub(crate) container: PathBuf,

    #[command(flatten)]
    pub(crate) added: NewSlotArgs,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,
}

const REMOVE: &str = "\
Removing a slot does not revoke its key or passphrase: it still unlocks every older copy of the
container or of its envelope. Use `bulla key rotate` to re-encrypt the container under a new key.";

/// Remove a slot, so that its passphrase or key no longer unlocks the container
#[derive(Args)]
#[command(after_long_help = format!("{REMOVE}\n\n{IN_PLACE}"))]
pub(crate) struct KeyRemoveArgs {
    /// Container to change
    pub(crate) container: PathBuf,

    /// Slot number, as shown by `bulla key list`
    pub(crate) slot: u16,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,
}

const ROTATE: &str = "\
The whole content is decrypted and re-encrypted, which takes as long as opening and sealing it.
The old container is not changed, and its keys still unlock it. Delete it and its copies once the
new container is in place.

Without --passphrase, --recovery-key or --new-key, the command prompts for a passphrase if the old
container has one, and a recovery key that unlocked the old container unlocks the new one.";

/// Re-encrypt a container under a new key, into a new file
#[derive(Args)]
#[command(after_long_help = ROTATE)]
pub(crate) struct KeyRotateArgs {
    /// Container to re-encrypt
    pub(crate) container: PathBuf,

    #[command(flatten)]
    pub(crate) added: NewSlotArgs,

    #[command(flatten)]
    pub(crate) key: KeyArgs,

    /// Write the new container to OUTPUT, or to standard output with -
    #[arg(short, long, help_heading = OUTPUT)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) pad: PadArgs,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,

    #[command(flatten)]
    pub(crate) threads: ThreadArgs,
}
