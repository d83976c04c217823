//! Lengths and offsets (FORMAT.md, sections 2 and 5), computed without I/O or cryptography.

use crate::crypto::backend::TAG_LEN;
use crate::error::{Error, Result};

/// Bytes in the header and in the footer (F-2.1).
pub(crate) const HEADER_LEN: usize = 128;
/// Maximum bytes in an envelope (F-3.7).
pub(crate) const MAX_ENVELOPE_LEN: u32 = 1 << 20;
/// The highest chunk number (F-5.4).
pub(crate) const MAX_CHUNK_INDEX: u64 = u32::MAX as u64;
/// Maximum bytes in a plaintext (F-5.4).
pub(crate) const MAX_PLAINTEXT_LEN: u64 = (1 << 48) - 1;

/// The number of plaintext bytes in a full chunk: a power of two from 4 KiB to 1 MiB.
///
/// The default of 64 KiB is as fast as any other size and adds 0.024% to the length. Smaller chunks
/// make small ranges cheaper to read, because only whole chunks can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkSize {
    log2: u8,
}

impl ChunkSize {
    /// 4 KiB, the smallest chunk size.
    pub const MIN: ChunkSize = ChunkSize { log2: 12 };
    /// 1 MiB, the largest chunk size.
    pub const MAX: ChunkSize = ChunkSize { log2: 20 };

    /// Returns a chunk size of 2^`log2` bytes, or `None` if `log2` is outside 12 to 20.
    pub const fn from_log2(log2: u8) -> Option<ChunkSize> {
        if log2 >= Self::MIN.log2 && log2 <= Self::MAX.log2 {
            Some(ChunkSize { log2 })
        } else {
            None
        }
    }

    /// Returns a chunk size of `bytes` bytes, or `None` if `bytes` is not a power of two within the
    /// limits.
    pub const fn from_bytes(bytes: u64) -> Option<ChunkSize> {
        if bytes.is_power_of_two() { Self::from_log2(bytes.ilog2() as u8) } else { None }
    }

    /// Returns the base-2 logarithm of the size in bytes.
    pub const fn log2(self) -> u8 {
        self.log2
    }

    /// Returns the size in bytes.
    pub const fn bytes(self) -> usize {
        1 << self.log2
    }

    /// Returns the length of a full chunk with its tag, in bytes.
    pub(crate) const fn sealed(self) -> usize {
        self.bytes() + TAG_LEN
    }

    /// Returns the number of full chunks in `bytes` bytes, or 1 if there are none.
    pub(crate) const fn chunks_in(self, bytes: usize) -> usize {
        let chunks = bytes >> self.log2;
        if chunks == 0 { 1 } else { chunks }
    }
}

impl Default for ChunkSize {
    /// Returns 64 KiB.
    fn default() -> ChunkSize {
        ChunkSize { log2: 16 }
    }
}

/// The header fields that determine where the parts of a container are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) chunk: ChunkSize,
    pub(crate) envelope_len: u32,
}

impl Layout {
    /// Returns the offset of chunk 0, which is the length of the header and the envelope.
    pub(crate) fn head_len(&self) -> u64 {
        HEADER_LEN as u64 + u64::from(self.envelope_len)
    }

    /// Returns the number of bytes after the last chunk: the envelope's copy and the footer.
    pub(crate) fn tail_len(&self) -> u64 {
        self.head_len()
    }

    /// Returns the offset of chunk `index` in the container (F-5.3).
    pub(crate) fn chunk_offset(&self, index: u64) -> u64 {
        self.head_len() + index * self.chunk.sealed() as u64
    }

    /// Returns the body that holds `len` bytes of plaintext (F-5.1), or [`Error::TooLarge`]
    /// (F-5.4).
    pub(crate) fn body_of_plaintext(&self, len: u64) -> Result<Body> {
        let full = len >> self.chunk.log2;
        let last = len - (full << self.chunk.log2);
        self.body(full, last + TAG_LEN as u64)
    }

    /// Returns the body of a `len`-byte container (F-7.3), or [`Error::TooLarge`] (F-5.4).
    pub(crate) fn body_of_container(&self, len: u64) -> Result<Body> {
        let sealed = len.saturating_sub(self.head_len() + self.tail_len());
        let step = self.chunk.sealed() as u64;
        self.body(sealed / step, sealed % step)
    }

    /// Returns the body that consists of `full` full chunks and `rest` more bytes, or
    /// [`Error::TooLarge`] (F-5.4).
    pub(crate) fn body(&self, full: u64, rest: u64) -> Result<Body> {
        let body = Body { chunk: self.chunk, full, rest };
        let longest = full
            .checked_mul(self.chunk.bytes() as u64)
            .and_then(|len| len.checked_add(rest.saturating_sub(TAG_LEN as u64)));
        match longest {
            Some(len) if full <= MAX_CHUNK_INDEX && len <= MAX_PLAINTEXT_LEN => Ok(body),
            _ => Err(Error::TooLarge),
        }
    }

    /// Returns the length of a container with this body.
    pub(crate) fn container_len(&self, body: &Body) -> u64 {
        self.chunk_offset(body.full) + body.rest + self.tail_len()
    }
}

