//! Names of accounts, registrations and attempts.

use std::fmt;

use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::protocol::wire::Fixed;

/// An account: SHA-256 over its issuer and its subject at that issuer (V-2.4). All that the vault
/// keeps of a person's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountHash([u8; 32]);

/// A registration: 32 random bytes, drawn by the client (V-2.5). Who has no locator does not know
/// it, and so cannot use up its guesses with a token alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegId([u8; 32]);

/// What a registration is called where it is not to be given away (V-2.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName([u8; 32]);

/// An attempt at a login: 16 random bytes, drawn by the client, and the same ones when a lost reply
/// is asked for again (V-2.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId([u8; 16]);

impl AccountHash {
    /// The account that a token names by its `iss` and `sub` (V-2.4).
    pub fn of(issuer: &str, subject: &str) -> AccountHash {
        let mut hash = Sha256::new();
        hash.update(b"bulla v1 vault account\0");
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        hash.update((issuer.len() as u64).to_be_bytes());
        hash.update(issuer);
        hash.update(subject);
        AccountHash(hash.finalize().into())
    }
}

impl RegId {
    /// A new one, from the operating system's random numbers.
    ///
    /// # Errors
    ///
    /// The operating system has none to give.
    pub fn generate() -> Result<RegId, rand_core::Error> {
        let mut id = [0; 32];
        OsRng.try_fill_bytes(&mut id)?;
        Ok(RegId(id))
    }

    /// What the registration is called in a [`Status`](crate::protocol::messages::Status) (V-2.5).
    pub fn record_name(&self) -> RecordName {
        let mut hash = Sha256::new();
        hash.update(b"bulla v1 vault record name\0");
        hash.update(self.0);
        RecordName(hash.finalize().into())
    }
}

impl AttemptId {
    /// A new one, from the operating system's random numbers.
    ///
    /// # Errors
    ///
    /// The operating system has none to give.
    pub fn generate() -> Result<AttemptId, rand_core::Error> {
        let mut id = [0; 16];
        OsRng.try_fill_bytes(&mut id)?;
        Ok(AttemptId(id))
    }
}

/// What the names have in common. They are public, unlike all else that is 32 bytes long here:
/// hence types of their own.
macro_rules! name {
    ($name:ident, $len:literal) => {
        impl $name {
            /// The name with these bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                $name(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Fixed(self.0).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok($name(Fixed::deserialize(deserializer)?.0))
            }
        }
    };
}

name!(AccountHash, 32);
name!(RegId, 32);
name!(RecordName, 32);
name!(AttemptId, 16);

#[cfg(test)]
mod tests {
    use super::*;

    /// V-2.4: against sha256sum.
    #[test]
    fn account() {
        assert_ne!(AccountHash::of("a", "bc"), AccountHash::of("ab", "c"));
        assert_eq!(
            AccountHash::of("https://id.example", "alice").to_string(),
            "15e21a787762d6843ec789989a6d92a9cfe2b821e0907bb815c82eeb70187aa4"
        );
    }

    /// V-2.5: against sha256sum.
    #[test]
    fn record_name() {
        let name = RegId::from_bytes([b'r'; 32]).record_name();
        assert_eq!(
            name.to_string(),
            "7d74f535c583cd87aee738255e8eabc4839e952a331337000b4c120fef51400a"
        );
    }

    /// V-2.5
    #[test]
    fn random() {
        assert_ne!(RegId::generate().unwrap(), RegId::generate().unwrap());
        assert_ne!(AttemptId::generate().unwrap(), AttemptId::generate().unwrap());
    }
}
