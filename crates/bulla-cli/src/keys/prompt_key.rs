//! Prompts for the key or passphrase of a container, explains typing errors, and retries.

use bulla::Key;
use bulla_key::Passphrase;
use bulla_key::key_text::{self, DIGITS, ParseError};
use bulla_key::typing::{Correction, Mistake, find_mistake};
use zeroize::Zeroizing;

use crate::error::{Exit, Failure};
use crate::keys::source::{KEY_OPTIONS, no_terminal, without_line_break};
use crate::process::workers::WorkerPool;
use crate::terminal::message::{note, say};
use crate::terminal::prompt;

/// The number of attempts to type a passphrase.
const ATTEMPTS: usize = 3;
/// The minimum number of hex digits for a text with other characters to count as a mistyped key.
const MISTYPED_KEY_DIGITS: usize = 56;
/// The minimum number of digits for a text that contains only hex digits to count as an incomplete
/// key. Such a passphrase is unlikely.
const PARTIAL_KEY_DIGITS: usize = 16;

/// The answer to a prompt.
pub(crate) enum Answer<T> {
    /// A passphrase that unlocked the container.
    Unlocked(T),
    /// A key that matches.
    Key(Key),
    WrongKey,
    WrongPassphrase,
}

/// Prompts for a key that `matches` accepts or, if `takes_passphrases`, for a passphrase that
/// `unlock` accepts.
pub(crate) fn prompt_key<T>(
    pool: &WorkerPool,
    takes_passphrases: bool,
    matches: impl Fn(&Key) -> bool + Sync,
    unlock: impl Fn(&Passphrase) -> Result<Option<T>, Failure>,
) -> Result<Answer<T>, Failure> {
    if !takes_passphrases {
        let text = prompt::read_key("Key (64 hex digits, not shown): ")
            .map_err(|_| no_terminal("key", KEY_OPTIONS))?;
        return match check_key(pool, &text, &matches) {
            TypedKey::Matches(key) => Ok(Answer::Key(key)),
            TypedKey::CorrectionDeclined(mistake) => Err(declined(&mistake)),
            TypedKey::Wrong => Ok(Answer::WrongKey),
            TypedKey::Invalid(e) => Err(Failure::usage("key", e.to_string())),
        };
    }
    let mut was_key = false;
    for attempt in 1..=ATTEMPTS {
        let text = prompt::read_passphrase_or_key("Passphrase or 64-digit key (not shown): ")
            .map_err(|_| {
                let options = "use --passphrase-file FILE or -k FILE, or run bulla on a terminal";
                no_terminal("passphrase", options)
            })?;
        let line = without_line_break(&text);
        if line.is_empty() {
            return Err(Failure::usage("passphrase", "the input is empty; try again"));
        }
        was_key = looks_like_key(line);
        let hint = if was_key {
            match check_key(pool, line, &matches) {
                TypedKey::Matches(key) => return Ok(Answer::Key(key)),
                TypedKey::CorrectionDeclined(mistake) => return Err(declined(&mistake)),
                TypedKey::Wrong => "wrong key: it has more than one wrong digit, or belongs to \
                                    another container"
                    .to_owned(),
                TypedKey::Invalid(e) => format!("not a key: {e}"),
            }
        } else {
            "wrong passphrase: check Caps Lock and the keyboard layout".to_owned()
        };
        // Even 64 hex digits can be a passphrase.
        match Passphrase::new(line) {
            Ok(passphrase) => {
                if let Some(unlocked) = unlock(&passphrase)? {
                    return Ok(Answer::Unlocked(unlocked));
                }
                note(&with_attempts_left(&hint, attempt));
            }
            Err(e) => note(&with_attempts_left(&e.to_string(), attempt)),
        }
    }
    Ok(if was_key { Answer::WrongKey } else { Answer::WrongPassphrase })
}

/// Prompts twice for a new passphrase. `name` is what the prompts call it, and `alternative` says
/// how to provide it without a terminal.
pub(crate) fn prompt_new_passphrase(name: &str, alternative: &str) -> Result<Passphrase, Failure> {
    let prompt = |question: &str| {
        prompt::read_passphrase(question).map_err(|_| no_terminal(name, alternative))
    };
    let reject = |why: &str| Failure::usage(name, format!("{why}; try again"));
    let first = prompt(&format!("New {name} (not shown): "))?;
    let passphrase =
        Passphrase::new(without_line_break(&first)).map_err(|e| reject(&e.to_string()))?;
    let again = prompt(&format!("Repeat the {name}: "))?;
    if without_line_break(&first) != without_line_break(&again) {
        return Err(reject("the two entries do not match"));
    }
    Ok(passphrase)
}

