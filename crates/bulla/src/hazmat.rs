//! Sharp tools, for test vectors only.

use crate::crypto::key::Key;
use crate::error::Result;
use crate::options::Options;
use crate::sealing::draft::Draft;

/// A draft under a salt of the caller's choice. **Two containers under one key and one salt give
/// both plaintexts away** (F-4.2).
///
/// # Errors
///
/// As [`Draft::new`].
pub fn draft_with_salt<'a>(key: &Key, options: &Options<'a>, salt: &[u8; 32]) -> Result<Draft<'a>> {
    Draft::under(key, options, salt)
}
