//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use bulla::ChunkSize;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::error::EXIT_CODES;

const EXAMPLES: &str = "\
Examples:
  bulla backup --new-key my.key all.bulla photos videos    makes my.key and all.bulla
  bulla list -k my.key all.bulla                           shows what is in it
  bulla restore -k my.key all.bulla photos/2024 -C there   gives a directory back
  bulla seal --new-key my.key photos.tar      makes my.key and photos.tar.bulla
  bulla open -k my.key photos.tar.bulla       gives photos.tar back
  pg_dump db | bulla seal -k my.key > db.bulla

The key is read from the file after -k, else from the file that the environment
variable BULLA_KEY_FILE names, else it is asked for on the terminal. With --passphrase,
`backup` and `seal` ask for a passphrase that opens what they make.
";

/// Encrypted backups of files and directories
#[derive(Parser)]
#[command(name = "bulla", version, max_term_width = 100, after_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Keygen(Keygen),
    Sheet(Sheet),
    Backup(Backup),
    Restore(Restore),
    List(List),
    Cat(Cat),
    Salvage(Salvage),
    Seal(Seal),
    Open(Open),
    Verify(Verify),
    Inspect(Inspect),
    /// List, add and remove what opens a container
    #[command(subcommand, after_help = EXIT_CODES)]
    Key(KeyCommand),
    /// Keep a key behind a password, in a Backup Key Vault
    #[command(subcommand, after_help = format!("{VAULT}\n{EXIT_CODES}"))]
    Vault(VaultCommand),
    Completions(Completions),
    Man(Man),
}

/// Write a script that completes commands and options in a shell, to standard output
#[derive(Args)]
#[command(after_help = format!("{COMPLETIONS}\n{EXIT_CODES}"))]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

const COMPLETIONS: &str = "\
For bash:  bulla completions bash > ~/.local/share/bash-completion/completions/bulla
For zsh:   bulla completions zsh > ~/.zfunc/_bulla    (with ~/.zfunc in fpath)
For fish:  bulla completions fish > ~/.config/fish/completions/bulla.fish
";

/// Write the manual page, or that of one command, to standard output
#[derive(Args)]
#[command(after_help = format!("To read it: bulla man backup | man -l -\n\n{EXIT_CODES}"))]
pub(crate) struct Man {
    /// The command: backup, say, or key add
    #[arg(value_name = "COMMAND")]
    pub(crate) of: Vec<String>,
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    List(KeyList),
    Add(KeyAdd),
    Remove(KeyRemove),
    Rotate(KeyRotate),
    Save(KeySave),
}

const VAULT: &str = "\
A vault keeps a key behind a password and counts wrong ones; when they run out, the key is
gone for good. Its operator learns neither key nor password. To get the key back it takes the
password and the locator: a small file, which also lies in each backup made with --vault.

The vault is named in the file vault.toml in $XDG_CONFIG_HOME/bulla, or ~/.config/bulla:

  address = \"https://vault.example\"
  public_key = \"64 hex digits, from its operator\"
  token_file = \"token\"
  authorities = \"ca.pem\"      unless the system trusts its certificate
  locator = \"vault.locator\"   the file for the locator
";

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    Register(VaultRegister),
    Recover(VaultRecover),
    Status(VaultStatus),
    Delete(VaultDelete),
}

const REGISTER: &str = "\
Where a locator is there already, the key is registered anew, under a new password: the old one
is asked for first, and counts until the new one has been proven. Backups made before stay
readable, as the key is the same. Without the old password, --forgotten registers anew after a
delay of days that the vault announces.
";

/// Put a key behind a password in the vault, or behind a new one
#[derive(Args)]
#[command(after_help = format!("{REGISTER}\n{EXIT_CODES}"))]
pub(crate) struct VaultRegister {
    /// File that holds the key's 64 hex digits
    #[arg(short = 'k', long = "key", id = "key", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Wrong passwords in a row after which the key is gone for good; a vault may allow fewer
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) guesses: u32,

    /// Read the new password from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) new_password_file: Option<PathBuf>,

    /// The old password is not known
    #[arg(long)]
    pub(crate) forgotten: bool,

    #[command(flatten)]
    pub(crate) vault: Vault,

    /// Say nothing unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Get a key back from the vault, with the password and the locator
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct VaultRecover {
    /// Container with a locator in its envelope [default: the locator's file alone]
    #[arg(value_name = "FILE")]
    pub(crate) container: Option<PathBuf>,

    /// Key file to make. One that exists is never overwritten
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Envelope that is kept in a file of its own, instead of the container's
    #[arg(long, value_name = "FILE", requires = "container")]
    pub(crate) envelope: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) vault: Vault,

    /// Say nothing unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Show what the vault holds, and how many guesses are left
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct VaultStatus {
    #[command(flatten)]
    pub(crate) vault: Vault,
}

