//! Locators for keys stored in a Backup Key Vault.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The information needed, in addition to the password, to fetch a recovery key from a Backup Key
/// Vault: the registration, the pepper for hashing the password, and hints for finding the vault
/// (E-3.4).
///
/// The party that stores the container can read the locator. Because a locator is not authenticated
/// until the envelope has been opened, a client must compare any address or public key in a hint
/// with its own configuration, and must reject a mismatch.
///
/// ```
/// use bulla_key::Locator;
/// let locator = Locator::new([1; 32], &[2; 32]).with_hint(Locator::ADDRESS, b"vault.example")?;
/// assert_eq!(locator.hint(Locator::ADDRESS), Some(&b"vault.example"[..]));
/// # Ok::<(), bulla_key::Error>(())
/// ```
#[derive(Clone)]
pub struct Locator {
    registration: [u8; 32],
    pepper: Zeroizing<[u8; 32]>,
    /// Tags and values, in ascending order by tag.
    hints: Vec<(u16, Vec<u8>)>,
}

impl Locator {
    /// The tag of the hint that contains the vault's address.
    pub const ADDRESS: u16 = 1;
    /// The tag of the hint that contains the vault's public key.
    pub const PUBLIC_KEY: u16 = 2;
    /// The maximum encoded length of all hints, in bytes, including 4 bytes of overhead per hint
    /// (E-3.4).
    pub const MAX_HINTS_LEN: usize = 1024;

    /// Creates a locator without hints.
    pub fn new(registration: [u8; 32], pepper: &[u8; 32]) -> Locator {
        Locator { registration, pepper: Zeroizing::new(*pepper), hints: Vec::new() }
    }

    /// Adds a hint, replacing any hint with the same tag.
    ///
    /// # Errors
    ///
    /// Returns [`Error::LocatorTooLong`] if the hints exceed
    /// [`MAX_HINTS_LEN`](Locator::MAX_HINTS_LEN).
    pub fn with_hint(mut self, tag: u16, value: &[u8]) -> Result<Locator> {
        let hint = (tag, value.to_vec());
        match self.hints.binary_search_by_key(&tag, |hint| hint.0) {
            Ok(at) => self.hints[at] = hint,
            Err(at) => self.hints.insert(at, hint),
        }
        match self.hints_len() {
            0..=Self::MAX_HINTS_LEN => Ok(self),
            bytes => Err(Error::LocatorTooLong { bytes }),
        }
    }

    /// Returns the registration identifier, which the client chose at random.
    pub fn registration(&self) -> &[u8; 32] {
        &self.registration
    }

    /// Returns the pepper, which must never be sent to the vault.
    pub fn pepper(&self) -> &[u8; 32] {
        &self.pepper
    }

    /// Returns the value of the hint with this tag, if there is one.
    pub fn hint(&self, tag: u16) -> Option<&[u8]> {
        let at = self.hints.binary_search_by_key(&tag, |hint| hint.0).ok()?;
        Some(&self.hints[at].1)
    }

    /// Encodes the locator as it appears in a slot (E-3.4).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED_LEN + self.hints_len());
        bytes.extend(self.registration);
        bytes.extend(self.pepper.iter());
        for (tag, value) in &self.hints {
            bytes.extend(tag.to_be_bytes());
            // The cast is lossless, because each value is shorter than MAX_HINTS_LEN.
            bytes.extend((value.len() as u16).to_be_bytes());
            bytes.extend(value);
        }
        bytes
    }

    /// Decodes a locator. Returns `None` unless every hint is complete, the hints fit into
    /// [`MAX_HINTS_LEN`](Locator::MAX_HINTS_LEN) bytes, and their tags are in strictly ascending
    /// order (E-3.4).
    pub fn from_bytes(bytes: &[u8]) -> Option<Locator> {
        let (fixed, mut rest) = bytes.split_first_chunk::<FIXED_LEN>()?;
        if rest.len() > Self::MAX_HINTS_LEN {
            return None;
        }
        let mut locator = Locator::new([0; 32], &[0; 32]);
        locator.registration.copy_from_slice(&fixed[..32]);
        locator.pepper.copy_from_slice(&fixed[32..]);
        while !rest.is_empty() {
            let (head, after) = rest.split_first_chunk::<HINT_HEAD_LEN>()?;
            let tag = u16::from_be_bytes([head[0], head[1]]);
            let (value, after) =
                after.split_at_checked(u16::from_be_bytes([head[2], head[3]]).into())?;
            if locator.hints.last().is_some_and(|last| last.0 >= tag) {
                return None;
            }
            locator.hints.push((tag, value.to_vec()));
            rest = after;
        }
        Some(locator)
    }

    fn hints_len(&self) -> usize {
        self.hints.iter().map(|(_, value)| HINT_HEAD_LEN + value.len()).sum()
    }
}

/// Bytes before the hints: the registration and the pepper.
const FIXED_LEN: usize = 64;
/// Bytes before a hint's value: its tag and length.
const HINT_HEAD_LEN: usize = 4;

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locator(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Locator {
        let locator = Locator::new([1; 32], &[2; 32]);
        let locator = locator.with_hint(Locator::PUBLIC_KEY, &[9; 32]).unwrap();
        locator.with_hint(Locator::ADDRESS, b"https://vault.example").unwrap()
    }

    /// E-3.4
    #[test]
    fn encodes_every_field_at_its_offset() {
        let bytes = sample().to_bytes();
        assert_eq!(bytes[..32], [1; 32]);
        assert_eq!(bytes[32..64], [2; 32]);
        assert_eq!(bytes[64..68], [0, 1, 0, 21]);
        assert_eq!(bytes[68..89], *b"https://vault.example");
        assert_eq!(bytes[89..93], [0, 2, 0, 32]);
        assert_eq!(bytes.len(), 93 + 32);
        let read = Locator::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.hint(Locator::PUBLIC_KEY), Some(&[9; 32][..]));
        assert_eq!(read.hint(3), None);
    }

    /// E-3.4
    #[test]
    fn rejects_invalid_encodings() {
        let bytes = sample().to_bytes();
        // Truncated anywhere except just before a hint.
        for len in (0..bytes.len()).filter(|len| ![64, 89].contains(len)) {
            assert!(Locator::from_bytes(&bytes[..len]).is_none(), "{len} bytes");
        }
        let twice = [&bytes[..89], &bytes[64..89]].concat();
        assert!(Locator::from_bytes(&twice).is_none(), "duplicate tag");
        let long = [&bytes[..64], &[0, 9, 4, 0], &[0; 1024]].concat();
        assert!(Locator::from_bytes(&long).is_none(), "1028 bytes of hints");
        assert!(matches!(
            sample().with_hint(9, &[0; 1024]),
            Err(Error::LocatorTooLong { bytes: 1089 })
        ));
    }

    #[test]
    fn keeps_unknown_hints() {
        let locator = sample().with_hint(777, b"?").unwrap();
        let read = Locator::from_bytes(&locator.to_bytes()).unwrap();
        assert_eq!(read.hint(777), Some(&b"?"[..]));
    }
}
