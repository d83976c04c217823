//! Prompts for keys and passphrases on the terminal, without echoing them.

use std::io;

use bulla_key::key_text::{self, DIGITS, MAX_TEXT_LEN, ParseError};
use zeroize::Zeroizing;

/// Digits per line of a formatted key.
const LINE_DIGITS: usize = 16;
/// Digits per group.
const GROUP: usize = 4;

/// Prompts for a key.
///
/// Reads lines until they form a key or can no longer become one, so that a four-line key can be
/// pasted. An empty line ends the input early.
///
/// # Errors
///
/// All prompts fail if no terminal is available.
pub(crate) fn read_key(question: &str) -> io::Result<Zeroizing<String>> {
    system::read_hidden(question, is_incomplete_key)
}

/// Prompts for a passphrase or a key: reads one line, and more if it looks like a line of a key.
pub(crate) fn read_passphrase_or_key(question: &str) -> io::Result<Zeroizing<String>> {
    system::read_hidden(question, is_partial_key)
}

/// Prompts for a passphrase: reads one line.
pub(crate) fn read_passphrase(question: &str) -> io::Result<Zeroizing<String>> {
    system::read_hidden(question, |_| false)
}

/// Asks a question, and returns whether the answer is yes or just Enter.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    let answer = system::read_visible(&format!("{question} [Y/n] "))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") && answer.ends_with('\n'))
}

/// Returns whether a terminal is available.
pub(crate) fn is_possible() -> bool {
    system::is_possible()
}

/// Returns whether more digits are required.
fn is_incomplete_key(text: &str) -> bool {
    matches!(key_text::parse(text), Err(ParseError::WrongLength { digits }) if digits < DIGITS)
}

/// Returns whether all lines so far look like lines of a key, in four groups, and more are
/// required. An empty line ends a passphrase that looks like this.
fn is_partial_key(text: &str) -> bool {
    let grouped = |line: &str| {
        let groups: Vec<&str> = line.split([' ', '-']).filter(|group| !group.is_empty()).collect();
        groups.len() == LINE_DIGITS / GROUP && groups.iter().all(|group| group.len() == GROUP)
    };
    !text.is_empty() && is_incomplete_key(text) && text.lines().all(grouped)
}

#[cfg(unix)]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read, Write};

    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    use super::MAX_TEXT_LEN;
    use crate::process::cleanup::Cleanup;

    /// The longest line that a terminal returns, in bytes.
    const LINE_LEN: usize = 4096;

    pub(super) fn read_hidden(
        question: &str,
        is_incomplete: fn(&str) -> bool,
    ) -> io::Result<Zeroizing<String>> {
        let mut terminal = open()?;
        let _no_echo = NoEcho::new(&terminal)?;
        terminal.write_all(question.as_bytes())?;

        let mut line = Zeroizing::new([0; LINE_LEN]);
        // Allocated in full, because reallocating would leave a copy in memory.
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT_LEN + LINE_LEN));
        while text.len() <= MAX_TEXT_LEN {
            let len = terminal.read(&mut line[..])?;
            match std::str::from_utf8(&line[..len]) {
                Ok("" | "\n") => break,
                Ok(line) => text.push_str(line),
                // NUL is not valid in a key or passphrase either.
                Err(_) => text.push('\0'),
            }
            if !is_incomplete(&text) {
                break;
            }
        }
        Ok(text)
    }

    /// Reads a line that is not secret.
    pub(super) fn read_visible(question: &str) -> io::Result<String> {
        let mut terminal = open()?;
        terminal.write_all(question.as_bytes())?;
        let mut line = [0; LINE_LEN];
        let len = terminal.read(&mut line)?;
        Ok(String::from_utf8_lossy(&line[..len]).into_owned())
    }

    pub(super) fn is_possible() -> bool {
        open().is_ok()
    }

    /// Opens the controlling terminal. Standard input and output may carry data.
    fn open() -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open("/dev/tty")
    }

    /// Makes the terminal echo line breaks only. Dropping it, or a signal, restores the terminal.
    struct NoEcho;

    impl NoEcho {
        fn new(terminal: &File) -> io::Result<NoEcho> {
            let before = tcgetattr(terminal)?;
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            hidden.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
            let handle = terminal.try_clone()?;
            let mut cleanup = Cleanup::lock();
            // Discards unread input, which the shell would run as a command.
            cleanup.set_restore_terminal(Box::new(move || {
                let _ = tcsetattr(&handle, OptionalActions::Flush, &before);
            }));
            tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
            Ok(NoEcho)
        }
    }

    impl Drop for NoEcho {
        fn drop(&mut self) {
            Cleanup::lock().restore_terminal();
        }
    }
}

#[cfg(windows)]
mod system {
    use std::fs::File;
    use std::io::{self, BufRead, BufReader, Write};

    use zeroize::Zeroizing;

    use super::MAX_TEXT_LEN;

    pub(super) fn read_hidden(
        question: &str,
        is_incomplete: fn(&str) -> bool,
    ) -> io::Result<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT_LEN));
        let mut prompt = question;
        while text.len() < MAX_TEXT_LEN {
            let line = Zeroizing::new(rpassword::prompt_password(prompt)?);
            if line.is_empty() {
                break;
            }
            text.push_str(&line);
            text.push('\n');
            if !is_incomplete(&text) {
                break;
            }
            prompt = "";
        }
        Ok(text)
    }

    pub(super) fn read_visible(question: &str) -> io::Result<String> {
        File::options().write(true).open("CONOUT$")?.write_all(question.as_bytes())?;
        let mut line = String::new();
        BufReader::new(File::open("CONIN$")?).read_line(&mut line)?;
        Ok(line)
    }

    pub(super) fn is_possible() -> bool {
        File::open("CONIN$").is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_partial_keys_from_passphrases() {
        let line = "0011 2233 4455 6677\n";
        for (text, more) in [
            (line.to_owned(), true),
            (line.repeat(3), true),
            (line.repeat(4), false),
            ("0011-2233-4455-6677\n".to_owned(), true),
            ("0011223344556677\n".to_owned(), false),
            ("1234 5678\n".to_owned(), false),
            ("deaf cafe dead beef\n".to_owned(), true),
            ("correct horse battery staple\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_partial_key(&text), more, "{text:?}");
        }
    }
}
