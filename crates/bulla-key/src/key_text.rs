//! Keys as text: 64 hex digits in 16 groups of 4.
//!
//! The digits contain no checksum, so only opening a container shows whether a key is correct. If
//! it is not, [`typing`](crate::typing) can locate a single typing mistake.

use std::fmt;

use bulla::Key;
use zeroize::Zeroizing;

/// Hex digits in a key.
pub const DIGITS: usize = 2 * Key::LEN;
/// Maximum length of the text that [`parse`] accepts, in bytes. It leaves ample room for spacing.
pub const MAX_TEXT_LEN: usize = 4096;

/// Digits per group, and groups per line (E-1.1).
pub(crate) const GROUP: usize = 4;
/// Length of a formatted key, in bytes: the digits, and one separator between groups.
const TEXT_LEN: usize = DIGITS + DIGITS / GROUP - 1;

/// Formats a key as four lines of four groups of four lowercase digits, without a trailing line
/// break.
///
/// This exposes the key. The returned text is wiped on drop, but the caller must wipe any copies.
///
/// ```
/// let key = bulla::Key::from_bytes(&[0x5A; 32]);
/// assert_eq!(bulla_key::key_text::format(&key).lines().next(), Some("5a5a 5a5a 5a5a 5a5a"));
/// ```
pub fn format(key: &Key) -> Zeroizing<String> {
    // Reserve the full capacity now, because growing the text would leave an unwiped copy behind.
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

/// Parses a key from text (E-1.2).
///
/// Spaces, line breaks, dashes and case are ignored. `o` is read as 0, and `l` and `i` as 1,
/// because these letters cannot be mistaken for any other digit.
///
/// # Errors
///
/// Returns a [`ParseError`] that describes the first problem in the text.
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
    let digits = Digits::parse(text)?;
    digits.key().ok_or(ParseError::WrongLength { digits: digits.count })
}

/// The digits parsed from a string, however many there are.
pub(crate) struct Digits {
    /// The values of the first digits, up to one more than a key has. Later digits are only
    /// counted.
    values: Zeroizing<[u8; DIGITS + 1]>,
    count: usize,
}

impl Digits {
    pub(crate) fn parse(text: &str) -> Result<Digits, ParseError> {
        if text.len() > MAX_TEXT_LEN {
            return Err(ParseError::TooLong { bytes: text.len() });
        }
        let mut digits = Digits { values: Zeroizing::new([0; DIGITS + 1]), count: 0 };
        for (position, c) in text.chars().enumerate() {
            if is_separator(c) {
                continue;
            }
            let value = digit(c).ok_or(ParseError::NotADigit { position: position + 1 })?;
            if let Some(stored) = digits.values.get_mut(digits.count) {
                *stored = value;
            }
            digits.count += 1;
        }
        Ok(digits)
    }

    /// Returns the number of digits in the text.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the digits' values, limited to one digit more than a key has.
    pub(crate) fn values(&self) -> &[u8] {
        &self.values[..self.count.min(DIGITS + 1)]
    }

    /// Returns the key if there are exactly 64 digits.
    pub(crate) fn key(&self) -> Option<Key> {
        self.values().try_into().ok().map(key_of)
    }
}

/// Returns the key with these 64 digits.
pub(crate) fn key_of(digits: &[u8; DIGITS]) -> Key {
    let mut bytes = Zeroizing::new([0; Key::LEN]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Key::from_bytes(&bytes)
}

/// The reason a string is not a key. It contains positions and counts but none of the digits, so
/// it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// The text has fewer or more than 64 digits.
    WrongLength {
        /// The number of digits.
        digits: usize,
    },
    /// A character is neither a hex digit nor a separator.
    NotADigit {
        /// Position of the character, counted from 1 and including spaces and line breaks.
        position: usize,
    },
    /// The text is longer than [`MAX_TEXT_LEN`] and was not examined.
    TooLong {
        /// Length of the text, in bytes.
        bytes: usize,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::WrongLength { digits } => {
                write!(f, "expected {DIGITS} hex digits, found {digits}")
            }
            ParseError::NotADigit { position } => {
                write!(f, "character {position} is not a hex digit (0-9, a-f); spaces are counted")
            }
            ParseError::TooLong { bytes } => {
                write!(f, "text too long for a key: {bytes} bytes, at most {MAX_TEXT_LEN} allowed")
            }
        }
    }
}

impl std::error::Error for ParseError {}