/// The chunks of a container: `full` full chunks, then a last chunk of `rest` bytes, including its
/// tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    chunk: ChunkSize,
    /// The number of full chunks, which is also the index of the last chunk (n in F-7.3).
    pub(crate) full: u64,
    /// Bytes in the last chunk (r in F-7.3). If there are fewer than 16, the last chunk is missing.
    pub(crate) rest: u64,
}

impl Body {
    /// Returns the plaintext length, or `None` if the last chunk is missing.
    pub(crate) fn plaintext_len(&self) -> Option<u64> {
        let last = self.rest.checked_sub(TAG_LEN as u64)?;
        Some((self.full << self.chunk.log2) + last)
    }

    /// Returns the length of chunk `index`, including its tag.
    pub(crate) fn sealed_len(&self, index: u64) -> usize {
        if index < self.full { self.chunk.sealed() } else { self.rest as usize }
    }

    /// Returns the number of chunks, including the last one.
    pub(crate) fn chunks(&self) -> u64 {
        self.full + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(log2: u8, envelope_len: u32) -> Layout {
        Layout { chunk: ChunkSize::from_log2(log2).unwrap(), envelope_len }
    }

    /// F-2.1, F-5.1: the table of examples.
    #[test]
    fn computes_the_example_lengths() {
        for (log2, plain, chunks, last, sealed, total) in [
            (12, 0u64, 1u64, 0u64, 16u64, 272u64),
            (12, 1, 1, 1, 17, 273),
            (12, 4095, 1, 4095, 4111, 4367),
            (12, 4096, 2, 0, 4128, 4384),
            (12, 4097, 2, 1, 4129, 4385),
            (16, 65536, 2, 0, 65568, 65824),
            (16, 1 << 32, 65537, 0, 4296015888, 4296016144),
        ] {
            let layout = layout(log2, 0);
            let body = layout.body_of_plaintext(plain).unwrap();
            assert_eq!(body.chunks(), chunks);
            assert_eq!(body.rest, last + 16);
            assert_eq!(body.sealed_len(chunks - 1), (last + 16) as usize);
            if chunks > 1 {
                assert_eq!(body.sealed_len(chunks - 2), (1 << log2) + 16);
            }
            assert_eq!(layout.chunk_offset(body.full) + body.rest - 128, sealed);
            assert_eq!(layout.container_len(&body), total);
            assert_eq!(layout.body_of_container(total).unwrap(), body);
            assert_eq!(body.plaintext_len(), Some(plain));
        }
    }

    /// F-7.3: container lengths and bodies correspond one to one.
    #[test]
    fn maps_each_length_to_one_body() {
        let layout = layout(12, 7);
        let fixed = layout.head_len() + layout.tail_len();
        for len in fixed..fixed + 3 * 4112 + 5 {
            let body = layout.body_of_container(len).unwrap();
            assert!(body.rest < 4112);
            assert_eq!(layout.container_len(&body), len);
            match body.plaintext_len() {
                Some(plain) => assert_eq!(layout.body_of_plaintext(plain).unwrap(), body),
                None => assert!(body.rest < 16),
            }
        }
    }

    #[test]
    fn reports_no_plaintext_length_without_a_last_chunk() {
        let body = layout(12, 100).body_of_container(455).unwrap();
        assert_eq!((body.full, body.rest), (0, 0));
        assert_eq!(body.plaintext_len(), None);
    }

    /// F-5.4: the maximum length, and one byte more.
    #[test]
    fn enforces_the_length_limits() {
        let small = layout(12, 0);
        let longest = (1u64 << 44) - 1;
        let body = small.body_of_plaintext(longest).unwrap();
        assert_eq!(body.full, MAX_CHUNK_INDEX);
        let total = small.container_len(&body);
        assert_eq!(small.body_of_container(total).unwrap(), body);
        assert_eq!(small.body_of_plaintext(longest + 1), Err(Error::TooLarge));
        assert_eq!(small.body_of_container(total + 1), Err(Error::TooLarge));

        // The limits in F-3.7 and F-5.4.
        assert_eq!((MAX_ENVELOPE_LEN, MAX_PLAINTEXT_LEN), (1_048_576, 281_474_976_710_655));
        let large = layout(20, MAX_ENVELOPE_LEN);
        let body = large.body_of_plaintext(MAX_PLAINTEXT_LEN).unwrap();
        let total = large.container_len(&body);
        assert_eq!(large.body_of_container(total).unwrap(), body);
        assert_eq!(large.body_of_plaintext(MAX_PLAINTEXT_LEN + 1), Err(Error::TooLarge));
        assert_eq!(large.body_of_container(u64::MAX), Err(Error::TooLarge));
    }

    #[test]
    fn accepts_powers_of_two_within_the_limits() {
        assert_eq!(ChunkSize::from_bytes(65536), Some(ChunkSize::default()));
        for refused in [0, 1, 2048, 4097, 65537, 1 << 21] {
            assert_eq!(ChunkSize::from_bytes(refused), None);
        }
        assert_eq!(ChunkSize::from_log2(11), None);
        assert_eq!(ChunkSize::from_log2(21), None);
        assert_eq!(ChunkSize::MIN.chunks_in(1 << 20), 256);
        assert_eq!(ChunkSize::MAX.chunks_in(1 << 18), 1);
    }
}
