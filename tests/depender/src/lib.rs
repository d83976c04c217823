//! A store of attachments, as a messenger has one: each is a container of its own under one key.

use bulla::{Key, Options, Result};
use bytes::Bytes;

/// Attachments under one key.
pub struct Store {
    key: Key,
    sealed: Vec<Bytes>,
}

impl Store {
    /// An empty one, under a new key.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub fn new() -> Result<Store> {
        Ok(Store { key: Key::generate()?, sealed: Vec::new() })
    }

    /// Takes an attachment; its number.
    ///
    /// # Errors
    ///
    /// As [`bulla::seal`].
    pub fn put(&mut self, attachment: &[u8]) -> Result<usize> {
        self.sealed.push(bulla::seal(&self.key, attachment, &Options::new())?);
        Ok(self.sealed.len() - 1)
    }

    /// Opens an attachment; `None` if there is none of this number.
    ///
    /// # Errors
    ///
    /// As [`bulla::open`].
    pub fn get(&self, number: usize) -> Result<Option<Bytes>> {
        let Some(sealed) = self.sealed.get(number) else { return Ok(None) };
        let (attachment, _) = bulla::open(&self.key, sealed, &Options::new())?;
        Ok(Some(attachment))
    }
}
