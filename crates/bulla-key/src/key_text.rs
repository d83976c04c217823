//! A key as text: 64 hex digits in 16 groups of 4.
//!
//! 64 digits are all there is of a key: there is no checksum among them. Whether a key is the right
//! one shows when a container is opened with it; [`typing`](crate::typing) finds the mistake in one
//! that is not.

use std::fmt;

use bulla::Key;
use zeroize::Zeroizing;

/// Hex digits in a key.
pub const DIGITS: usize = 2 * Key::LEN;
/// Bytes in the longest text that [`parse`] looks at. It leaves room for any spacing that a person
/// would choose.
pub const MAX_TEXT_LEN: usize = 4096;

/// Digits in a group, and groups in a line (E-1.1).
pub(crate) const GROUP: usize = 4;
/// Bytes in the text: the digits, and a separator between any two groups.
const TEXT_LEN: usize = DIGITS + DIGITS / GROUP - 1;

/// The key as text, to be shown or stored: four lines of four groups of four lowercase digits,
/// without a line break at the end.
///
/// This exposes the key. The text is wiped when dropped; whoever copies it must wipe the copy.
///
/// ```
/// let key = bulla::Key::from_bytes(&[0x5A; 32]);
/// assert_eq!(bulla_key::key_text::format(&key).lines().next(), Some("5a5a 5a5a 5a5a 5a5a"));
/// ```
pub fn format(key: &Key) -> Zeroizing<String> {
    // Room for all of it at once, so that no growing leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(TEXT_LEN));
    for position in 0..DIGITS {
        if position > 0 && position % GROUP == 0 {
            text.push(if position % (GROUP * GROUP) == 0 { '\n' } else { ' ' });
        }
        let byte = key.expose()[position / 2];
        let nibble = if position % 2 == 0 { byte >> 4 } else { byte & 0xF };
        text.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
    }
    text
}

/// The key that a text gives (E-1.2). Spaces, line breaks, dashes and case do not matter; `o` is
/// read as 0, `l` and `i` as 1, since no digit looks like them.
///
/// # Errors
///
/// [`ParseError`]: of several faults, the first.
///
/// ```
/// use bulla_key::key_text::{self, ParseError};
///
/// let typed = "00112233-44556677-8899AABB-CCDDEEFF".repeat(2);
/// assert_eq!(key_text::parse(&typed)?.expose()[..3], [0x00, 0x11, 0x22]);
/// assert_eq!(key_text::parse("0011 22").unwrap_err(), ParseError::WrongLength { digits: 6 });
/// # Ok::<(), ParseError>(())
/// ```
pub fn parse(text: &str) -> Result<Key, ParseError> {
    let digits = Digits::of(text)?;
    digits.key().ok_or(ParseError::WrongLength { digits: digits.count })
}

/// The digits of a text, however many there are.
pub(crate) struct Digits {
    /// Their values, as far as one more than a key has.
    values: Zeroizing<[u8; DIGITS + 1]>,
    count: usize,
}

