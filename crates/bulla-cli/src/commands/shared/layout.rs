//! The layout of a container, computed from its header and length. Neither is authenticated.

use bulla::Header;

/// Bytes in the header, and in the footer (F-2.1).
const HEADER_LEN: u64 = 128;
/// Bytes in the tag of a chunk.
const TAG_LEN: u64 = 16;

/// The part of a container between header and footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) chunks: u64,
    pub(crate) plaintext_len: u64,
}

/// Returns the offset of chunk 0.
pub(crate) fn body_offset(header: &Header) -> u64 {
    HEADER_LEN + u64::from(header.envelope_len())
}

/// Returns the body of a container, or `None` if no complete container has this length.
pub(crate) fn body(header: &Header, container_len: u64) -> Option<Body> {
    let sealed = container_len.checked_sub(2 * body_offset(header))?;
    let chunk = header.chunk_size().bytes() as u64;
    let (full, rest) = (sealed / (chunk + TAG_LEN), sealed % (chunk + TAG_LEN));
    // The last chunk is always shorter than the others, and may be empty (F-5.1).
    let last = rest.checked_sub(TAG_LEN)?;
    Some(Body { chunks: full + 1, plaintext_len: full * chunk + last })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulla::{ChunkSize, Draft, Key, Options};

    #[test]
    fn agrees_with_the_core() {
        let options = Options::new().chunk_size(ChunkSize::MIN).envelope_len(64);
        let header = Draft::new(&Key::generate().unwrap(), &options).unwrap().header().clone();
        for (len, chunks) in [(0, 1), (1, 1), (4095, 1), (4096, 2), (4097, 2), (3 * 4096, 4)] {
            let container_len = bulla::sealed_len(len, &options).unwrap();
            assert_eq!(body(&header, container_len), Some(Body { chunks, plaintext_len: len }));
        }
        assert_eq!(body(&header, 2 * (128 + 64) + 15), None);
        assert_eq!(body(&header, 100), None);
        assert_eq!(body_offset(&header), 192);
    }
}
