//! Messages for the user, and the results of commands that print text.

use std::io::{self, IsTerminal, Write};

/// Prints a message to standard error, prefixed with the command name.
pub(crate) fn note(text: &str) {
    say(&format!("bulla: {text}"));
}

/// Prints a line to standard error. A closed standard error is ignored.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints the result of a command to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Returns whether standard output is a terminal.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}
