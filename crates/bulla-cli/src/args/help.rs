//! Arguments of the commands that print documentation, and the exit codes.

use clap::Args;
use clap_complete::Shell;

const COMPLETIONS: &str = "\
bash:  bulla completions bash > ~/.local/share/bash-completion/completions/bulla
zsh:   bulla completions zsh > ~/.zfunc/_bulla    (with ~/.zfunc in fpath)
fish:  bulla completions fish > ~/.config/fish/completions/bulla.fish";

/// Print a shell completion script
#[derive(Args)]
#[command(after_help = COMPLETIONS)]
pub(crate) struct CompletionsArgs {
    /// Shell to generate the script for
    pub(crate) shell: Shell,
}

/// Print the manual page for bulla or one of its commands
#[derive(Args)]
#[command(after_help = "To view a page: bulla man backup | man -l -")]
pub(crate) struct ManArgs {
    /// Command, such as `backup` or `key add`
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Print the help for a command, or the exit codes
#[derive(Args)]
#[command(after_help = "Run `bulla help exit-codes` for a list of the exit codes.")]
pub(crate) struct HelpArgs {
    /// Command, such as `backup` or `key add`, or the topic `exit-codes`
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// The name of the help topic that lists [`EXIT_CODES`].
pub(crate) const EXIT_CODES_TOPIC: &str = "exit-codes";

/// The exit codes and their meanings.
pub(crate) const EXIT_CODES: [(&str, &str); 8] = [
    ("0", "success"),
    ("1", "a file could not be read or written, or already exists"),
    ("2", "invalid command line or key file"),
    ("3", "wrong key or passphrase"),
    ("4", "the container is damaged or truncated, or was tampered with"),
    ("5", "not a container, or not supported by this version"),
    (
        "6",
        "success with warnings, which are printed: for example, a header, footer or envelope is \
         damaged, a file changed while it was read, or files were skipped or are incomplete",
    ),
    ("128+n", "stopped by signal n (130 for Ctrl-C); temporary files were removed"),
];
