//! base64url without padding (RFC 4648, section 5), implemented independently of the library's
//! encoder.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes six bits per character, with zeros for the unused bits of the last character.
pub(super) fn encode(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let sextet = |i: usize| (0..6).fold(0, |value, k| value << 1 | usize::from(bit(6 * i + k)));
    (0..(bytes.len() * 8).div_ceil(6)).map(|i| char::from(ALPHABET[sextet(i)])).collect()
}
