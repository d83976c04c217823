//! Identifiers for accounts, registrations and attempts.

use std::fmt;

use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::protocol::wire::Fixed;

/// Identifies an account by the SHA-256 hash of the token's issuer and subject (V-2.4). The vault
/// stores no other form of the user's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountHash([u8; 32]);

/// Identifies a registration with 32 random bytes that the client generates (V-2.5). Only holders
/// of the locator know the identifier, so a stolen token alone cannot use up the guesses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegId([u8; 32]);

/// Names a registration without revealing its [`RegId`]. The name is a hash of the identifier
/// (V-2.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName([u8; 32]);

/// Identifies a login attempt with 16 random bytes that the client generates (V-2.5). A repeated
/// request has the same identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId([u8; 16]);

impl AccountHash {
    /// Returns the account that a token names in its `iss` and `sub` claims (V-2.4).
    pub fn of(issuer: &str, subject: &str) -> AccountHash {
        let mut hash = Sha256::new();
        hash.update(b"bulla v1 vault account\0");
        // Without the length, ("a", "bc") and ("ab", "c") would be the same account.
        hash.update((issuer.len() as u64).to_be_bytes());
        hash.update(issuer);
        hash.update(subject);
        AccountHash(hash.finalize().into())
    }
}

impl RegId {
    /// Generates an identifier with the operating system's random number generator.
    ///
    /// # Errors
    ///
    /// Returns an error if the generator fails.
    pub fn generate() -> Result<RegId, rand_core::Error> {
        let mut id = [0; 32];
        OsRng.try_fill_bytes(&mut id)?;
        Ok(RegId(id))
    }

    /// Returns the registration's name, as it appears in a [`Status`](crate::messages::Status)
    /// (V-2.5).
    pub fn record_name(&self) -> RecordName {
        let mut hash = Sha256::new();
        hash.update(b"bulla v1 vault record name\0");
        hash.update(self.0);
        RecordName(hash.finalize().into())
    }
}

impl AttemptId {
    /// Generates an identifier with the operating system's random number generator.
    ///
    /// # Errors
    ///
    /// Returns an error if the generator fails.
    pub fn generate() -> Result<AttemptId, rand_core::Error> {
        let mut id = [0; 16];
        OsRng.try_fill_bytes(&mut id)?;
        Ok(AttemptId(id))
    }
}

/// Implements the methods and traits that all identifiers share. Identifiers are public values, and
/// their separate types keep them from being confused with secrets of the same length.
macro_rules! identifier {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Creates an identifier from its bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                $name(bytes)
            }

            /// Returns the bytes.
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

identifier!(AccountHash, 32);
identifier!(RegId, 32);
identifier!(RecordName, 32);
identifier!(AttemptId, 16);

#[cfg(test)]
mod tests {
    use super::*;

    /// V-2.4: the expected value is from sha256sum.
    #[test]
    fn account_is_a_hash_of_issuer_and_subject() {
        assert_ne!(AccountHash::of("a", "bc"), AccountHash::of("ab", "c"));
        assert_eq!(
            AccountHash::of("https://id.example", "alice").to_string(),
            "15e21a787762d6843ec789989a6d92a9cfe2b821e0907bb815c82eeb70187aa4"
        );
    }

    /// V-2.5: the expected value is from sha256sum.
    #[test]
    fn record_name_is_a_hash_of_the_registration() {
        let name = RegId::from_bytes([b'r'; 32]).record_name();
        assert_eq!(
            name.to_string(),
            "7d74f535c583cd87aee738255e8eabc4839e952a331337000b4c120fef51400a"
        );
    }

    /// V-2.5
    #[test]
    fn generates_random_identifiers() {
        assert_ne!(RegId::generate().unwrap(), RegId::generate().unwrap());
        assert_ne!(AttemptId::generate().unwrap(), AttemptId::generate().unwrap());
    }
}
