//! Passphrases, and what it costs to try one.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::{self, UnexpectedError, profile::PrecisFastInvocation};
use zeroize::Zeroizing;

use crate::error::{Error, MAX_PASSPHRASE_LEN, PassphraseError, Result};

/// A passphrase, in the form in which it is hashed: an OpaqueString of RFC 8265 (E-3.2), so that it
/// is the same bytes whatever keyboard it came from.
///
/// Case and spaces count, also at the ends; strip the line break of a typed line before. It is
/// wiped when dropped. It has no `PartialEq`, so that nobody compares passphrases in variable time:
/// who asks for one twice compares the texts as typed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The passphrase that a text gives. The caller's copy is the caller's to wipe.
    ///
    /// # Errors
    ///
    /// [`PassphraseError`].
    ///
    /// ```
    /// use bulla_key::{Passphrase, PassphraseError};
    /// assert!(Passphrase::new("correct horse battery staple").is_ok());
    /// assert_eq!(Passphrase::new("tab\there").unwrap_err(), PassphraseError::Refused { position: 4 });
    /// ```
    pub fn new(text: &str) -> std::result::Result<Passphrase, PassphraseError> {
        if text.is_empty() {
            return Err(PassphraseError::Empty);
        }
        if text.len() > MAX_PASSPHRASE_LEN {
            return Err(PassphraseError::TooLong { bytes: text.len() });
        }
        match OpaqueString::enforce(text) {
            Ok(enforced) => Ok(Passphrase(Zeroizing::new(enforced.into_owned()))),
            Err(e) => Err(PassphraseError::Refused { position: position_of(&e) + 1 }),
        }
    }

    /// The bytes that are hashed, for who hashes them for another purpose. They are as secret as
    /// the passphrase.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The character that is to blame, from 0.
fn position_of(error: &precis_core::Error) -> usize {
    match error {
        precis_core::Error::BadCodepoint(at)
        | precis_core::Error::Unexpected(
            UnexpectedError::ContextRuleNotApplicable(at) | UnexpectedError::MissingContextRule(at),
        ) => at.position,
        _ => 0,
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What it costs to try a passphrase: the parameters of Argon2id (RFC 9106).
///
/// The default is the second recommendation of RFC 9106, section 4: 3 passes over 64 MiB in 4
/// lanes. On two cores of 2023 that takes about 0.1 s. Less is a gift to whoever guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    // In range since `new`.
    passes: u32,
    memory_kib: u32,
    lanes: u32,
}

impl PassphraseCost {
    /// The most memory that a slot may ask for, in KiB: 256 MiB (E-3.3).
    pub const MAX_MEMORY_KIB: u32 = 1 << 18;
    /// The most work that a slot may ask for, in passes times KiB of memory: 1 GiB (E-3.3).
    pub const MAX_WORK_KIB: u32 = 1 << 20;
    /// The most lanes that a slot may ask for (E-3.3).
    pub const MAX_LANES: u32 = 16;

    /// Other parameters than the recommended ones.
    ///
    /// # Errors
    ///
    /// [`Error::CostOutOfRange`] unless there are 1 to 16 lanes, at least 1 pass, at least 8 KiB
    /// for each lane, at most 256 MiB, and passes times memory is at most 1 GiB.
    pub fn new(passes: u32, memory_kib: u32, lanes: u32) -> Result<PassphraseCost> {
        let in_range = (1..=Self::MAX_LANES).contains(&lanes)
            && (8 * lanes..=Self::MAX_MEMORY_KIB).contains(&memory_kib)
            && passes >= 1
            && u64::from(passes) * u64::from(memory_kib) <= Self::MAX_WORK_KIB.into();
        if in_range {
            Ok(PassphraseCost { passes, memory_kib, lanes })
        } else {
            Err(Error::CostOutOfRange)
        }
    }

    /// Passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Memory, in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Lanes, which can be worked on at the same time.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Argon2id, version 0x13, without secret or associated data (E-3.3), in the ambient rayon
    /// pool. The memory is wiped.
    pub(crate) fn stretch(
        &self,
        passphrase: &Passphrase,
        salt: &[u8; 32],
    ) -> Result<Zeroizing<[u8; 32]>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| Error::CostOutOfRange)?;
        let mut memory: Zeroizing<Vec<Block>> = Zeroizing::default();
        memory.try_reserve_exact(params.block_count()).map_err(|_| Error::OutOfMemory)?;
        memory.resize(params.block_count(), Block::default());
        let mut stretched = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose(),
                salt,
                &mut stretched[..],
                &mut memory[..],
            )
            .map_err(|_| Error::CostOutOfRange)?;
        Ok(stretched)
    }
}

