//! JSON that others wrote.

use serde::de::{DeserializeOwned, Error as _};

/// The object that a text is. A list of an object's values in their order would do for serde, and is no object.
///
/// # Errors
///
/// Those of JSON and of the object's fields.
pub(crate) fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    // serde_json asks for UTF-8 only where it does not skip.
    let text = std::str::from_utf8(text).map_err(serde_json::Error::custom)?;
    match text.trim_ascii_start().starts_with('{') {
        true => serde_json::from_str(text),
        false => Err(serde_json::Error::custom("not an object")),
    }
}
