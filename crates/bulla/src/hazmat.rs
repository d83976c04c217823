//! Functions for test vectors only. Never use them for real data.

use crate::crypto::key::Key;
use crate::error::Result;
use crate::options::Options;
use crate::sealing::draft::Draft;

/// Returns a draft that uses the given salt instead of a random one.
///
/// **Sealing two containers under the same key and salt reveals both plaintexts** (F-4.2).
///
/// # Errors
///
/// Returns the same errors as [`Draft::new`].
pub fn draft_with_salt<'a>(key: &Key, options: &Options<'a>, salt: &[u8; 32]) -> Result<Draft<'a>> {
    Draft::with_salt(key, options, salt)
}
