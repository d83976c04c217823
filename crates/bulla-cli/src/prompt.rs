//! Asks for a key on the terminal, and shows nothing of what is typed.

use std::io;

use bulla_key::key_text::{self, DIGITS, MAX_TEXT_LEN, ParseError};
use zeroize::Zeroizing;

/// What was typed: lines until they make up a key or cannot become one, so that a key of four lines can be pasted. An empty
/// line ends it early.
///
/// An error means that there is no terminal.
pub(crate) fn ask(question: &str) -> io::Result<Zeroizing<String>> {
    system::ask(question)
}

/// Whether more digits are needed.
fn is_unfinished(text: &str) -> bool {
    matches!(key_text::parse(text), Err(ParseError::WrongLength { digits }) if digits < DIGITS)
}

#[cfg(unix)]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read, Write};

    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use zeroize::Zeroizing;

    use super::{MAX_TEXT_LEN, is_unfinished};
    use crate::cleanup::leftovers;

    /// Bytes that a terminal hands over at once, at most.
    const LINE_LEN: usize = 4096;

    pub(super) fn ask(question: &str) -> io::Result<Zeroizing<String>> {
        // Not standard input and output: those carry data.
        let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
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
                // Whatever it was, it is no digit.
                Err(_) => text.push('\u{FFFD}'),
            }
            if !is_unfinished(&text) {
                break;
            }
        }
        Ok(text)
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
    use std::io;

    use zeroize::Zeroizing;

    use super::{MAX_TEXT_LEN, is_unfinished};

    pub(super) fn ask(question: &str) -> io::Result<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT_LEN));
        let mut prompt = question;
        while text.len() < MAX_TEXT_LEN && is_unfinished(&text) {
            let line = Zeroizing::new(rpassword::prompt_password(prompt)?);
            if line.is_empty() {
                break;
            }
            text.push_str(&line);
            prompt = "";
        }
        Ok(text)
    }
}
