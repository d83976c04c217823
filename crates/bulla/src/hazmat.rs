//! Functions for test vectors only. Never use them for data.

use crate::crypto::key::Key;
use crate::error::Result;
use crate::options::Options;
use crate::sealing::draft::Draft;

/// Returns a draft that uses the given salt instead of a random one.
///
/// **Two containers under one key and one salt reveal both plaintexts** (F-4.2).
///
/// # Errors
///
/// The same as for [`Draft::new`].
pub fn draft_with_salt<'a>(key: &Key, options: &Options<'a>, salt: &[u8; 32]) -> Result<Draft<'a>> {
    Draft::with_salt(key, options, salt)
}
