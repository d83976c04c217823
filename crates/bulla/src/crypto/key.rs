//! The key that a container is sealed under.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::backend::{SecureRandom, SystemRandom};
use crate::error::{Error, Result};

/// The key of a container: 32 uniformly random bytes (F-4.1).
///
/// It lives on the heap, so that moving it leaves no copy behind, and is wiped when dropped.
/// It is no password: a password must go through a password-hashing function first.
///
/// What it has not, on purpose: `Clone` and `Copy`, so that each copy is a decision; `PartialEq`,
/// so that nobody compares keys in variable time; `Display`, and a `Debug` that shows bytes, so
/// that it reaches no log; `Default`, because there is no such thing as a default key.
pub struct Key(Box<Zeroizing<[u8; Key::LEN]>>);

impl Key {
    /// Bytes in a key.
    pub const LEN: usize = 32;

    /// A new key from the system's random number generator.
    ///
    /// # Errors
    ///
    /// [`Error::NoRandomness`] if the system has none to give.
    pub fn generate() -> Result<Key> {
        let mut key = Key::zeroed();
        fill_random(&mut key.0[..])?;
        Ok(key)
    }

    /// The key with these bytes. The caller's copy is the caller's to wipe.
    pub fn from_bytes(bytes: &[u8; Key::LEN]) -> Key {
        let mut key = Key::zeroed();
        key.0.copy_from_slice(bytes);
        key
    }

    /// The key's bytes. Whoever copies them must wipe the copy.
    pub fn expose(&self) -> &[u8; Key::LEN] {
        &self.0
    }

    fn zeroed() -> Key {
        Key(Box::new(Zeroizing::new([0; Key::LEN])))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Fills `out` from the system's random number generator.
pub(crate) fn fill_random(out: &mut [u8]) -> Result<()> {
    SystemRandom::new().fill(out).map_err(|_| Error::NoRandomness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_bytes() {
        let key = Key::from_bytes(&[0xAB; 32]);
        assert_eq!(format!("{key:?}"), "Key(..)");
    }

    /// F-4.1
    #[test]
    fn generated_keys_differ() {
        let (a, b) = (Key::generate().unwrap(), Key::generate().unwrap());
        assert_ne!(a.expose(), b.expose());
        assert_ne!(a.expose(), &[0; 32]);
    }
}
