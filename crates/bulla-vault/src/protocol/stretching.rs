//! The OPAQUE key stretching function: Argon2id over the OPRF output.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use bulla_key::PassphraseCost;
use opaque_ke::errors::InternalError;
use opaque_ke::generic_array::{ArrayLength, GenericArray};
use opaque_ke::ksf::Ksf;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::protocol::wire::Object;

/// The OPAQUE key stretching function: Argon2id with the registration's parameters (V-3.3).
///
/// The client chooses the parameters when it registers. The vault stores them and sends them at
/// each login. [`PassphraseCost`] sets upper bounds, so that a vault cannot make a client compute
/// or allocate without limit. A login needs no lower bound, because it fails if the parameters
/// differ from those of the registration.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Stretching(PassphraseCost);

impl Stretching {
    /// The salt (V-3.3). It is constant because the OPRF output is unique to the registration
    /// (RFC 9807, 7).
    const SALT: [u8; 16] = [0; 16];

    /// Creates a stretching function with the given cost.
    pub fn new(cost: PassphraseCost) -> Stretching {
        Stretching(cost)
    }

    /// Returns the cost.
    pub fn cost(&self) -> PassphraseCost {
        self.0
    }
}

impl Ksf for Stretching {
    fn hash<L: ArrayLength<u8>>(
        &self,
        input: GenericArray<u8, L>,
    ) -> Result<GenericArray<u8, L>, InternalError> {
        let input = Zeroizing::new(input);
        let params =
            Params::new(self.0.memory_kib(), self.0.passes(), self.0.lanes(), Some(input.len()))
                .map_err(|_| InternalError::KsfError)?;
        let mut memory: Zeroizing<Vec<Block>> = Zeroizing::default();
        memory.try_reserve_exact(params.block_count()).map_err(|_| InternalError::KsfError)?;
        memory.resize(params.block_count(), Block::default());
        let mut stretched = GenericArray::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(&input, &Self::SALT, &mut stretched, &mut memory[..])
            .map_err(|_| InternalError::KsfError)?;
        Ok(stretched)
    }
}

impl fmt::Debug for Stretching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passes, memory, lanes) = (self.0.passes(), self.0.memory_kib(), self.0.lanes());
        write!(f, "Stretching(t={passes}, m={memory}, p={lanes})")
    }
}

/// The parameters in JSON (V-2.1).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    passes: u32,
    memory_kib: u32,
    lanes: u32,
}

impl Serialize for Stretching {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Parameters {
            passes: self.0.passes(),
            memory_kib: self.0.memory_kib(),
            lanes: self.0.lanes(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stretching {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Object(read) = Object::<Parameters>::deserialize(deserializer)?;
        PassphraseCost::new(read.passes, read.memory_kib, read.lanes)
            .map(Stretching)
            .map_err(|_| D::Error::custom("cost out of range"))
    }
}

#[cfg(test)]
mod tests {
    use bulla_testkit::vectors::vault::derivations;
    use opaque_ke::generic_array::typenum::U64;

    use super::*;

    fn stretched(stretching: Stretching, input: &[u8]) -> String {
        let hashed = stretching.hash(GenericArray::<u8, U64>::clone_from_slice(input)).unwrap();
        hashed.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// V-3.3: the expected values are from the reference implementation in C.
    #[test]
    fn matches_the_reference_implementation() {
        let input: Vec<u8> = (0..64).collect();
        assert_eq!(
            stretched(Stretching::default(), &input),
            "763c05e205e6d06f9d49921578c5fc314590d8016bd8ccc98049f3da265fad5d\
             4a27e85aaac6ac1de7cf2aeda7b8c767de0ff4e5db3ff8421d9bb3e8effb279b"
        );
        assert_eq!(
            stretched(Stretching::new(PassphraseCost::new(1, 64, 2).unwrap()), &input),
            "11dc0f68caf603d5c0208e28c264e2144919b019712c84db13838e3bbe58e29d\
             8d38c9bd9cd790a84f44d233bb7fdc74dc22294f26e5ff1cfdc8c20822928bfb"
        );
    }

    /// V-3.3
    #[test]
    fn matches_the_vectors() {
        for vector in derivations() {
            let cost = PassphraseCost::new(vector.passes, vector.memory_kib, vector.lanes).unwrap();
            let expected: String =
                vector.stretched.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(
                stretched(Stretching::new(cost), &vector.oprf_output),
                expected,
                "{}",
                vector.name
            );
        }
    }
}
