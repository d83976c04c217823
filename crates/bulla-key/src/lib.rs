//! Keys of [`bulla`] containers as people handle them: shown, printed, typed in again.
//!
//! [`key_text`] turns a [`bulla::Key`] into 64 hex digits and back. With the feature `sheet`, `sheet` draws the page that a person
//! prints and files.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bulla_key::key_text;
//!
//! let key = bulla::Key::generate()?;
//! let shown = key_text::format(&key);
//! assert_eq!(shown.lines().count(), 4);
//!
//! let typed = shown.to_uppercase().replace('\n', " - ");
//! assert_eq!(key_text::parse(&typed)?.expose(), key.expose());
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

pub mod key_text;
#[cfg(feature = "sheet")]
pub mod sheet;
