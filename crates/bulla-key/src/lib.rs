//! Keys for people: the 256-bit key of a [`bulla`] container as 64 hexadecimal digits.
//!
//! ```
//! let key = bulla::Key::generate().unwrap();
//! let text = bulla_key::format(&key);
//! assert_eq!(text.lines().count(), 4);
//!
//! let again = bulla_key::parse(&text.to_uppercase().replace(' ', "-")).unwrap();
//! assert_eq!(again.expose(), key.expose());
//! ```

#![forbid(unsafe_code)]

mod text;

pub use text::{DIGITS, MAX_TEXT_LEN, ParseError, format, parse};