impl Digits {
    pub(crate) fn of(text: &str) -> Result<Digits, ParseError> {
        if text.len() > MAX_TEXT_LEN {
            return Err(ParseError::TooLong { bytes: text.len() });
        }
        let mut digits = Digits { values: Zeroizing::new([0; DIGITS + 1]), count: 0 };
        for (position, c) in text.chars().enumerate() {
            if is_spacing(c) {
                continue;
            }
            let value = digit(c).ok_or(ParseError::NotADigit { position: position + 1 })?;
            if let Some(place) = digits.values.get_mut(digits.count) {
                *place = value;
            }
            digits.count += 1;
        }
        Ok(digits)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Their values: all of them, if they are at most one more than a key has.
    pub(crate) fn values(&self) -> &[u8] {
        &self.values[..self.count.min(DIGITS + 1)]
    }

    /// The key, if there are as many as a key has.
    pub(crate) fn key(&self) -> Option<Key> {
        self.values().try_into().ok().map(key_of)
    }
}

/// The key of 64 digits.
pub(crate) fn key_of(digits: &[u8; DIGITS]) -> Key {
    let mut bytes = Zeroizing::new([0; Key::LEN]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Key::from_bytes(&bytes)
}

/// Why a text is no key. It tells places and numbers, and no digit of the text, so that it may be
/// logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// There are fewer or more than 64 digits.
    WrongLength {
        /// How many there are.
        digits: usize,
    },
    /// A character is neither a hex digit nor spacing.
    NotADigit {
        /// Which character of the text, from 1, spacing and line breaks counted.
        position: usize,
    },
    /// The text is longer than [`MAX_TEXT_LEN`]; it was not looked at.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::WrongLength { digits: 1 } => {
                write!(f, "{DIGITS} hex digits are needed, 1 was given")
            }
            ParseError::WrongLength { digits } => {
                write!(f, "{DIGITS} hex digits are needed, {digits} were given")
            }
            ParseError::NotADigit { position } => {
                write!(
                    f,
                    "character {position} is not a hex digit (0 to 9, a to f); spaces are counted"
                )
            }
            ParseError::TooLong { bytes } => {
                write!(f, "{bytes} bytes are too many for a key; {MAX_TEXT_LEN} are the limit")
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// What may stand between digits. Word processors turn dashes into longer ones, and put a byte
/// order mark in front.
fn is_spacing(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        || matches!(c, '\u{FEFF}' | '\u{200B}' | '\u{2060}')
}

fn digit(c: char) -> Option<u8> {
    match c {
        '0'..='9' => Some(c as u8 - b'0'),
        'a'..='f' => Some(c as u8 - b'a' + 10),
        'A'..='F' => Some(c as u8 - b'A' + 10),
        'o' | 'O' => Some(0),
        'l' | 'L' | 'i' | 'I' => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counting() -> Key {
        Key::from_bytes(&std::array::from_fn(|i| i as u8 * 8))
    }

    const COUNTING: &str =
        "0008 1018 2028 3038\n4048 5058 6068 7078\n8088 9098 a0a8 b0b8\nc0c8 d0d8 e0e8 f0f8";

    fn error(text: &str) -> ParseError {
        parse(text).unwrap_err()
    }

    /// E-1.1
    #[test]
    fn four_lines_of_four_groups() {
        let text = format(&counting());
        assert_eq!(*text, COUNTING);
        assert_eq!(text.len(), TEXT_LEN);
        assert_eq!(text.capacity(), TEXT_LEN, "it never grew");
    }

    #[test]
    fn spacing_and_case_do_not_matter() {
        let digits: String = COUNTING.split_whitespace().collect();
        let spread: String = digits.chars().flat_map(|c| [c, '\t']).collect();
        for text in [
            digits.clone(),
            digits.to_uppercase(),
            spread,
            COUNTING.replace('\n', "\r\n"),
            COUNTING.replace(' ', "-"),
            COUNTING.replace(' ', " \u{2013} "),
            format!("\u{FEFF}{COUNTING}\n\n"),
            COUNTING.replace(' ', "\u{A0}"),
        ] {
            assert_eq!(parse(&text).unwrap().expose(), counting().expose(), "{text:?}");
        }
    }

    /// E-1.2
    #[test]
    fn look_alikes() {
        let typed = COUNTING.replacen("0008 1018", "OoO8 lOI8", 1);
        assert_eq!(parse(&typed).unwrap().expose(), counting().expose());
    }

    /// E-1.3
    #[test]
    fn one_digit_missing() {
        let text = &COUNTING[..COUNTING.len() - 1];
        assert_eq!(error(text), ParseError::WrongLength { digits: 63 });
        assert_eq!(error(text).to_string(), "64 hex digits are needed, 63 were given");
    }

    #[test]
    fn one_digit_too_many() {
        assert_eq!(error(&format!("{COUNTING}0")), ParseError::WrongLength { digits: 65 });
    }

    #[test]
    fn nothing_typed() {
        assert_eq!(error(""), ParseError::WrongLength { digits: 0 });
        assert_eq!(error(" \n-"), ParseError::WrongLength { digits: 0 });
        assert_eq!(error("7").to_string(), "64 hex digits are needed, 1 was given");
    }

    #[test]
    fn position_counts_characters_and_not_bytes() {
        let text = "0008 1018\u{2014}2g28";
        assert_eq!(error(text), ParseError::NotADigit { position: 12 });
        assert_eq!(
            error(text).to_string(),
            "character 12 is not a hex digit (0 to 9, a to f); spaces are counted"
        );
    }

    #[test]
    fn input_is_bounded() {
        let padded = |bytes: usize| format!("{COUNTING}{}", " ".repeat(bytes - COUNTING.len()));
        assert!(parse(&padded(MAX_TEXT_LEN)).is_ok());
        assert_eq!(error(&padded(MAX_TEXT_LEN + 1)), ParseError::TooLong { bytes: 4097 });
    }

    #[test]
    fn errors_hold_no_digits_of_the_key() {
        let text = format!("{COUNTING}x");
        let shown = format!("{0} {0:?}", error(&text));
        assert!(COUNTING.split_whitespace().all(|group| !shown.contains(group)), "{shown}");
    }

    proptest! {
        #[test]
        fn any_key_survives(bytes: [u8; 32]) {
            let key = Key::from_bytes(&bytes);
            let parsed = parse(&format(&key)).unwrap();
            prop_assert_eq!(parsed.expose(), &bytes);
        }

        #[test]
        fn any_spacing_between_any_digits(
            bytes: [u8; 32],
            spacing in proptest::collection::vec("[-\\s\u{2010}-\u{2015}]{0,3}", DIGITS),
            upper in proptest::collection::vec(any::<bool>(), DIGITS),
        ) {
            let digits = format(&Key::from_bytes(&bytes));
            let digits = digits.chars().filter(|c| !c.is_whitespace());
            let text: String = digits
                .zip(spacing.iter().zip(upper))
                .map(|(c, (space, upper))| format!("{space}{}", if upper { c.to_ascii_uppercase() } else { c }))
                .collect();
            let parsed = parse(&text).unwrap();
            prop_assert_eq!(parsed.expose(), &bytes);
        }

        /// No text makes it panic, and a fault is at a character that is there.
        #[test]
        fn any_text(text in "\\PC{0,200}|[0-9a-fA-FoOlI \n-]{0,200}") {
            match parse(&text) {
                Err(ParseError::NotADigit { position }) => {
                    let c = text.chars().nth(position - 1).unwrap();
                    prop_assert!(!c.is_ascii_hexdigit() && !c.is_whitespace());
                }
                Err(ParseError::WrongLength { digits }) => prop_assert_ne!(digits, DIGITS),
                Err(ParseError::TooLong { .. }) => prop_assert!(false, "at most 800 bytes"),
                Ok(_) => prop_assert!(text.chars().count() >= DIGITS),
            }
        }
    }
}