/// Returns whether a character may separate digits. Longer dashes and the byte order mark are
/// included, because word processors insert them.
fn is_separator(c: char) -> bool {
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

    fn sample_key() -> Key {
        Key::from_bytes(&std::array::from_fn(|i| i as u8 * 8))
    }

    const SAMPLE_TEXT: &str =
        "0008 1018 2028 3038\n4048 5058 6068 7078\n8088 9098 a0a8 b0b8\nc0c8 d0d8 e0e8 f0f8";

    fn error(text: &str) -> ParseError {
        parse(text).unwrap_err()
    }

    /// E-1.1
    #[test]
    fn formats_four_lines_of_four_groups() {
        let text = format(&sample_key());
        assert_eq!(*text, SAMPLE_TEXT);
        assert_eq!(text.len(), TEXT_LEN);
        assert_eq!(text.capacity(), TEXT_LEN, "the buffer was reallocated");
    }

    #[test]
    fn ignores_separators_and_case() {
        let digits: String = SAMPLE_TEXT.split_whitespace().collect();
        let spread: String = digits.chars().flat_map(|c| [c, '\t']).collect();
        for text in [
            digits.clone(),
            digits.to_uppercase(),
            spread,
            SAMPLE_TEXT.replace('\n', "\r\n"),
            SAMPLE_TEXT.replace(' ', "-"),
            SAMPLE_TEXT.replace(' ', " \u{2013} "),
            format!("\u{FEFF}{SAMPLE_TEXT}\n\n"),
            SAMPLE_TEXT.replace(' ', "\u{A0}"),
        ] {
            assert_eq!(parse(&text).unwrap().expose(), sample_key().expose(), "{text:?}");
        }
    }

    /// E-1.2
    #[test]
    fn reads_look_alike_letters_as_digits() {
        let typed = SAMPLE_TEXT.replacen("0008 1018", "OoO8 lOI8", 1);
        assert_eq!(parse(&typed).unwrap().expose(), sample_key().expose());
    }

    /// E-1.3
    #[test]
    fn rejects_a_missing_digit() {
        let text = &SAMPLE_TEXT[..SAMPLE_TEXT.len() - 1];
        assert_eq!(error(text), ParseError::WrongLength { digits: 63 });
        assert_eq!(error(text).to_string(), "expected 64 hex digits, found 63");
    }

    #[test]
    fn rejects_an_extra_digit() {
        assert_eq!(error(&format!("{SAMPLE_TEXT}0")), ParseError::WrongLength { digits: 65 });
    }

    #[test]
    fn rejects_text_without_digits() {
        assert_eq!(error(""), ParseError::WrongLength { digits: 0 });
        assert_eq!(error(" \n-"), ParseError::WrongLength { digits: 0 });
        assert_eq!(error("7").to_string(), "expected 64 hex digits, found 1");
    }

    #[test]
    fn positions_count_characters_not_bytes() {
        let text = "0008 1018\u{2014}2g28";
        assert_eq!(error(text), ParseError::NotADigit { position: 12 });
        assert_eq!(
            error(text).to_string(),
            "character 12 is not a hex digit (0-9, a-f); spaces are counted"
        );
    }

    #[test]
    fn rejects_text_above_the_limit() {
        let padded =
            |bytes: usize| format!("{SAMPLE_TEXT}{}", " ".repeat(bytes - SAMPLE_TEXT.len()));
        assert!(parse(&padded(MAX_TEXT_LEN)).is_ok());
        assert_eq!(error(&padded(MAX_TEXT_LEN + 1)), ParseError::TooLong { bytes: 4097 });
    }

    #[test]
    fn errors_contain_no_digits_of_the_key() {
        let text = format!("{SAMPLE_TEXT}x");
        let shown = format!("{0} {0:?}", error(&text));
        assert!(SAMPLE_TEXT.split_whitespace().all(|group| !shown.contains(group)), "{shown}");
    }

    proptest! {
        #[test]
        fn round_trips_any_key(bytes: [u8; 32]) {
            let key = Key::from_bytes(&bytes);
            let parsed = parse(&format(&key)).unwrap();
            prop_assert_eq!(parsed.expose(), &bytes);
        }

        #[test]
        fn accepts_any_separators_between_digits(
            bytes: [u8; 32],
            spacing in proptest::collection::vec("[-\\s\u{2010}-\u{2015}]{0,3}", DIGITS),
            upper in proptest::collection::vec(any::<bool>(), DIGITS),
        ) {
            let digits = format(&Key::from_bytes(&bytes));
            let digits = digits.chars().filter(|c| !c.is_whitespace());
            let text: String = digits
                .zip(spacing.iter().zip(upper))
                .map(|(c, (space, upper))| {
                    format!("{space}{}", if upper { c.to_ascii_uppercase() } else { c })
                })
                .collect();
            let parsed = parse(&text).unwrap();
            prop_assert_eq!(parsed.expose(), &bytes);
        }

        /// Parsing never panics, and a reported position is within the text.
        #[test]
        fn never_panics_on_any_text(text in "\\PC{0,200}|[0-9a-fA-FoOlI \n-]{0,200}") {
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
