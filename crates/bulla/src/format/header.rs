//! Bytes to [`Header`] and back (FORMAT.md, section 3). The footer is the header's copy.

use std::fmt;

use crate::crypto::backend::{SHA256, digest};
use crate::error::{Error, Feature, Result};
use crate::format::geometry::{ChunkSize, HEADER_LEN, Layout, MAX_ENVELOPE_LEN};

/// `\x93BULLA\r\n`: no text begins so, and a transfer that changes line ends breaks it.
const MAGIC: [u8; 8] = *b"\x93BULLA\r\n";
/// First byte of the footer's magic; the rest is that of [`MAGIC`].
const FOOTER_MAGIC_0: u8 = 0x94;
/// The major version that this crate writes and reads.
const MAJOR: u8 = 1;
/// HMAC-SHA-512 key schedule and AES-256-GCM.
const SUITE: u16 = 1;
/// Critical flag, bit 0: a context is needed to open.
const FLAG_CONTEXT: u16 = 1;

/// What the plaintext of a container is. This crate carries it and judges nothing (F-3.9): who uses
/// the plaintext rejects what it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentType(pub u8);

impl ContentType {
    /// Bytes without any further meaning.
    pub const BYTES: ContentType = ContentType(0);
    /// An archive of entries (ARCHIVE.md).
    pub const ARCHIVE: ContentType = ContentType(1);

    /// Whether the number is free for private use (128 to 255).
    pub const fn is_private(self) -> bool {
        self.0 >= 128
    }
}

/// The public facts of a container: everything in its header, readable without a key.
///
/// None of it is authenticated until the container was opened with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    // Parsed once, in `from_copy` or `new`: magic of a header, suite, flags and ranges hold. The
    // check is made when a copy is written.
    bytes: [u8; HEADER_LEN],
}

/// Which of the two copies some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Head,
    Foot,
}

