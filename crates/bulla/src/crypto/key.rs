//! The container key.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::backend::{SecureRandom, SystemRandom};
use crate::error::{Error, Result};

/// The key of a container: 32 uniformly random bytes (F-4.1).
///
/// The bytes are stored on the heap, so moving a `Key` leaves no copy behind. They are wiped when
/// the `Key` is dropped. A password is not a key: it must go through a password-hashing function
/// first.
///
/// Some traits are deliberately not implemented: `Clone` and `Copy`, so that every copy is
/// explicit; `PartialEq`, which would compare in variable time; `Display`, so that a key does not
/// end up in a log (`Debug` hides the bytes); and `Default`, because there is no sensible default
/// key.
pub struct Key(Box<Zeroizing<[u8; Key::LEN]>>);

impl Key {
    /// The length of a key in bytes.
    pub const LEN: usize = 32;

    /// Generates a key from the operating system's random number generator.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoRandomness`] if the generator fails.
    pub fn generate() -> Result<Key> {
        let mut key = Key::zeroed();
        fill_random(&mut key.0[..])?;
        Ok(key)
    }

    /// Creates a key from its bytes. The caller remains responsible for wiping `bytes`.
    pub fn from_bytes(bytes: &[u8; Key::LEN]) -> Key {
        let mut key = Key::zeroed();
        key.0.copy_from_slice(bytes);
        key
    }

    /// Returns the key's bytes. The caller must wipe any copy of them.
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

/// Fills `out` with bytes from the operating system's random number generator.
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
