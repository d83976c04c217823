//! Arguments of the commands for a Backup Key Vault.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::options::{KEYS, OUTPUT, QuietArgs, REGISTRATION, VaultArgs};

pub(super) const CONFIGURATION: &str = "\
A vault stores a key behind a password and counts wrong guesses. When no guesses are left, the key
is destroyed. The vault's operator learns neither the key nor the password. Recovering the key
requires the password and the locator, which is a small file. Each backup made with --vault
contains a copy of the locator.

The vault is configured in vault.toml in $XDG_CONFIG_HOME/bulla, or in ~/.config/bulla:

  address = \"https://vault.example\"
  public_key = \"64 hex digits, from the operator\"
  token_file = \"token\"
  authorities = \"ca.pem\"      # only if the system does not trust the vault's certificate
  locator = \"vault.locator\"   # the locator file";

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    Register(VaultRegisterArgs),
    Recover(VaultRecoverArgs),
    Status(VaultStatusArgs),
    Delete(VaultDeleteArgs),
}

const REGISTER: &str = "\
If a locator exists, the key is registered again under a new password. The command first prompts
for the old password, which stays valid until the new one has been confirmed. Existing backups stay
readable because the key does not change.

If the old password is lost, --forgotten replaces the registration after a delay of several days.
The vault announces the replacement.";

/// Store a key in the vault, or change its password
#[derive(Args)]
#[command(after_long_help = REGISTER)]
pub(crate) struct VaultRegisterArgs {
    /// Read the key, 64 hex digits, from FILE
    #[arg(short = 'k', long = "key", id = "key", value_name = "FILE", help_heading = KEYS)]
    pub(crate) file: Option<PathBuf>,

    /// Read the new password from FILE
    #[arg(long, value_name = "FILE", help_heading = REGISTRATION)]
    pub(crate) new_password_file: Option<PathBuf>,

    /// Destroy the key after N wrong passwords in a row
    ///
    /// A vault may allow fewer.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=100),
        help_heading = REGISTRATION
    )]
    pub(crate) guesses: u32,

    /// Replace a registration whose password is lost, after a delay
    #[arg(long, help_heading = REGISTRATION)]
    pub(crate) forgotten: bool,

    #[command(flatten)]
    pub(crate) vault: VaultArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,
}

/// Recover a key from the vault with its password and locator
#[derive(Args)]
pub(crate) struct VaultRecoverArgs {
    /// Container whose envelope contains a locator [default: use the locator file]
    pub(crate) container: Option<PathBuf>,

    /// Use the envelope saved in FILE instead of the container's
    #[arg(long, value_name = "FILE", requires = "container", help_heading = KEYS)]
    pub(crate) envelope: Option<PathBuf>,

    /// Write the key to FILE; an existing file is never overwritten
    #[arg(short, long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) vault: VaultArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,
}

/// Show what the vault stores, and how many guesses are left
#[derive(Args)]
pub(crate) struct VaultStatusArgs {
    #[command(flatten)]
    pub(crate) vault: VaultArgs,
}

/// Delete the key from the vault, and the locator
#[derive(Args)]
pub(crate) struct VaultDeleteArgs {
    /// Delete the key without the password, after a delay
    ///
    /// The vault announces the date of the deletion. Recovering the key before that date cancels
    /// the deletion.
    #[arg(long, help_heading = REGISTRATION)]
    pub(crate) forgotten: bool,

    #[command(flatten)]
    pub(crate) vault: VaultArgs,

    #[command(flatten)]
    pub(crate) quiet: QuietArgs,
}
