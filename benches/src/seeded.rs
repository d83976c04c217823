//! Seeded data, so that every run processes the same bytes.

use bulla::Key;
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

/// The bytes of the key that [`key`] returns.
pub const KEY: [u8; Key::LEN] = [0x42; Key::LEN];

/// Returns the key that all benches use.
pub fn key() -> Key {
    Key::from_bytes(&KEY)
}

/// Returns `len` pseudorandom bytes, the same in every run.
pub fn bytes(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    StdRng::seed_from_u64(1).fill_bytes(&mut bytes);
    bytes
}

/// Returns `count` pseudorandom offsets below `end`, the same in every run.
pub fn offsets(count: usize, end: u64) -> Vec<u64> {
    let mut random = StdRng::seed_from_u64(2);
    (0..count).map(|_| random.next_u64() % end.max(1)).collect()
}
