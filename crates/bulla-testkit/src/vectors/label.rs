//! Bytes that look random and follow from a label, so that the vectors are the same on every
//! machine.

use sha2::{Digest, Sha256};

/// The first `len` bytes of SHA-256(s || 0), SHA-256(s || 1), and so on, where s is `bulla vectors
/// v1`, a zero byte, the label and a zero byte, and the numbers have four bytes, big-endian.
pub fn bytes(label: &str, len: usize) -> Vec<u8> {
    let block = |i: u32| {
        Sha256::digest([b"bulla vectors v1\0", label.as_bytes(), b"\0", &i.to_be_bytes()].concat())
    };
    (0..).flat_map(block).take(len).collect()
}

/// The first 32 bytes.
pub(super) fn bytes32(label: &str) -> [u8; 32] {
    bytes(label, 32).try_into().expect("32 bytes were asked for")
}
