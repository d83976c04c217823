//! Asks for what opens a container, helps with typing mistakes, and asks again.

use bulla::Key;
use bulla_key::key_text::{self, DIGITS, ParseError};
use bulla_key::typing::{Correction, Mistake, find_mistake};
use bulla_key::{Passphrase, PassphraseError};
use zeroize::Zeroizing;

use crate::error::{Exit, Failure};
use crate::keys::source::{KEY_OPTIONS, no_terminal, without_line_break};
use crate::process::workers::compute;
use crate::terminal::prompt;
use crate::terminal::streams::{note, say};

/// How often a passphrase may be typed.
const TRIES: usize = 3;
/// Digits from which on a text is meant to be a key, if it holds other characters too.
const ALMOST_DIGITS: usize = 56;
/// Digits from which on a text of digits alone is meant to be a key: a passphrase of so many would
/// be a strange one.
const SOME_DIGITS: usize = 16;

/// What came of asking.
pub(crate) enum Answer<T> {
    /// A passphrase was typed that opens it.
    Opened(T),
    /// A key was typed that fits.
    Key(Key),
    WrongKey,
    WrongPassphrase,
}

/// Asks for a key that `fits`, or for a passphrase that opens what is to be opened, if it takes
/// passphrases.
pub(crate) fn ask<T>(
    takes_passphrases: bool,
    fits: impl Fn(&Key) -> bool + Sync,
    open: impl Fn(&Passphrase) -> Result<Option<T>, Failure>,
) -> Result<Answer<T>, Failure> {
    if !takes_passphrases {
        let text = prompt::ask_for_key("Key (64 hex digits, not shown): ")
            .map_err(|_| no_terminal("key", KEY_OPTIONS))?;
        return match key_of(&text, &fits) {
            TypedKey::Fits(key) => Ok(Answer::Key(key)),
            TypedKey::Declined(mistake) => Err(declined(&mistake)),
            TypedKey::FitsNothing => Ok(Answer::WrongKey),
            TypedKey::NoKey(e) => Err(Failure::usage("key", e.to_string())),
        };
    }
    let mut key_was_wrong = false;
    for tried in 1..=TRIES {
        let text = prompt::ask_for_either("Passphrase or 64-digit key (not shown): ").map_err(|_| {
            let options =
                "name the file that holds it with --passphrase-file FILE, or with -k FILE the key's";
            no_terminal("passphrase", options)
        })?;
        let line = without_line_break(&text);
        if line.is_empty() {
            return Err(Failure::usage("passphrase", "nothing was typed"));
        }
        key_was_wrong = is_key(line);
        let hint = if key_was_wrong {
            match key_of(line, &fits) {
                TypedKey::Fits(key) => return Ok(Answer::Key(key)),
                TypedKey::Declined(mistake) => return Err(declined(&mistake)),
                TypedKey::FitsNothing => {
                    "this key does not open it: more than one digit is wrong, or it is another container's"
                        .to_owned()
                }
                TypedKey::NoKey(e) => format!("this is no key: {e}"),
            }
        } else {
            "wrong passphrase: look at Caps Lock, and at the keyboard's language".to_owned()
        };
        // 64 digits can be a passphrase as well.
        match Passphrase::new(line) {
            Ok(passphrase) => {
                if let Some(opened) = open(&passphrase)? {
                    return Ok(Answer::Opened(opened));
                }
                note(&again(&hint, tried));
            }
            Err(e) => note(&again(&describe(&e), tried)),
        }
    }
    Ok(if key_was_wrong { Answer::WrongKey } else { Answer::WrongPassphrase })
}

/// Asks twice for a new passphrase, which is called `name`; `instead` says how to give it without a
/// terminal.
pub(crate) fn ask_for_new_passphrase(name: &str, instead: &str) -> Result<Passphrase, Failure> {
    let ask = |question: &str| {
        prompt::ask_for_passphrase(question).map_err(|_| no_terminal(name, instead))
    };
    let refuse = |why: &str| Failure::usage(name, format!("{why}; nothing was done, try again"));
    let first = ask(&format!("New {name} (not shown): "))?;
    let passphrase =
        Passphrase::new(without_line_break(&first)).map_err(|e| refuse(&describe(&e)))?;
    let again = ask("The same once more: ")?;
    if without_line_break(&first) != without_line_break(&again) {
        return Err(refuse("the two are not the same"));
    }
    Ok(passphrase)
}

fn again(hint: &str, tried: usize) -> String {
    match TRIES - tried {
        0 => hint.to_owned(),
        1 => format!("{hint}; one more try"),
        left => format!("{hint}; {left} more tries"),
    }
}

