//! A messenger's attachment store. Each attachment is in its own container, and all containers have
//! the same key.

use bulla::{Key, Options, Result};
use bytes::Bytes;

/// A store of attachments that are all sealed with the same key.
pub struct Store {
    key: Key,
    sealed: Vec<Bytes>,
}

impl Store {
    /// Creates an empty store with a new key.
    ///
    /// # Errors
    ///
    /// Returns an error if the system provides no random bytes.
    pub fn new() -> Result<Store> {
        Ok(Store { key: Key::generate()?, sealed: Vec::new() })
    }

    /// Adds an attachment and returns its number.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`bulla::seal`].
    pub fn put(&mut self, attachment: &[u8]) -> Result<usize> {
        self.sealed.push(bulla::seal(&self.key, attachment, &Options::new())?);
        Ok(self.sealed.len() - 1)
    }

    /// Opens an attachment. Returns `None` if no attachment has this number.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`bulla::open`].
    pub fn get(&self, number: usize) -> Result<Option<Bytes>> {
        let Some(sealed) = self.sealed.get(number) else { return Ok(None) };
        let (attachment, _) = bulla::open(&self.key, sealed, &Options::new())?;
        Ok(Some(attachment))
    }
}