/// Delete the key from the vault, and the locator
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct VaultDelete {
    /// The password is not known: the vault announces when it deletes the key
    #[arg(long)]
    pub(crate) forgotten: bool,

    #[command(flatten)]
    pub(crate) vault: Vault,

    /// Say nothing unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Make a new key, and show its 64 digits if the output is a terminal
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Keygen {
    /// File to make. One that exists is never overwritten
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Also make a recovery sheet in this file: a page as an SVG image, with the digits and a QR
    /// code of them, to be printed
    #[arg(long, value_name = "SVG")]
    pub(crate) sheet: Option<PathBuf>,

    /// The paper that the sheet is for
    #[arg(long, value_enum, default_value_t, requires = "sheet")]
    pub(crate) paper: Paper,

    /// Say nothing unless something is wrong; the digits are not shown
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const SHEET: &str = "\
The sheet is an SVG image, which browsers and most drawing programs print. It holds the key:
delete it once it is printed, or keep it as you keep the key file.

With --container it names the container and its id, the first digits of the salt that
`bulla inspect` shows, once the key is seen to belong to it.
";

/// Make a page to print and file, with the key's digits and a QR code of them
#[derive(Args)]
#[command(after_help = format!("{SHEET}\n{EXIT_CODES}"))]
pub(crate) struct Sheet {
    #[command(flatten)]
    pub(crate) key: Key,

    /// File to make, an SVG image. One that exists is never overwritten
    #[arg(short, long, value_name = "SVG")]
    pub(crate) output: PathBuf,

    /// Container that the key belongs to
    #[arg(long, value_name = "FILE")]
    pub(crate) container: Option<PathBuf>,

    /// The paper to print on
    #[arg(long, value_enum, default_value_t)]
    pub(crate) paper: Paper,

    /// Say nothing unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Paper {
    #[default]
    A4,
    Letter,
}

const BACKUP: &str = "\
A path is found in the archive under its last name: /home/me/photos as photos. What lies in
`.`, `..` or / is found as if the backup were made there. Symbolic links are backed up as
links, hard links as files of their own. Times and permissions are kept, owners are not.
The archive that is being made and the key file are left out where they are come by.
Sockets, named pipes and devices, and what cannot be read, are left out with a warning.

A pattern with a slash is for a whole name in the archive: photos/*.tmp, photos/**/raw.
One without is for any part of a name: *.tmp, cache. One that ends in a slash is for directories.
`*` and `?` stand for no slash, `**` for any directories, [abc] for a letter, {a,b} for either.
";

/// Back up files and directories into one encrypted archive
#[derive(Args)]
#[command(after_help = format!("{BACKUP}\n{EXIT_CODES}"))]
pub(crate) struct Backup {
    /// Archive to make, or - for standard output
    pub(crate) output: PathBuf,

    /// Files and directories to back up; each is found in the archive under its own last name
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) keys: SealingKeys,

    /// Leave out what matches, and all that lies in it. May be given several times
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,

    /// Back up only what matches or lies in a directory that does, and directories. May be given
    /// several times
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,

    /// Hide the exact size: pad the archive, by an eighth at most
    #[arg(long)]
    pub(crate) pad: bool,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) working: Working,
}

/// Restore an archive, or the named files and directories of it
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Restore {
    /// Archive to restore from
    pub(crate) archive: PathBuf,

    /// Files and directories to restore, as `bulla list` shows them [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<OsString>,

    #[command(flatten)]
    pub(crate) key: Key,

    /// Directory to restore into; it is made if it does not exist
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    pub(crate) directory: PathBuf,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) working: Working,
}

/// List what is in an archive
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct List {
    /// Archive to list
    pub(crate) archive: PathBuf,

    /// Files and directories to list [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<OsString>,

    #[command(flatten)]
    pub(crate) key: Key,

    /// With kind, mode, length, time, and what is wrong if something is
    #[arg(short, long)]
    pub(crate) long: bool,

    /// As JSON, an object a line
    #[arg(long, conflicts_with = "long")]
    pub(crate) json: bool,
}

