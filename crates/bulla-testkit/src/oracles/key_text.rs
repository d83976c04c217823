//! Recovery keys as text.

use bulla_key::key_text::{self as library, MAX_TEXT_LEN, ParseError};

/// **Input: the text that a user types for a key**, with invalid UTF-8 replaced.
///
/// - The library returns the same key, or the same first error and position, as a slow parser that
///   uses separate tables of digits and separators.
/// - The key is formatted as 64 digits in four lines, which parse to the same key.
/// - It never panics, and no error reveals a digit of the text.
pub fn key_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match (library::parse(&text), read_slowly(&text)) {
        (Ok(key), Ok(digits)) => {
            let expected: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            assert_eq!(key.expose()[..], expected);
            let shown = library::format(&key);
            assert_eq!((shown.lines().count(), shown.len()), (4, 79));
            let again = library::parse(&shown).expect("a formatted key parses");
            assert_eq!(again.expose(), key.expose());
        }
        (Err(error), Err(expected)) => assert_eq!(error, expected),
        (found, expected) => panic!("library {:?}, expected {:?}", found.err(), expected.err()),
    }
}

/// Parses a key one character at a time and returns its digits.
fn read_slowly(text: &str) -> Result<Vec<u8>, ParseError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(ParseError::TooLong { bytes: text.len() });
    }
    let mut digits = Vec::new();
    for (before, c) in text.chars().enumerate() {
        let digit = match c {
            'o' | 'O' => '0',
            'l' | 'L' | 'i' | 'I' => '1',
            other => other,
        };
        let is_separator = c.is_whitespace()
            || "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{FEFF}\u{200B}\u{2060}"
                .contains(c);
        match digit.to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None if is_separator => {}
            None => return Err(ParseError::NotADigit { position: before + 1 }),
        }
    }
    if digits.len() == 64 {
        Ok(digits)
    } else {
        Err(ParseError::WrongLength { digits: digits.len() })
    }
}
