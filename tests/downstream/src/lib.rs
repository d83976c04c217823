//! A messenger's store of attachments, each in a separate container under a common key.

use bulla::{Key, Options, Result};
use bytes::Bytes;

/// Attachments under one key.
pub struct Store {
    key: Key,
    sealed: Vec<Bytes>,
}

impl Store {
    /// Creates an empty store under a new key.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random bytes.
    pub fn new() -> Result<Store> {
        Ok(Store { key: Key::generate()?, sealed: Vec::new() })
    }

    /// Adds an attachment and returns its number.
    ///
    /// # Errors
    ///
    /// Those of [`bulla::seal`].
    pub fn put(&mut self, attachment: &[u8]) -> Result<usize> {
        self.sealed.push(bulla::seal(&self.key, attachment, &Options::new())?);
        Ok(self.sealed.len() - 1)
    }

    /// Opens an attachment. Returns `None` if no attachment has this number.
    ///
    /// # Errors
    ///
    /// Those of [`bulla::open`].
    pub fn get(&self, number: usize) -> Result<Option<Bytes>> {
        let Some(sealed) = self.sealed.get(number) else { return Ok(None) };
        let (attachment, _) = bulla::open(&self.key, sealed, &Options::new())?;
        Ok(Some(attachment))
    }
}