/// Write one file of an archive, or a range of its bytes, to standard output
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cat {
    /// Archive to read from
    pub(crate) archive: PathBuf,

    /// The file, as `bulla list` shows it
    pub(crate) name: OsString,

    #[command(flatten)]
    pub(crate) key: Key,

    /// Bytes A to B - 1; A.. to the end, ..B from the beginning
    #[arg(long, value_name = "A..B", value_parser = byte_range)]
    pub(crate) range: Option<ByteRange>,
}

/// Restore what is left of a damaged archive, and name what is not
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Salvage {
    /// Damaged archive
    pub(crate) archive: PathBuf,

    #[command(flatten)]
    pub(crate) key: Key,

    /// Directory to restore into; it is made if it does not exist
    #[arg(short = 'C', long, value_name = "DIR")]
    pub(crate) directory: PathBuf,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) working: Working,
}

/// Seal a file, or standard input
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Seal {
    /// File to seal, or - for standard input
    pub(crate) input: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) keys: SealingKeys,

    /// Where to write, or - for standard output [default: INPUT.bulla; standard output for
    /// standard input]
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

    /// Where to write, or - for standard output [default: INPUT without .bulla; standard output
    /// for standard input]
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

    /// Envelope that is kept in a file of its own, instead of the container's
    #[arg(long, value_name = "FILE")]
    pub(crate) envelope: Option<PathBuf>,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show the slots of a container's envelope: what opens it. No key is needed, and nothing of it is
/// authenticated
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct KeyList {
    /// Container
    #[arg(value_name = "FILE")]
    pub(crate) container: PathBuf,

    /// Envelope that is kept in a file of its own, instead of the container's
    #[arg(long, value_name = "FILE")]
    pub(crate) envelope: Option<PathBuf>,
}

/// Save a copy of a container's envelope in a file of its own, for --envelope: should both copies
/// in it be damaged
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct KeySave {
    /// Container
    #[arg(value_name = "FILE")]
    pub(crate) container: PathBuf,

    /// File to write
    #[arg(short, long)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) writing: Writing,
}

const IN_PLACE: &str = "\
The envelope is changed in place, in milliseconds, whatever the size of the container: its
data is not touched. Whatever stops it, the old slots open the container, or the new ones.
With --envelope FILE that file is changed, and the container is not.
";

/// Add a way to open a container: a passphrase, or a recovery key
#[derive(Args)]
#[command(after_help = format!("{IN_PLACE}\n{EXIT_CODES}"))]
#[command(group = clap::ArgGroup::new("added").required(true).multiple(true).args(["passphrase", "new_passphrase_file", "recovery_key", "new_key", "vault_slot"]))]
pub(crate) struct KeyAdd {
    /// Container
    #[arg(value_name = "FILE")]
    pub(crate) container: PathBuf,

    #[command(flatten)]
    pub(crate) key: Key,

    #[command(flatten)]
    pub(crate) added: NewSlots,

    /// Say nothing unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const REMOVE: &str = "\
To remove a slot is not to revoke its key or passphrase: whoever has a copy of the container
or of its envelope from before still opens that copy with it. `bulla key rotate` seals anew.
";

/// Remove a slot, so that its passphrase or recovery key no longer opens the container
#[derive(Args)]
#[command(after_help = format!("{REMOVE}\n{IN_PLACE}\n{EXIT_CODES}"))]
pub(crate) struct KeyRemove {
    /// Container
    #[arg(value_name = "FILE")]
    pub(crate) container: PathBuf,

    /// Number of the slot, as `bulla key list` shows it
    pub(crate) slot: u16,

    #[command(flatten)]
    pub(crate) key: Key,

    /// Say nothing unless something is wrong
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const ROTATE: &str = "\
Everything is opened and sealed again under a new key, which takes as long as opening and
sealing. The old container is left as it is, and whatever opened it opens it still: remove it
and its copies when the new one is where it should be.

Without --passphrase, --recovery-key or --new-key, a passphrase is asked for if the old one has
one, and a recovery key that opened the old one opens the new one.
";

/// Seal the content of a container anew, under a new key, into a new file
#[derive(Args)]
#[command(after_help = format!("{ROTATE}\n{EXIT_CODES}"))]
pub(crate) struct KeyRotate {
    /// Container
    #[arg(value_name = "FILE")]
    pub(crate) container: PathBuf,

    /// Container to make, or - for standard output
    #[arg(short, long)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) key: Key,

    #[command(flatten)]
    pub(crate) added: NewSlots,

    /// Of an archive, hide the exact size: pad it, by an eighth at most
    #[arg(long)]
    pub(crate) pad: bool,