fn with_attempts_left(hint: &str, attempt: usize) -> String {
    match ATTEMPTS - attempt {
        0 => hint.to_owned(),
        1 => format!("{hint}; 1 attempt left"),
        left => format!("{hint}; {left} attempts left"),
    }
}

/// Returns whether a text was probably meant to be a key.
fn looks_like_key(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    match key_text::parse(text) {
        Ok(_) => true,
        Err(ParseError::WrongLength { digits }) => digits >= PARTIAL_KEY_DIGITS,
        // A long passphrase contains letters other than a to f.
        Err(_) => {
            digits >= MISTYPED_KEY_DIGITS
                && digits * 10 >= text.chars().filter(|c| !c.is_whitespace()).count() * 9
        }
    }
}

/// The result of checking a typed key.
enum TypedKey {
    /// The key matches, as typed or with a correction that the user accepted.
    Matches(Key),
    /// The key would match with a correction that the user declined.
    CorrectionDeclined(String),
    Wrong,
    Invalid(ParseError),
}

fn check_key(pool: &WorkerPool, text: &str, matches: impl Fn(&Key) -> bool + Sync) -> TypedKey {
    let parsed = key_text::parse(text);
    if parsed.as_ref().is_ok_and(&matches) {
        return parsed.map_or_else(TypedKey::Invalid, TypedKey::Matches);
    }
    let Some(found) = pool.install(|| find_mistake(text, &matches)).ok().flatten() else {
        return parsed.map_or_else(TypedKey::Invalid, |_| TypedKey::Wrong);
    };
    let mistake = found.mistake.to_string();
    say(&format!("{}: {}.", capitalized(&mistake), describe_correction(text, &found)));
    match prompt::confirm("Use the corrected key?") {
        Ok(true) => {
            note("correct the key where it is written down");
            TypedKey::Matches(found.key)
        }
        _ => TypedKey::CorrectionDeclined(mistake),
    }
}

fn declined(mistake: &str) -> Failure {
    Failure::new(Exit::WrongKey, "key", format!("{mistake}; nothing was done"))
}

/// Describes what was typed and what is correct, for the user at the terminal.
fn describe_correction(text: &str, found: &Correction) -> String {
    let correct: Zeroizing<Vec<char>> = Zeroizing::new(
        key_text::format(&found.key).chars().filter(|c| !c.is_whitespace()).collect(),
    );
    let digits = |chars: &[char], from: usize, count: usize| -> String {
        chars.iter().skip(from - 1).take(count).collect()
    };
    let typed = typed_digits(text);
    match found.mistake {
        Mistake::Substituted { digit } => {
            format!("typed {} instead of {}", digits(&typed, digit, 1), digits(&correct, digit, 1))
        }
        Mistake::Transposed { digit } => {
            format!("typed {} instead of {}", digits(&typed, digit, 2), digits(&correct, digit, 2))
        }
        Mistake::Missing { digit } => format!("the digit is {}", digits(&correct, digit, 1)),
        Mistake::Extra { digit } => {
            format!("typed {}, which must be removed", digits(&typed, digit, 1))
        }
        _ => "the other order is correct".to_owned(),
    }
}

/// Returns the digits of a text as the parser reads them: `o` is 0, and `l` and `i` are 1.
fn typed_digits(text: &str) -> Zeroizing<Vec<char>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(DIGITS + 1));
    digits.extend(text.chars().filter_map(|c| match c.to_ascii_lowercase() {
        'o' => Some('0'),
        'l' | 'i' => Some('1'),
        c => Some(c).filter(char::is_ascii_hexdigit),
    }));
    digits
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_keys_from_passphrases() {
        for (text, is_key) in [
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
            assert_eq!(looks_like_key(&text), is_key, "{text}");
        }
    }

    #[test]
    fn describes_what_was_typed_and_what_is_correct() {
        let key = Key::from_bytes(&[0x12; 32]);
        let correct = key_text::format(&key);
        for (typed, shown) in [
            (correct.replacen("12", "1F", 1), "typed f instead of 2"),
            (correct.replacen("12", "21", 1), "typed 21 instead of 12"),
            (correct.replacen("12", "1", 1), "the digit is 2"),
            (correct.replacen("12", "1l2", 1), "typed 1, which must be removed"),
        ] {
            let found = find_mistake(&typed, |candidate| candidate.expose() == key.expose())
                .unwrap()
                .unwrap();
            assert_eq!(describe_correction(&typed, &found), shown);
        }
    }
}
