//! base64url without padding (RFC 4648, 5), written from the RFC.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Six bits for each character, the first byte first; what is left of the last character is zero.
pub(super) fn encode(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let sextet = |i: usize| (0..6).fold(0, |value, k| value << 1 | usize::from(bit(6 * i + k)));
    (0..(bytes.len() * 8).div_ceil(6)).map(|i| char::from(ALPHABET[sextet(i)])).collect()
}