impl Header {
    /// A header with all fields set but the commitment, which needs the key schedule, which needs
    /// these fields.
    pub(crate) fn new(
        layout: Layout,
        content: ContentType,
        context: bool,
        salt: &[u8; 32],
    ) -> Header {
        let mut bytes = [0; HEADER_LEN];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8] = MAJOR;
        bytes[10..12].copy_from_slice(&SUITE.to_be_bytes());
        bytes[12] = layout.chunk.log2();
        bytes[13] = content.0;
        let flags = if context { FLAG_CONTEXT } else { 0 };
        bytes[14..16].copy_from_slice(&flags.to_be_bytes());
        bytes[16..20].copy_from_slice(&layout.envelope_len.to_be_bytes());
        bytes[32..64].copy_from_slice(salt);
        Header { bytes }
    }

    /// The header, complete.
    pub(crate) fn with_commitment(mut self, commitment: &[u8; 32]) -> Header {
        self.bytes[64..96].copy_from_slice(commitment);
        self
    }

    /// Reads a copy that [`is_valid`] in its place: suite, flags and ranges, in this order (F-3.7).
    pub(crate) fn from_copy(copy: &[u8; HEADER_LEN]) -> Result<Header> {
        let suite = u16::from_be_bytes([copy[10], copy[11]]);
        if suite != SUITE {
            return Err(Error::UnsupportedSuite { suite });
        }
        let flags = u16::from_be_bytes([copy[14], copy[15]]);
        if flags & !FLAG_CONTEXT != 0 {
            return Err(Error::UnsupportedFeature(Feature::Flags(flags)));
        }
        if ChunkSize::from_log2(copy[12]).is_none() {
            return Err(Error::UnsupportedFeature(Feature::ChunkLog2(copy[12])));
        }
        // The bytes of a header, also if the copy is a footer: only 8..96 come from it.
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..96].copy_from_slice(&copy[8..96]);
        let header = Header { bytes };
        if header.envelope_len() > MAX_ENVELOPE_LEN {
            return Err(Error::UnsupportedFeature(Feature::EnvelopeLen(header.envelope_len())));
        }
        Ok(header)
    }

    /// The first 128 bytes of a container, as this crate writes them.
    pub(crate) fn to_head(&self) -> [u8; HEADER_LEN] {
        with_check(self.bytes)
    }

    /// The last 128 bytes of a container of `container_len` bytes (F-3.2).
    pub(crate) fn to_foot(&self, container_len: u64) -> [u8; HEADER_LEN] {
        let mut foot = self.bytes;
        foot[0] = FOOTER_MAGIC_0;
        foot[96..104].copy_from_slice(&container_len.to_be_bytes());
        with_check(foot)
    }

    /// Whether the footer *stands* in these bytes (F-7.4): valid, and of this container.
    pub(crate) fn stands_in(&self, foot: &[u8; HEADER_LEN]) -> bool {
        is_valid(foot, Place::Foot) && foot[8..96] == self.bytes[8..96]
    }

    /// Bytes 8 to 63, which the key schedule binds (F-4.3): what a layer above binds to its
    /// container goes with them.
    pub fn bound(&self) -> &[u8; 56] {
        let Some(bound) = self.bytes[8..].first_chunk() else {
            unreachable!("a header has 128 bytes")
        };
        bound
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout { chunk: self.chunk_size(), envelope_len: self.envelope_len() }
    }

    /// Major and minor version of the format.
    pub fn version(&self) -> (u8, u8) {
        (self.bytes[8], self.bytes[9])
    }

    /// The number of the cryptographic suite.
    pub fn suite(&self) -> u16 {
        u16::from_be_bytes([self.bytes[10], self.bytes[11]])
    }

    /// Bytes of plaintext in a full chunk.
    pub fn chunk_size(&self) -> ChunkSize {
        // In range since `from_copy` or `new`.
        ChunkSize::from_log2(self.bytes[12]).unwrap_or_default()
    }

    /// What the plaintext is.
    pub fn content_type(&self) -> ContentType {
        ContentType(self.bytes[13])
    }

    /// Whether a context is needed to open the container (F-3.8).
    pub fn needs_context(&self) -> bool {
        u16::from_be_bytes([self.bytes[14], self.bytes[15]]) & FLAG_CONTEXT != 0
    }

    /// Bytes set aside for the envelope, at either end.
    pub fn envelope_len(&self) -> u32 {
        u32::from_be_bytes([self.bytes[16], self.bytes[17], self.bytes[18], self.bytes[19]])
    }

    /// The random salt, which is also the container's identity.
    pub fn salt(&self) -> &[u8; 32] {
        let Some(salt) = self.bytes[32..].first_chunk() else {
            unreachable!("a header has 128 bytes")
        };
        salt
    }

    /// The commitment to key, header and context. Public: it reveals nothing of the key.
    pub fn commitment(&self) -> &[u8; 32] {
        let Some(commitment) = self.bytes[64..].first_chunk() else {
            unreachable!("a header has 128 bytes")
        };
        commitment
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("version", &self.version())
            .field("suite", &self.suite())
            .field("chunk_size", &self.chunk_size().bytes())
            .field("content", &self.content_type().0)
            .field("needs_context", &self.needs_context())
            .field("envelope_len", &self.envelope_len())
            .field("salt", &format_args!("{}", Hex(self.salt())))
            .finish_non_exhaustive()
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Whether magic, major and check hold (F-3.3).
pub(crate) fn is_valid(copy: &[u8; HEADER_LEN], place: Place) -> bool {
    let first = match place {
        Place::Head => MAGIC[0],
        Place::Foot => FOOTER_MAGIC_0,
    };
    copy[0] == first && copy[1..8] == MAGIC[1..] && copy[8] == MAJOR && copy[120..] == check(copy)
}

/// The error when no copy counts, from the container's first bytes, 128 of them if it has so many
/// (F-3.5).
pub(crate) fn refusal(head: &[u8]) -> Error {
    if !head.starts_with(&MAGIC) {
        return Error::NotAContainer;
    }
    match head.get(8) {
        Some(&major) if major != MAJOR => Error::UnsupportedVersion { major },
        _ if head.len() < HEADER_LEN => Error::Truncated { after: 0 },
        _ => Error::DamagedHeader,
    }
}

fn with_check(mut copy: [u8; HEADER_LEN]) -> [u8; HEADER_LEN] {
    let check = check(&copy);
    copy[120..].copy_from_slice(&check);
    copy
}

/// The first 8 bytes of SHA-256 over bytes 0..120. It tells damage from a wrong key; it is no
/// security.
fn check(copy: &[u8; HEADER_LEN]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&digest(&SHA256, &copy[..120]).as_ref()[..8]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let layout = Layout { chunk: ChunkSize::MIN, envelope_len: 0x1234 };
        Header::new(layout, ContentType(200), true, &[7; 32]).with_commitment(&[9; 32])
    }

    /// F-3.1: each field lies where the byte map says.
    #[test]
    fn byte_map() {
        let bytes = header().to_head();
        assert_eq!(bytes[..8], [0x93, 0x42, 0x55, 0x4C, 0x4C, 0x41, 0x0D, 0x0A]);
        assert_eq!(bytes[8..20], [1, 0, 0, 1, 12, 200, 0, 1, 0, 0, 0x12, 0x34]);
        assert_eq!(bytes[20..32], [0; 12]);
        assert_eq!(bytes[32..64], [7; 32]);
        assert_eq!(bytes[64..96], [9; 32]);
        assert_eq!(bytes[96..120], [0; 24]);
        assert!(is_valid(&bytes, Place::Head));
        assert!(!is_valid(&bytes, Place::Foot));
    }

    /// F-3.1: and is read from there, in a container of a later minor version too.
    #[test]
    fn fields_are_read_where_they_lie() {
        let mut copy = header().to_head();
        copy[9] = 3;
        let read = Header::from_copy(&copy).unwrap();
        assert_eq!((read.version(), read.suite(), read.envelope_len()), ((1, 3), 1, 0x1234));
        assert_eq!(
            (read.chunk_size(), read.content_type().0, read.needs_context()),
            (ChunkSize::MIN, 200, true)
        );
        assert_eq!((read.salt(), read.commitment()), (&[7; 32], &[9; 32]));
        assert_eq!(read.bound()[..], copy[8..64]);
    }

    #[test]
    fn private_contents() {
        assert!(!ContentType(127).is_private());
        assert!(ContentType(128).is_private() && ContentType(255).is_private());
    }

    /// F-3.2: the footer is the header's copy, with its own first byte, the length, and a check.
    #[test]
    fn footer() {
        let (header, foot) = (header(), header().to_foot(0x0102_0304));
        assert_eq!(foot[..8], [0x94, 0x42, 0x55, 0x4C, 0x4C, 0x41, 0x0D, 0x0A]);
        assert_eq!(foot[8..96], header.to_head()[8..96]);
        assert_eq!(foot[96..104], [0, 0, 0, 0, 1, 2, 3, 4]);
        assert!(header.stands_in(&foot));
        assert!(is_valid(&foot, Place::Foot) && !is_valid(&foot, Place::Head));
    }

    /// F-3.3: no single bit of a copy can change without the copy becoming invalid.
    #[test]
    fn every_bit_counts() {
        for (place, bytes) in
            [(Place::Head, header().to_head()), (Place::Foot, header().to_foot(9))]
        {
            for bit in 0..HEADER_LEN * 8 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!is_valid(&flipped, place), "bit {bit}");
            }
        }
    }

    #[test]
    fn debug_shows_public_facts_only() {
        let shown = format!("{:?}", header());
        assert!(shown.contains("chunk_size: 4096") && shown.contains("0707"), "{shown}");
    }
}
