//! The command-line arguments: one file for each group of commands, and one for the options that
//! the commands share.

use clap::{Parser, Subcommand};

pub(crate) mod values;
pub(crate) mod options;
pub(crate) mod archives;
pub(crate) mod containers;
pub(crate) mod keys;
pub(crate) mod vault;
pub(crate) mod help;

use archives::{BackupArgs, CatArgs, ListArgs, RestoreArgs, SalvageArgs};
use containers::{InspectArgs, OpenArgs, SealArgs, VerifyArgs};
use help::{CompletionsArgs, HelpArgs, ManArgs};
use keys::{KeyCommand, KeygenArgs, SheetArgs};
use vault::VaultCommand;

const EXAMPLES: &str = "\
Examples:
  bulla backup --new-key my.key all.bulla photos videos   Create my.key and all.bulla
  bulla list -k my.key all.bulla                          List the archive's contents
  bulla restore -k my.key all.bulla photos/2024 -C dir    Restore one directory into dir
  bulla seal --new-key my.key photos.tar                  Create my.key and photos.tar.bulla
  bulla open -k my.key photos.tar.bulla                   Recreate photos.tar
  pg_dump db | bulla seal -k my.key > db.bulla            Seal a stream

The key is read from the file given with -k, from the file that the environment variable
BULLA_KEY_FILE names, or from the terminal, in this order.

Run `bulla help COMMAND` for details about a command, and `bulla help exit-codes` for a list of the
exit codes.";

/// Encrypted backups of files and directories
#[derive(Parser)]
#[command(
    name = "bulla",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Backup(BackupArgs),
    Restore(RestoreArgs),
    List(ListArgs),
    Cat(CatArgs),
    Salvage(SalvageArgs),
    Seal(SealArgs),
    Open(OpenArgs),
    Verify(VerifyArgs),
    Inspect(InspectArgs),
    Keygen(KeygenArgs),
    Sheet(SheetArgs),
    /// Manage the keys and passphrases that unlock a container
    #[command(subcommand, disable_help_subcommand = true)]
    Key(KeyCommand),
    /// Store a key in a Backup Key Vault, protected by a password
    #[command(subcommand, disable_help_subcommand = true, after_long_help = vault::CONFIGURATION)]
    Vault(VaultCommand),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Help(HelpArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Calls `check` for each command and subcommand.
    fn for_each_command(check: &mut dyn FnMut(&clap::Command)) {
        fn visit(command: &clap::Command, check: &mut dyn FnMut(&clap::Command)) {
            check(command);
            command.get_subcommands().for_each(|command| visit(command, check));
        }
        let mut command = Cli::command();
        command.build();
        visit(&command, check);
    }

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_is_described_under_its_heading() {
        for_each_command(&mut |command| {
            for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
                let id = arg.get_id().as_str();
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let name = format!("{} --{id}", command.get_name());
                assert!(!help.is_empty() && !help.ends_with('.'), "{name}: {help}");
                assert!(help.len() <= 76, "{name}: {help}");
                let heading = arg.get_help_heading();
                match id {
                    "help" | "version" => assert_eq!(heading, None, "{name}"),
                    "locator" => assert_eq!(heading, Some(options::VAULT), "{name}"),
                    "vault_slot" => assert_eq!(heading, Some(options::NEW_KEYS), "{name}"),
                    id => {
                        assert!(heading.is_some(), "{name} has no heading");
                        let is_vault = id.starts_with("vault");
                        assert_eq!(heading == Some(options::VAULT), is_vault, "{name}");
                    }
                }
            }
        });
    }
}
