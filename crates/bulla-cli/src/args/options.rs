//! Options that several commands share, grouped under the headings of the help pages.

use std::path::PathBuf;

use clap::Args;

pub(super) const KEYS: &str = "Key options";
pub(super) const NEW_KEYS: &str = "New key options";
pub(super) const VAULT: &str = "Vault options";
pub(super) const REGISTRATION: &str = "Registration options";
pub(super) const SELECTION: &str = "Selection options";
pub(super) const OUTPUT: &str = "Output options";
pub(super) const PERFORMANCE: &str = "Performance options";

/// The maximum value of `--threads`. Each thread uses about 1 MiB.
const MAX_THREADS: i64 = 256;

/// The secret that unlocks a container.
#[derive(Args)]
#[command(next_help_heading = KEYS)]
pub(crate) struct KeyArgs {
    /// Read the key, 64 hex digits, from FILE
    ///
    /// Without this option, the key is read from the file that the environment variable
    /// BULLA_KEY_FILE names, or from the terminal. A key is never passed on the command line,
    /// where other users of the machine could read it. For a key from a pipe, use /dev/stdin or
    /// <(...).
    // The ID is explicit because `key` alone would be the name of this struct's group.
    #[arg(short = 'k', long = "key", id = "key", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Read the passphrase from FILE
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) envelope: EnvelopeArgs,

    #[command(flatten)]
    pub(crate) vault: VaultArgs,
}

/// The envelope to use instead of the one inside the container.
#[derive(Args)]
#[command(next_help_heading = KEYS)]
pub(crate) struct EnvelopeArgs {
    /// Use the envelope saved in FILE instead of the container's
    ///
    /// `bulla key save` saves the envelope to a file. The saved envelope unlocks the container
    /// even if both copies of the container's own envelope are damaged.
    #[arg(long = "envelope", id = "envelope", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// A vault, its account and the local files that belong to it. The configuration file supplies the
/// values of options that are not given.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = VAULT)]
pub(crate) struct VaultArgs {
    /// Use the vault at URL, which stores the key behind a password
    ///
    /// `bulla help vault` describes the vault and its configuration file, which supplies the
    /// address and other vault options that are not given.
    #[arg(long, value_name = "URL")]
    pub(crate) vault: Option<String>,

    /// Require the vault to have the public key HEX, 64 hex digits
    #[arg(long, value_name = "HEX", hide_short_help = true)]
    pub(crate) vault_public_key: Option<String>,

    /// Read the account's token from FILE [default: $BULLA_VAULT_TOKEN]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_token_file: Option<PathBuf>,

    /// Trust the PEM certificates in FILE instead of the system's
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_authorities: Option<PathBuf>,

    /// Read the vault password from FILE
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_password_file: Option<PathBuf>,

    /// Read the configuration from FILE
    ///
    /// The default is vault.toml in $XDG_CONFIG_HOME/bulla, or in ~/.config/bulla.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_config: Option<PathBuf>,

    /// Keep the locator in FILE
    ///
    /// The locator is required, together with the password, to recover the key. The default is
    /// vault.locator in the directory of the configuration file.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) locator: Option<PathBuf>,
}

/// The secrets that will unlock a new container.
#[derive(Args)]
#[command(next_help_heading = KEYS)]
pub(crate) struct SealingKeyArgs {
    /// Read the key, 64 hex digits, from FILE
    ///
    /// Without this option, the key is read from the file that the environment variable
    /// BULLA_KEY_FILE names, or from the terminal. A key is never passed on the command line,
    /// where other users of the machine could read it. For a key from a pipe, use /dev/stdin or
    /// <(...).
    #[arg(short = 'k', long = "key", id = "key", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Generate a new key and write it to FILE
    ///
    /// An existing file is never overwritten. If the command fails, the file is removed.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) new_key: Option<PathBuf>,

    /// Prompt for a passphrase that unlocks the result
    ///
    /// A key given with -k or --new-key unlocks it as well.
    #[arg(short, long)]
    pub(crate) passphrase: bool,

    /// Read the passphrase from FILE instead of prompting for it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Add the key in FILE as a recovery key (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_key: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) vault: VaultArgs,
}

/// The secrets to add to a container, or to re-encrypt a container with.
#[derive(Args)]
#[command(next_help_heading = NEW_KEYS)]
pub(crate) struct NewSlotArgs {
    /// Prompt for a new passphrase
    #[arg(short, long)]
    pub(crate) passphrase: bool,

    /// Read the new passphrase from FILE
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub(crate) new_passphrase_file: Option<PathBuf>,

    /// Add the key in FILE as a recovery key (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_key: Vec<PathBuf>,

    /// Generate a new key, write it to FILE, and add it
    ///
    /// An existing file is never overwritten. If the command fails, the file is removed.
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key: Option<PathBuf>,

    /// Add the key that the vault stores, with its current locator
    #[arg(long)]
    pub(crate) vault_slot: bool,
}

/// How the output is written.
#[derive(Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct WriteArgs {
    /// Replace existing files
    ///
    /// A file is replaced only when its replacement is complete. Directories are never replaced.
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Do not wait until the output has reached the disk
    ///
    /// Like `cp`, the command then lets the system decide when to write the data. After a power
    /// failure, the output may be missing or incomplete.
    #[arg(long)]
    pub(crate) no_sync: bool,
}

/// What the command prints.
#[derive(Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct QuietArgs {
    /// Print warnings and errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Padding, for commands that write an archive.
#[derive(Args)]
#[command(next_help_heading = OUTPUT)]
pub(crate) struct PadArgs {
    /// Pad the archive to hide its exact size
    ///
    /// Padding adds at most one eighth of the size.
    #[arg(long)]
    pub(crate) pad: bool,
}

/// How the work is distributed.
#[derive(Args)]
#[command(next_help_heading = PERFORMANCE)]
pub(crate) struct ThreadArgs {
    /// Use N threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS))]
    pub(crate) threads: Option<u16>,
}
