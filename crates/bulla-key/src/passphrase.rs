//! Passphrases and the cost of hashing them.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::{self, UnexpectedError, profile::PrecisFastInvocation};
use zeroize::Zeroizing;

use crate::error::{Error, MAX_PASSPHRASE_LEN, PassphraseError, Result};

/// A passphrase, normalized for hashing with the OpaqueString profile of RFC 8265 (E-3.2). The same
/// passphrase typed on different devices yields the same bytes.
///
/// Case and spaces are significant, including leading and trailing spaces. When reading a line of
/// input, strip the line break before calling [`new`](Passphrase::new).
///
/// A `Passphrase` is wiped on drop. It does not implement `PartialEq`, which would compare in
/// variable time. To confirm a new passphrase, compare the two texts as typed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Creates a passphrase by normalizing `text`. The caller must wipe its own copy of the text.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is empty, is too long, or contains a disallowed character.
    ///
    /// ```
    /// use bulla_key::{Passphrase, PassphraseError};
    /// assert!(Passphrase::new("correct horse battery staple").is_ok());
    /// let error = Passphrase::new("tab\there").unwrap_err();
    /// assert_eq!(error, PassphraseError::Refused { position: 4 });
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

    /// Returns the normalized bytes, for use in another protocol. They are as secret as the
    /// passphrase.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Returns the position of the disallowed character, counted from 0.
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

/// The cost of hashing a passphrase, given by the Argon2id parameters (RFC 9106).
///
/// The default is the second option that RFC 9106 recommends in section 4: 3 passes over 64 MiB in
/// 4 lanes. It takes about 0.1 s on two cores of a 2023 machine. A lower cost makes guessing
/// cheaper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    // Validated by `new`.
    passes: u32,
    memory_kib: u32,
    lanes: u32,
}

impl PassphraseCost {
    /// The maximum memory, in KiB: 256 MiB (E-3.3).
    pub const MAX_MEMORY_KIB: u32 = 1 << 18;
    /// The maximum product of the passes and the memory in KiB: 1 GiB (E-3.3).
    pub const MAX_WORK_KIB: u32 = 1 << 20;
    /// The maximum number of lanes (E-3.3).
    pub const MAX_LANES: u32 = 16;

    /// Creates a cost from Argon2id parameters.
    ///
    /// # Errors
    ///
    /// Returns [`Error::CostOutOfRange`] unless there is at least 1 pass, there are 1 to 16 lanes,
    /// the memory is at least 8 KiB per lane and at most 256 MiB, and the passes times the memory
    /// is at most 1 GiB.
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

    /// Returns the number of passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Returns the memory, in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Returns the number of lanes, which can be computed in parallel.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// Hashes a passphrase with Argon2id version 0x13, without a secret or associated data (E-3.3).
    /// The lanes run in the current rayon pool, and the memory is wiped afterwards.
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

    fn normalized(text: &str) -> std::result::Result<String, PassphraseError> {
        Passphrase::new(text).map(|passphrase| passphrase.0.to_string())
    }

    /// E-3.2
    #[test]
    fn normalizes_composition_and_spaces_only() {
        assert_eq!(normalized("A\u{30A}ngstro\u{308}m").unwrap(), "\u{C5}ngstr\u{F6}m");
        assert_eq!(normalized("  two  spaces  ").unwrap(), "  two  spaces  ");
        assert_eq!(normalized("a\u{A0}b\u{3000}c").unwrap(), "a b c");
        assert_eq!(
            normalized("\u{FF21}bc ABC").unwrap(),
            "\u{FF21}bc ABC",
            "width and case are preserved"
        );
        assert_eq!(
            normalized("\u{2126}").unwrap(),
            "\u{3A9}",
            "the ohm sign is canonically equivalent to omega"
        );
    }

    /// E-3.2
    #[test]
    fn rejects_disallowed_text() {
        use PassphraseError::*;
        assert_eq!(normalized(""), Err(Empty));
        assert_eq!(normalized("line\n"), Err(Refused { position: 5 }));
        assert_eq!(normalized("\0"), Err(Refused { position: 1 }));
        assert_eq!(
            normalized("robot \u{1F916}"),
            Err(Refused { position: 7 }),
            "not assigned before Unicode 8.0"
        );
        assert_eq!(normalized(&"x".repeat(1024)).unwrap().len(), 1024);
        assert_eq!(normalized(&"x".repeat(1025)), Err(TooLong { bytes: 1025 }));
        assert!(!format!("{0:?} {0}", normalized("hush\n").unwrap_err()).contains("hush"));
    }

    #[test]
    fn debug_hides_the_passphrase() {
        assert_eq!(format!("{:?}", Passphrase::new("hush").unwrap()), "Passphrase(..)");
    }

    /// E-3.3
    #[test]
    fn rejects_costs_out_of_range() {
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

    /// E-3.3: the expected value was computed with OpenSSL 3.
    #[test]
    fn hashes_at_the_recommended_cost() {
        let passphrase = Passphrase::new("correct horse battery staple").unwrap();
        let stretched = PassphraseCost::default().stretch(&passphrase, &[7; 32]).unwrap();
        let shown: String = stretched.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(shown, "da431077b419c03b8a0a45492d363840a9a84401799b8fb84460e22160e0d452");
    }
}