fn describe(error: &PassphraseError) -> String {
    error.to_string()
}

/// Whether a text is meant to be a key.
fn is_key(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    match key_text::parse(text) {
        Ok(_) => true,
        Err(ParseError::WrongLength { digits }) => digits >= SOME_DIGITS,
        // A long passphrase has other letters than a to f.
        Err(_) => {
            digits >= ALMOST_DIGITS
                && digits * 10 >= text.chars().filter(|c| !c.is_whitespace()).count() * 9
        }
    }
}

/// What a text was that was typed for a key.
enum TypedKey {
    /// It fits, as it is or with one mistake mended that was shown and agreed to.
    Fits(Key),
    /// It would fit with this mistake mended, and nobody agreed to that.
    Declined(String),
    FitsNothing,
    NoKey(ParseError),
}

fn key_of(text: &str, fits: impl Fn(&Key) -> bool + Sync) -> TypedKey {
    let parsed = key_text::parse(text);
    if parsed.as_ref().is_ok_and(&fits) {
        return parsed.map_or_else(TypedKey::NoKey, TypedKey::Fits);
    }
    let Some(found) = compute(|| find_mistake(text, &fits)).ok().flatten() else {
        return parsed.map_or_else(TypedKey::NoKey, |_| TypedKey::FitsNothing);
    };
    let mistake = found.mistake.to_string();
    say(&format!("{}: {}.", capital(&mistake), shown_digits(text, &found)));
    match prompt::confirm("Go on with what fits?") {
        Ok(true) => {
            note("correct it where the key is written down");
            TypedKey::Fits(found.key)
        }
        _ => TypedKey::Declined(mistake),
    }
}

fn declined(mistake: &str) -> Failure {
    Failure::new(Exit::WrongKey, "key", format!("{mistake}; nothing was done"))
}

/// What was typed, and what fits, for the person at the terminal.
fn shown_digits(text: &str, found: &Correction) -> String {
    let right: Zeroizing<Vec<char>> = Zeroizing::new(
        key_text::format(&found.key).chars().filter(|c| !c.is_whitespace()).collect(),
    );
    let digits = |chars: &[char], from: usize, count: usize| -> String {
        chars.iter().skip(from - 1).take(count).collect()
    };
    let typed = typed_digits(text);
    match found.mistake {
        Mistake::Substituted { digit } => {
            format!("{} was typed, {} fits", digits(&typed, digit, 1), digits(&right, digit, 1))
        }
        Mistake::Transposed { digit } => {
            format!("{} was typed, {} fits", digits(&typed, digit, 2), digits(&right, digit, 2))
        }
        Mistake::Missing { digit } => format!("{} fits there", digits(&right, digit, 1)),
        Mistake::Extra { digit } => {
            format!("{} was typed, and without it the key fits", digits(&typed, digit, 1))
        }
        _ => "the other way round they fit".to_owned(),
    }
}

/// The digits of a text, as they are read: `o` as 0, `l` and `i` as 1.
fn typed_digits(text: &str) -> Zeroizing<Vec<char>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(DIGITS + 1));
    digits.extend(text.chars().filter_map(|c| match c.to_ascii_lowercase() {
        'o' => Some('0'),
        'l' | 'i' => Some('1'),
        c => Some(c).filter(char::is_ascii_hexdigit),
    }));
    digits
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_passphrases() {
        for (text, key) in [
            ("0".repeat(64), true),
            ("0011 ".repeat(16), true),
            ("0".repeat(63), true),
            ("0".repeat(16), true),
            ("0".repeat(15), false),
            (format!("{}x", "0".repeat(54)), false),
            (format!("{}x", "0".repeat(63)), true),
            ("correct horse battery staple".repeat(4), false),
            ("1234".to_owned(), false),
        ] {
            assert_eq!(is_key(&text), key, "{text}");
        }
    }

    #[test]
    fn mistakes_show_what_was_typed() {
        let key = Key::from_bytes(&[0x12; 32]);
        let right = key_text::format(&key);
        for (typed, shown) in [
            (right.replacen("12", "1F", 1), "f was typed, 2 fits"),
            (right.replacen("12", "21", 1), "21 was typed, 12 fits"),
            (right.replacen("12", "1", 1), "2 fits there"),
            (right.replacen("12", "1l2", 1), "1 was typed, and without it the key fits"),
        ] {
            let found = find_mistake(&typed, |candidate| candidate.expose() == key.expose())
                .unwrap()
                .unwrap();
            assert_eq!(shown_digits(&typed, &found), shown);
        }
    }
}