impl Default for PassphraseCost {
    fn default() -> Self {
        PassphraseCost { passes: 3, memory_kib: 64 << 10, lanes: 4 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str) -> std::result::Result<String, PassphraseError> {
        Passphrase::new(text).map(|passphrase| passphrase.0.to_string())
    }

    /// E-3.2: composed, and nothing else of it changed but the kind of its spaces.
    #[test]
    fn opaque_string() {
        assert_eq!(normalised("A\u{30A}ngstro\u{308}m").unwrap(), "\u{C5}ngstr\u{F6}m");
        assert_eq!(normalised("  two  spaces  ").unwrap(), "  two  spaces  ");
        assert_eq!(normalised("a\u{A0}b\u{3000}c").unwrap(), "a b c");
        assert_eq!(
            normalised("\u{FF21}bc ABC").unwrap(),
            "\u{FF21}bc ABC",
            "neither width nor case is folded"
        );
        assert_eq!(
            normalised("\u{2126}").unwrap(),
            "\u{3A9}",
            "the ohm sign is a canonical equivalent"
        );
    }

    /// E-3.2
    #[test]
    fn refused() {
        use PassphraseError::*;
        assert_eq!(normalised(""), Err(Empty));
        assert_eq!(normalised("line\n"), Err(Refused { position: 5 }));
        assert_eq!(normalised("\0"), Err(Refused { position: 1 }));
        assert_eq!(normalised("robot \u{1F916}"), Err(Refused { position: 7 }), "of Unicode 8.0");
        assert_eq!(normalised(&"x".repeat(1024)).unwrap().len(), 1024);
        assert_eq!(normalised(&"x".repeat(1025)), Err(TooLong { bytes: 1025 }));
        assert!(!format!("{0:?} {0}", normalised("hush\n").unwrap_err()).contains("hush"));
    }

    #[test]
    fn debug_hides_it() {
        assert_eq!(format!("{:?}", Passphrase::new("hush").unwrap()), "Passphrase(..)");
    }

    /// E-3.3
    #[test]
    fn cost_is_bounded() {
        let ok = |passes, memory, lanes| PassphraseCost::new(passes, memory, lanes).is_ok();
        assert!(ok(1, 8, 1) && ok(3, 65_536, 4) && ok(4, 1 << 18, 16) && ok(1 << 17, 8, 1));
        for (passes, memory, lanes) in [
            (0, 8, 1),
            (1, 7, 1),
            (1, 8, 0),
            (1, 127, 16),
            (1, 136, 17),
            (1, (1 << 18) + 1, 1),
            (5, 1 << 18, 1),
            ((1 << 17) + 1, 8, 1),
            (u32::MAX, u32::MAX, 1),
            (1, u32::MAX, u32::MAX),
        ] {
            assert!(!ok(passes, memory, lanes), "{passes} {memory} {lanes}");
        }
    }

    /// E-3.3, against the value that OpenSSL 3 gives.
    #[test]
    fn recommended_cost() {
        let passphrase = Passphrase::new("correct horse battery staple").unwrap();
        let stretched = PassphraseCost::default().stretch(&passphrase, &[7; 32]).unwrap();
        let shown: String = stretched.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(shown, "da431077b419c03b8a0a45492d363840a9a84401799b8fb84460e22160e0d452");
    }
}
