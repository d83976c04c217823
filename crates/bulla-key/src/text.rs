//! A key as text: 16 groups of 4 hexadecimal digits, and back.

use std::fmt;

use bulla::Key;
use zeroize::{Zeroize, Zeroizing};

/// Digits in the text of a key: 256 bits at 4 bits each.
pub const DIGITS: usize = 2 * Key::LEN;

/// Bytes of text that [`parse`] reads at most: much more than 64 digits take with any spacing.
pub const MAX_TEXT_LEN: usize = 4096;

/// Digits in a group, and groups in a line: what people read off without losing their place.
const GROUP: usize = 4;

/// The key's 64 digits, in lower case, as four lines of four groups of four.
///
/// Whoever sees the text can open what the key seals. It is wiped when dropped; copies of it are not.
pub fn format(key: &Key) -> Zeroizing<String> {
    // Room for all of it at once, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(DIGITS + DIGITS / GROUP));
    for (index, byte) in key.expose().iter().enumerate() {
        let digits = 2 * index;
        if digits > 0 && digits % GROUP == 0 {
            text.push(if digits % (GROUP * GROUP) == 0 { '\n' } else { ' ' });
        }
        for digit in [byte >> 4, byte & 0xF] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
    }
    text
}

/// Reads 64 hexadecimal digits, in either case, with any white space and dashes between them.
///
/// The letters `o` and `l` (and `i`), which are no hexadecimal digits, are taken for the 0 and 1 that they look like.
///
/// # Errors
///
/// [`ParseError`], which holds no digit of the key.
pub fn parse(text: &str) -> Result<Key, ParseError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(ParseError::TooLong);
    }
    let mut bytes = Zeroizing::new([0u8; Key::LEN]);
    let mut digits = 0;
    for (index, c) in text.chars().enumerate() {
        if c.is_whitespace() || is_dash(c) {
            continue;
        }
        let mut digit =
            digit(c).ok_or(ParseError::NotADigit { position: index + 1, after_digits: digits })?;
        if let Some(byte) = bytes.get_mut(digits / 2) {
            *byte = *byte << 4 | digit;
        }
        digit.zeroize();
        digits += 1;
    }
    if digits == DIGITS { Ok(Key::from_bytes(&bytes)) } else { Err(ParseError::WrongLength { digits }) }
}

fn is_dash(c: char) -> bool {
    // The hyphen-minus, the dashes that text programs make of it, and the minus sign.
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn digit(c: char) -> Option<u8> {
    match c {
        'o' | 'O' => Some(0),
        'l' | 'L' | 'i' | 'I' => Some(1),
        _ => c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()),
    }
}

/// Why a text is not that of a key. It says where, and never what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// A character that is no hexadecimal digit.
    NotADigit {
        /// Its place in the text, in characters, from 1.
        position: usize,
        /// Digits before it.
        after_digits: usize,
    },
    /// Not 64 digits.
    WrongLength {
        /// How many there are.
        digits: usize,
    },
    /// More than [`MAX_TEXT_LEN`] bytes.
    TooLong,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::NotADigit { position, after_digits } => write!(
                f,
                "character {position}, behind {after_digits} digits, is no hexadecimal digit (0 to 9, a to f)"
            ),
            ParseError::WrongLength { digits } => {
                write!(f, "a key has {DIGITS} hexadecimal digits, these are {digits}")
            }
            ParseError::TooLong => {
                write!(f, "a key has {DIGITS} hexadecimal digits, this is more than {MAX_TEXT_LEN} bytes")
            }
        }
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "0123 4567 89ab cdef\n0011 2233 4455 6677\n8899 aabb ccdd eeff\nfedc ba98 7654 3210";

    #[test]
    fn shown_in_groups() {
        let key = parse(TEXT).unwrap();
        assert_eq!(*format(&key), TEXT);
        assert_eq!(key.expose()[..4], [0x01, 0x23, 0x45, 0x67]);
    }

    #[test]
    fn read_as_people_write_it() {
        let key = parse(TEXT).unwrap();
        for text in [
            TEXT.to_uppercase(),
            TEXT.replace([' ', '\n'], ""),
            TEXT.replace(' ', "-"),
            TEXT.replace(' ', "\u{2013}"),
            TEXT.replace('0', "O").replace('1', "l"),
            format!("\r\n\t {TEXT} \r\n"),
        ] {
            assert_eq!(parse(&text).unwrap().expose(), key.expose(), "{text}");
        }
    }

    #[test]
    fn faults_are_named_by_place() {
        let not_a_digit = parse(&TEXT.replacen('8', "x", 1)).unwrap_err();
        assert_eq!(not_a_digit, ParseError::NotADigit { position: 11, after_digits: 8 });
        assert_eq!(parse(&TEXT[1..]).unwrap_err(), ParseError::WrongLength { digits: 63 });
        assert_eq!(parse(&format!("{TEXT}0")).unwrap_err(), ParseError::WrongLength { digits: 65 });
        assert_eq!(parse("").unwrap_err(), ParseError::WrongLength { digits: 0 });
        assert_eq!(parse(&" ".repeat(4097)).unwrap_err(), ParseError::TooLong);
        assert_eq!(parse("\u{0661}").unwrap_err(), ParseError::NotADigit { position: 1, after_digits: 0 });
    }

    proptest! {
        #[test]
        fn there_and_back(bytes: [u8; 32]) {
            let key = Key::from_bytes(&bytes);
            let text = format(&key);
            let again = parse(&text).unwrap();
            prop_assert_eq!(again.expose(), &bytes);
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse(&text);
        }
    }
}
