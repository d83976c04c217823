//! Asks for a key or a passphrase on the terminal, and shows nothing of what is typed.

use std::io;

use bulla_key::key_text::{self, DIGITS, MAX_TEXT_LEN, ParseError};
use zeroize::Zeroizing;

/// Digits in a line of a key as it is shown.
const LINE_DIGITS: usize = 16;
/// Digits in a group.
const GROUP: usize = 4;

/// What was typed: lines until they make up a key or cannot become one, so that a key of four lines
/// can be pasted. An empty line ends it early.
///
/// An error means that there is no terminal, as with the others.
pub(crate) fn ask_for_key(question: &str) -> io::Result<Zeroizing<String>> {
    system::ask(question, is_unfinished_key)
}

/// What was typed: one line, as a passphrase is. But if that looks like a line of a key, then lines
/// until the key is whole.
pub(crate) fn ask_for_either(question: &str) -> io::Result<Zeroizing<String>> {
    system::ask(question, is_line_of_key)
}

/// What was typed: one line.
pub(crate) fn ask_for_passphrase(question: &str) -> io::Result<Zeroizing<String>> {
    system::ask(question, |_| false)
}

/// Shows a question, and whether it is answered with yes, or with nothing but Enter.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    let answer = system::ask_aloud(&format!("{question} [Y/n] "))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") && answer.ends_with('\n'))
}

/// Whether there is a terminal to ask on.
pub(crate) fn is_possible() -> bool {
    system::is_possible()
}

/// Whether more digits are needed.
fn is_unfinished_key(text: &str) -> bool {
    matches!(key_text::parse(text), Err(ParseError::WrongLength { digits }) if digits < DIGITS)
}

/// Whether all lines so far are lines of a key, in four groups, and more of them are needed. A
/// passphrase that looks like that is ended by an empty line.
fn is_line_of_key(text: &str) -> bool {
    let grouped = |line: &str| {
        let groups: Vec<&str> = line.split([' ', '-']).filter(|group| !group.is_empty()).collect();
        groups.len() == LINE_DIGITS / GROUP && groups.iter().all(|group| group.len() == GROUP)
    };
    !text.is_empty() && is_unfinished_key(text) && text.lines().all(grouped)
}

#[cfg(unix)]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read, Write};

    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    use super::MAX_TEXT_LEN;
    use crate::process::cleanup::leftovers;

    /// Bytes that a terminal hands over at once, at most.
    const LINE_LEN: usize = 4096;

    pub(super) fn ask(
        question: &str,
        is_unfinished: fn(&str) -> bool,
    ) -> io::Result<Zeroizing<String>> {
        let mut terminal = open()?;
        let _silence = Silence::on(&terminal)?;
        terminal.write_all(question.as_bytes())?;

        let mut line = Zeroizing::new([0; LINE_LEN]);
        // Room for all of it at once, so that no growing leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT_LEN + LINE_LEN));
        while text.len() <= MAX_TEXT_LEN {
            let len = terminal.read(&mut line[..])?;
            match std::str::from_utf8(&line[..len]) {
                Ok("" | "\n") => break,
                Ok(line) => text.push_str(line),
                // Whatever it was, it is no digit, and no character of a passphrase.
                Err(_) => text.push('\0'),
            }
            if !is_unfinished(&text) {
                break;
            }
        }
        Ok(text)
    }

    /// A line that is no secret.
    pub(super) fn ask_aloud(question: &str) -> io::Result<String> {
        let mut terminal = open()?;
        terminal.write_all(question.as_bytes())?;
        let mut line = [0; LINE_LEN];
        let len = terminal.read(&mut line)?;
        Ok(String::from_utf8_lossy(&line[..len]).into_owned())
    }

    pub(super) fn is_possible() -> bool {
        open().is_ok()
    }

    /// Not standard input and output: those carry data.
    fn open() -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open("/dev/tty")
    }

    /// While it lives, the terminal shows only line breaks. A signal ends it too.
    struct Silence;

    impl Silence {
        fn on(terminal: &File) -> io::Result<Silence> {
            let before = tcgetattr(terminal)?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            silent.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
            let handle = terminal.try_clone()?;
            let mut leftovers = leftovers();
            // What is typed but not read by then goes nowhere: the shell would run it.
            leftovers.silenced(Box::new(move || {
                let _ = tcsetattr(&handle, OptionalActions::Flush, &before);
            }));
            tcsetattr(terminal, OptionalActions::Flush, &silent)?;
            Ok(Silence)
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            leftovers().restore_terminal();
        }
    }
}

#[cfg(windows)]
mod system {
    use std::fs::File;
    use std::io::{self, BufRead, BufReader, Write};

    use zeroize::Zeroizing;

    use super::MAX_TEXT_LEN;

    pub(super) fn ask(
        question: &str,
        is_unfinished: fn(&str) -> bool,
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
            if !is_unfinished(&text) {
                break;
            }
            prompt = "";
        }
        Ok(text)
    }

    pub(super) fn ask_aloud(question: &str) -> io::Result<String> {
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
    fn lines_of_keys_and_passphrases() {
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
            assert_eq!(is_line_of_key(&text), more, "{text:?}");
        }
    }
}
