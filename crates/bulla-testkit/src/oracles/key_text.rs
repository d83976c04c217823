//! The key as text.

use bulla_key::key_text::{self as library, MAX_TEXT_LEN, ParseError};

/// **The bytes are what somebody typed for a key**; what is no UTF-8 among them is replaced.
///
/// - The library reads the key that stands there, or names the first fault and its place: a slow
///   reading of the text, by its own table of digits and spacing, comes to the same.
/// - The key that was read is written as text that gives the same key again, in four lines of 64
///   digits.
/// - It never panics, and an error shows no digit of the text.
pub fn key_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match (library::parse(&text), read_slowly(&text)) {
        (Ok(key), Ok(digits)) => {
            let expected: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            assert_eq!(key.expose()[..], expected);
            let shown = library::format(&key);
            assert_eq!((shown.lines().count(), shown.len()), (4, 79));
            let again = library::parse(&shown).expect("what is shown can be typed");
            assert_eq!(again.expose(), key.expose());
        }
        (Err(error), Err(expected)) => assert_eq!(error, expected),
        (found, expected) => panic!("{:?}, but {:?}", found.err(), expected.err()),
    }
}

fn read_slowly(text: &str) -> Result<Vec<u8>, ParseError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(ParseError::TooLong { bytes: text.len() });
    }
    let mut digits = Vec::new();
    for (before, c) in text.chars().enumerate() {
        let alike = match c {
            'o' | 'O' => '0',
            'l' | 'L' | 'i' | 'I' => '1',
            other => other,
        };
        let between = c.is_whitespace()
            || "-\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{FEFF}\u{200B}\u{2060}"
                .contains(c);
        match alike.to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None if between => {}
            None => return Err(ParseError::NotADigit { position: before + 1 }),
        }
    }
    if digits.len() == 64 {
        Ok(digits)
    } else {
        Err(ParseError::WrongLength { digits: digits.len() })
    }
}