    #[command(flatten)]
    pub(crate) writing: Writing,

    #[command(flatten)]
    pub(crate) working: Working,
}

/// What opens a container.
#[derive(Args)]
pub(crate) struct Key {
    /// File that holds the key's 64 hex digits
    // In full: `key` alone would be this struct's name.
    #[arg(short = 'k', long = "key", id = "key", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// File that holds the passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Envelope that is kept in a file of its own, instead of the container's
    #[arg(long, value_name = "FILE")]
    pub(crate) envelope: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) vault: Vault,
}

/// A vault, its account, and what is kept for it. What no option says, the configuration does.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Vault")]
pub(crate) struct Vault {
    /// Address of the vault that keeps the key behind a password; see `bulla vault --help`
    #[arg(long, value_name = "URL")]
    pub(crate) vault: Option<String>,

    /// The vault's public key, 64 hex digits
    #[arg(long, value_name = "HEX", hide_short_help = true)]
    pub(crate) vault_public_key: Option<String>,

    /// File that holds the account's token [default: the environment variable BULLA_VAULT_TOKEN]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_token_file: Option<PathBuf>,

    /// Certificates in PEM of the authorities to trust instead of the system's
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_authorities: Option<PathBuf>,

    /// File that holds the password of the vault
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_password_file: Option<PathBuf>,

    /// The configuration [default: vault.toml in $XDG_CONFIG_HOME/bulla]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) vault_config: Option<PathBuf>,

    /// File of the locator [default: vault.locator beside the configuration]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) locator: Option<PathBuf>,
}

/// What will open a container about to be made.
#[derive(Args)]
pub(crate) struct SealingKeys {
    /// File that holds the key's 64 hex digits
    #[arg(short = 'k', long = "key", id = "key", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Make a new key in this file, and seal with it. A file that exists is never overwritten
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) new_key: Option<PathBuf>,

    /// Ask for a passphrase, which opens it. With -k or --new-key, the key opens it as well
    #[arg(short, long)]
    pub(crate) passphrase: bool,

    /// Read the passphrase from this file instead
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Key file that opens it as well. May be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_key: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) vault: Vault,
}

/// What opens a container from now on, where another secret opens it to begin with.
#[derive(Args)]
pub(crate) struct NewSlots {
    /// Ask for a new passphrase
    #[arg(short, long)]
    pub(crate) passphrase: bool,

    /// Read the new passphrase from this file
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    pub(crate) new_passphrase_file: Option<PathBuf>,

    /// Key file that is to open it. May be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) recovery_key: Vec<PathBuf>,

    /// Make a new key in this file, which is to open it. A file that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key: Option<PathBuf>,

    /// The key that the vault keeps is to open it, with the locator that is in use
    #[arg(long)]
    pub(crate) vault_slot: bool,
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

/// Bytes from `start` to before `end`, or to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) start: u64,
    pub(crate) end: Option<u64>,
}

fn byte_range(text: &str) -> Result<ByteRange, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("{text} is no number of bytes"));
    let (start, end) = text.split_once("..").ok_or("a range is A..B, A.. or ..B, in bytes")?;
    let start = if start.is_empty() { 0 } else { number(start)? };
    let end = if end.is_empty() { None } else { Some(number(end)?) };
    match end {
        Some(end) if end < start => Err("the range ends before it starts".to_owned()),
        _ => Ok(ByteRange { start, end }),
    }
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
    fn byte_ranges() {
        let range = |start, end| Ok(ByteRange { start, end });
        for (text, parsed) in [
            ("3..5", range(3, Some(5))),
            ("3..", range(3, None)),
            ("..5", range(0, Some(5))),
            ("..", range(0, None)),
        ] {
            assert_eq!(byte_range(text), parsed, "{text}");
        }
        for text in ["", "3", "5..3", "-1..2", "a..b", "1...3"] {
            assert!(byte_range(text).is_err(), "{text}");
        }
    }

    #[test]
    fn chunk_sizes() {
        for (text, log2) in
            [("4K", 12), ("64K", 16), ("65536", 16), ("1M", 20), ("64k", 16), ("64KiB", 16)]
        {
            assert_eq!(chunk_size(text).unwrap().log2(), log2, "{text}");
        }
        for text in [
            "",
            "K",
            "2K",
            "2M",
            "65537",
            "64KB",
            "-4K",
            "99999999999999999999",
            "20000000000000000K",
        ] {
            assert!(chunk_size(text).is_err(), "{text}");
        }
    }
}
