//! Lengths and offsets (FORMAT.md, sections 2 and 5): pure arithmetic, no I/O, no cryptography.

use crate::error::{Error, Result};

/// Bytes in the header, and again in the footer (F-2.1).
pub(crate) const HEADER_LEN: usize = 128;
/// Bytes in an AES-GCM tag (NIST SP 800-38D, 5.2.1.2).
pub(crate) const TAG_LEN: usize = 16;
/// Bytes in the longest envelope (F-3.7).
pub(crate) const MAX_ENVELOPE_LEN: u32 = 1 << 20;
/// The highest chunk number (F-5.4).
pub(crate) const MAX_CHUNK_INDEX: u64 = u32::MAX as u64;
/// Bytes in the longest plaintext (F-5.4).
pub(crate) const MAX_PLAINTEXT_LEN: u64 = (1 << 48) - 1;

/// How many bytes of plaintext a full chunk holds: a power of two from 4 KiB to 1 MiB.
///
/// The default of 64 KiB is as fast as any and costs 0.024 % in size; smaller chunks make small
/// ranges cheaper to read (a range costs whole chunks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkSize {
    log2: u8,
}

impl ChunkSize {
    /// 4 KiB, the smallest.
    pub const MIN: ChunkSize = ChunkSize { log2: 12 };
    /// 1 MiB, the largest.
    pub const MAX: ChunkSize = ChunkSize { log2: 20 };

    /// A chunk size of 2^`log2` bytes; `None` outside 12 to 20.
    pub const fn from_log2(log2: u8) -> Option<ChunkSize> {
        if log2 >= Self::MIN.log2 && log2 <= Self::MAX.log2 {
            Some(ChunkSize { log2 })
        } else {
            None
        }
    }

    /// A chunk size of exactly `bytes` bytes; `None` unless that is a power of two within the
    /// limits.
    pub const fn from_bytes(bytes: u64) -> Option<ChunkSize> {
        if bytes.is_power_of_two() { Self::from_log2(bytes.ilog2() as u8) } else { None }
    }

    /// log2 of the size.
    pub const fn log2(self) -> u8 {
        self.log2
    }

    /// The size in bytes.
    pub const fn bytes(self) -> usize {
        1 << self.log2
    }

    /// Bytes in a full chunk's ciphertext and tag.
    pub(crate) const fn sealed(self) -> usize {
        self.bytes() + TAG_LEN
    }

    /// How many chunks make up about `bytes` bytes, at least one.
    pub(crate) const fn per(self, bytes: usize) -> usize {
        let chunks = bytes >> self.log2;
        if chunks == 0 { 1 } else { chunks }
    }
}

impl Default for ChunkSize {
    /// 64 KiB.
    fn default() -> ChunkSize {
        ChunkSize { log2: 16 }
    }
}

/// Where the parts of a container lie, as far as its header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) chunk: ChunkSize,
    pub(crate) envelope_len: u32,
}

impl Layout {
    /// Offset of chunk 0, which is also the length of header and envelope.
    pub(crate) fn head_len(&self) -> u64 {
        HEADER_LEN as u64 + u64::from(self.envelope_len)
    }

    /// Bytes behind the last chunk: the envelope's copy and the footer.
    pub(crate) fn tail_len(&self) -> u64 {
        self.head_len()
    }

    /// Offset of chunk `index` in the container (F-5.3).
    pub(crate) fn chunk_offset(&self, index: u64) -> u64 {
        self.head_len() + index * self.chunk.sealed() as u64
    }

    /// The body of a plaintext of `len` bytes (F-5.1), within the limits of F-5.4.
    pub(crate) fn body_of_plaintext(&self, len: u64) -> Result<Body> {
        let full = len >> self.chunk.log2;
        let last = len - (full << self.chunk.log2);
        self.body(full, last + TAG_LEN as u64)
    }

    /// The body of a container of `len` bytes (F-7.3), within the limits of F-5.4.
    pub(crate) fn body_of_container(&self, len: u64) -> Result<Body> {
        let sealed = len.saturating_sub(self.head_len() + self.tail_len());
        let step = self.chunk.sealed() as u64;
        self.body(sealed / step, sealed % step)
    }

    /// `full` chunks and `rest` bytes behind them, within the limits of F-5.4.
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

    /// The container's length for a body.
    pub(crate) fn container_len(&self, body: &Body) -> u64 {
        self.chunk_offset(body.full) + body.rest + self.tail_len()
    }
}

/// The chunks of a container: `full` full ones, then the last with `rest` bytes, tag included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    chunk: ChunkSize,
    /// Number of full chunks, and the number of the last chunk (n of F-7.3).
    pub(crate) full: u64,
    /// Bytes of the last chunk (r of F-7.3). Below 16 there is no last chunk.
    pub(crate) rest: u64,
}

impl Body {
    /// The plaintext's length; `None` if the last chunk is not there.
    pub(crate) fn plaintext_len(&self) -> Option<u64> {
        let last = self.rest.checked_sub(TAG_LEN as u64)?;
        Some((self.full << self.chunk.log2) + last)
    }

    /// Bytes of chunk `index`, tag included.
    pub(crate) fn sealed_len(&self, index: u64) -> usize {
        if index < self.full { self.chunk.sealed() } else { self.rest as usize }
    }

    /// Number of chunks, the last included.
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

    /// F-5.1: the table of worked sizes; F-2.1: the container's length.
    #[test]
    fn worked_sizes() {
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

    /// F-7.3: every container length gives one body, and the way back gives the length.
    #[test]
    fn lengths_map_one_to_one() {
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
    fn too_short_for_a_chunk() {
        let body = layout(12, 100).body_of_container(455).unwrap();
        assert_eq!((body.full, body.rest), (0, 0));
        assert_eq!(body.plaintext_len(), None);
    }

    /// F-5.4: the last length that fits, and the first that does not.
    #[test]
    fn limits() {
        let small = layout(12, 0);
        let longest = (1u64 << 44) - 1;
        let body = small.body_of_plaintext(longest).unwrap();
        assert_eq!(body.full, MAX_CHUNK_INDEX);
        let total = small.container_len(&body);
        assert_eq!(small.body_of_container(total).unwrap(), body);
        assert!(matches!(small.body_of_plaintext(longest + 1), Err(Error::TooLarge)));
        assert!(matches!(small.body_of_container(total + 1), Err(Error::TooLarge)));

        // F-3.7 and F-5.4 name these numbers.
        assert_eq!((MAX_ENVELOPE_LEN, MAX_PLAINTEXT_LEN), (1_048_576, 281_474_976_710_655));
        let large = layout(20, MAX_ENVELOPE_LEN);
        let body = large.body_of_plaintext(MAX_PLAINTEXT_LEN).unwrap();
        let total = large.container_len(&body);
        assert_eq!(large.body_of_container(total).unwrap(), body);
        assert!(matches!(large.body_of_plaintext(MAX_PLAINTEXT_LEN + 1), Err(Error::TooLarge)));
        assert!(large.body_of_container(u64::MAX).is_err());
    }

    #[test]
    fn chunk_sizes() {
        assert_eq!(ChunkSize::from_bytes(65536), Some(ChunkSize::default()));
        for refused in [0, 1, 2048, 4097, 65537, 1 << 21] {
            assert_eq!(ChunkSize::from_bytes(refused), None);
        }
        assert_eq!(ChunkSize::from_log2(11), None);
        assert_eq!(ChunkSize::from_log2(21), None);
        assert_eq!(ChunkSize::MIN.per(1 << 20), 256);
        assert_eq!(ChunkSize::MAX.per(1 << 18), 1);
    }
}
