//! Where a key lies in a Backup Key Vault.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Bytes before the hints: registration and pepper.
const FIXED_LEN: usize = 64;
/// Bytes before a hint's value: tag and length.
const HINT_HEAD_LEN: usize = 4;

/// What a client needs to fetch a recovery key from a Backup Key Vault, besides the password: which
/// registration, the pepper that went into the password's hashing, and hints for finding the vault
/// (E-3.4).
///
/// Whoever stores the container can read it, and before the envelope was opened it may be
/// anybody's: an address or a public key in a hint is to be compared with the client's own
/// configuration, and a difference refused.
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
    /// Tags ascend.
    hints: Vec<(u16, Vec<u8>)>,
}

impl Locator {
    /// The hint with the vault's address.
    pub const ADDRESS: u16 = 1;
    /// The hint with the vault's public key.
    pub const PUBLIC_KEY: u16 = 2;
    /// The most bytes that all hints of a locator may take, with 4 bytes more for each (E-3.4).
    pub const MAX_HINTS_LEN: usize = 1024;

    /// A locator without hints.
    pub fn new(registration: [u8; 32], pepper: &[u8; 32]) -> Locator {
        Locator { registration, pepper: Zeroizing::new(*pepper), hints: Vec::new() }
    }

    /// The same with one hint more; it replaces one of the same tag.
    ///
    /// # Errors
    ///
    /// [`Error::LocatorTooLong`].
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

    /// The registration's identity, drawn by the client.
    pub fn registration(&self) -> &[u8; 32] {
        &self.registration
    }

    /// The pepper. The vault must never see it.
    pub fn pepper(&self) -> &[u8; 32] {
        &self.pepper
    }

    /// The value of a hint.
    pub fn hint(&self, tag: u16) -> Option<&[u8]> {
        let at = self.hints.binary_search_by_key(&tag, |hint| hint.0).ok()?;
        Some(&self.hints[at].1)
    }

    /// The bytes of a locator, as in a slot (E-3.4).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED_LEN + self.hints_len());
        bytes.extend(self.registration);
        bytes.extend(self.pepper.iter());
        for (tag, value) in &self.hints {
            bytes.extend(tag.to_be_bytes());
            // At most MAX_HINTS_LEN.
            bytes.extend((value.len() as u16).to_be_bytes());
            bytes.extend(value);
        }
        bytes
    }

    /// The locator in these bytes, if they are one: hints that fit, each of a higher tag than the
    /// one before (E-3.4).
    pub fn from_bytes(bytes: &[u8]) -> Option<Locator> {
        let (fixed, mut rest) = bytes.split_first_chunk::<FIXED_LEN>()?;
        if rest.len() > Self::MAX_HINTS_LEN {
            return None;
        }
        let mut locator = Locator::new([0; 32], &[0; 32]);
        locator.registration.copy_from_slice(&fixed[..32]);
        locator.pepper.copy_from_slice(&fixed[32..]);
        while !rest.is_empty() {
            let (head, behind) = rest.split_first_chunk::<HINT_HEAD_LEN>()?;
            let tag = u16::from_be_bytes([head[0], head[1]]);
            let (value, behind) =
                behind.split_at_checked(u16::from_be_bytes([head[2], head[3]]).into())?;
            if locator.hints.last().is_some_and(|last| last.0 >= tag) {
                return None;
            }
            locator.hints.push((tag, value.to_vec()));
            rest = behind;
        }
        Some(locator)
    }

    fn hints_len(&self) -> usize {
        self.hints.iter().map(|(_, value)| HINT_HEAD_LEN + value.len()).sum()
    }
}

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

    /// E-3.4: every field lies where the page says.
    #[test]
    fn bytes() {
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
    fn refused() {
        let bytes = sample().to_bytes();
        // A hint that is cut off, and registration and pepper that are; a locator may end between
        // two hints.
        for len in (0..bytes.len()).filter(|len| ![64, 89].contains(len)) {
            assert!(Locator::from_bytes(&bytes[..len]).is_none(), "{len} bytes");
        }
        let twice = [&bytes[..89], &bytes[64..89]].concat();
        assert!(Locator::from_bytes(&twice).is_none(), "one tag twice");
        let long = [&bytes[..64], &[0, 9, 4, 0], &[0; 1024]].concat();
        assert!(Locator::from_bytes(&long).is_none(), "hints of 1028 bytes");
        assert!(matches!(
            sample().with_hint(9, &[0; 1024]),
            Err(Error::LocatorTooLong { bytes: 1089 })
        ));
    }

    /// A hint that this release does not know is kept.
    #[test]
    fn unknown_hint() {
        let locator = sample().with_hint(777, b"?").unwrap();
        let read = Locator::from_bytes(&locator.to_bytes()).unwrap();
        assert_eq!(read.hint(777), Some(&b"?"[..]));
    }
}
