//! Reproducible bytes that look random.

use sha2::{Digest, Sha256};

/// Derives `len` bytes from a label.
///
/// The result is the first `len` bytes of SHA-256(s || 0) || SHA-256(s || 1) || ..., where s is
/// `bulla vectors v1`, a zero byte, the label and a zero byte, and the numbers are four-byte
/// big-endian.
pub fn bytes(label: &str, len: usize) -> Vec<u8> {
    let block = |i: u32| {
        Sha256::digest([b"bulla vectors v1\0", label.as_bytes(), b"\0", &i.to_be_bytes()].concat())
    };
    (0..).flat_map(block).take(len).collect()
}

/// Derives 32 bytes from a label.
pub(super) fn bytes32(label: &str) -> [u8; 32] {
    bytes(label, 32).try_into().expect("32 bytes")
}
