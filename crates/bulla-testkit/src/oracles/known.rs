//! The key and context that the oracles use. Inputs sealed under them pass authentication.

/// The key, which nearly all vectors use as well.
pub const KEY: [u8; 32] = [
    0x4d, 0xdd, 0x93, 0x33, 0x8c, 0xd8, 0x23, 0x05, 0x35, 0xe1, 0x1f, 0xc5, 0xe2, 0xc2, 0x07, 0xca,
    0x2b, 0xfb, 0x63, 0x54, 0x49, 0x95, 0xa4, 0x6d, 0x7a, 0xdb, 0x38, 0x14, 0xaa, 0x09, 0x04, 0x79,
];
/// The context. Oracles that take whole containers open each input both without a context and with
/// this one.
pub const CONTEXT: &[u8] = b"photos";
/// The salt for containers that an oracle builds from a description.
pub const SALT: [u8; 32] = [0x5A; 32];
/// The base-2 logarithm of the chunk size of those containers: the minimum, so that small inputs
/// have several chunks.
pub const CHUNK_LOG2: u8 = 12;
/// The marker of archives in those containers, derived from the constants above without a
/// context.
pub const MARKER: [u8; 16] = [
    0xa4, 0x4f, 0xef, 0x4a, 0xaf, 0x6b, 0xae, 0x4a, 0xf5, 0xf6, 0x93, 0x87, 0x29, 0x96, 0x38, 0x46,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive;
    use crate::reference::{self, SealParams};
    use crate::vectors;

    #[test]
    fn constants_match_their_derivation() {
        assert_eq!(vectors::bytes("key", 32), KEY);
        let container = reference::seal(&SealParams {
            key: KEY,
            salt: SALT,
            chunk_log2: CHUNK_LOG2,
            content: archive::CONTENT,
            context: None,
            envelope: b"",
            plaintext: b"",
        });
        let header = container.first_chunk().unwrap();
        let keys = reference::schedule(&KEY, &reference::bound(header), None);
        assert_eq!(archive::marker(&keys.exporter), MARKER);
    }
}
