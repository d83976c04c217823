//! The header and its copy, the footer (FORMAT.md, section 3).

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::backend::{SHA256, digest};
use crate::crypto::key::Key;
use crate::error::{Error, Feature, Result};
use crate::format::geometry::{ChunkSize, HEADER_LEN, Layout, MAX_ENVELOPE_LEN};
use crate::format::schedule::Schedule;

/// The header's magic. No text file begins with these bytes, and a transfer that converts line
/// endings corrupts them.
const MAGIC: [u8; 8] = *b"\x93BULLA\r\n";
/// The first byte of the footer's magic. The rest is the same as in [`MAGIC`].
const FOOTER_MAGIC_0: u8 = 0x94;
/// The major version that this crate writes and reads.
const MAJOR: u8 = 1;
/// The suite that consists of the HMAC-SHA-512 key schedule and AES-256-GCM.
const SUITE: u16 = 1;
/// Bit 0 of the critical flags: the container requires a context.
const FLAG_CONTEXT: u16 = 1;

/// The type of a container's plaintext.
///
/// This crate stores the type but does not interpret it (F-3.9). Applications must reject types
/// that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentType(pub u8);

impl ContentType {
    /// Arbitrary bytes.
    pub const BYTES: ContentType = ContentType(0);
    /// An archive of entries (ARCHIVE.md).
    pub const ARCHIVE: ContentType = ContentType(1);

    /// Returns whether the number is reserved for private use (128 to 255).
    pub const fn is_private(self) -> bool {
        self.0 >= 128
    }
}

/// The header of a container, which can be read without a key.
///
/// Nothing in it is authenticated until the container has been opened with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    // `from_copy` and `new` ensure that the magic, the suite, the flags and the ranges are valid.
    // The check is computed only when a copy is written.
    bytes: [u8; HEADER_LEN],
}

/// One of the two copies of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderCopy {
    Header,
    Footer,
}

impl Header {
    /// The length of a header or a footer in bytes (F-2.1).
    pub const LEN: usize = HEADER_LEN;

    /// Returns the major and minor version numbers of the format.
    pub fn version(&self) -> (u8, u8) {
        (self.bytes[8], self.bytes[9])
    }

    /// Returns the number of the cryptographic suite.
    pub fn suite(&self) -> u16 {
        u16::from_be_bytes([self.bytes[10], self.bytes[11]])
    }

    /// Returns the number of plaintext bytes in a full chunk.
    pub fn chunk_size(&self) -> ChunkSize {
        // `from_copy` and `new` ensure that the size is in range.
        ChunkSize::from_log2(self.bytes[12]).unwrap_or_default()
    }

    /// Returns the type of the plaintext.
    pub fn content_type(&self) -> ContentType {
        ContentType(self.bytes[13])
    }

    /// Returns whether opening the container requires a context (F-3.8).
    pub fn needs_context(&self) -> bool {
        u16::from_be_bytes([self.bytes[14], self.bytes[15]]) & FLAG_CONTEXT != 0
    }

    /// Returns the number of bytes reserved for the envelope at each end of the container.
    pub fn envelope_len(&self) -> u32 {
        u32::from_be_bytes([self.bytes[16], self.bytes[17], self.bytes[18], self.bytes[19]])
    }

    /// Returns the random salt, which also identifies the container.
    pub fn salt(&self) -> &[u8; 32] {
        let Some(salt) = self.bytes[32..].first_chunk() else {
            unreachable!("a header has 128 bytes")
        };
        salt
    }

    /// Returns the commitment to the key, the header and the context. The commitment is public and
    /// reveals nothing about the key.
    pub fn commitment(&self) -> &[u8; 32] {
        let Some(commitment) = self.bytes[64..].first_chunk() else {
            unreachable!("a header has 128 bytes")
        };
        commitment
    }

    /// Returns header bytes 8 to 63, which the key schedule binds (F-4.3). A higher layer can
    /// include these bytes in data that it binds to the container.
    pub fn bound(&self) -> &[u8; 56] {
        let Some(bound) = self.bytes[8..].first_chunk() else {
            unreachable!("a header has 128 bytes")
        };
        bound
    }

    /// Returns the offset of chunk 0, which is the length of the header and the envelope (F-2.1).
    ///
    /// ```
    /// # fn main() -> bulla::Result<()> {
    /// use bulla::{Draft, Header, Key, Options};
    /// let draft = Draft::new(&Key::generate()?, &Options::new().envelope_len(64))?;
    /// assert_eq!(draft.header().body_offset(), Header::LEN as u64 + 64);
    /// # Ok(()) }
    /// ```
    pub fn body_offset(&self) -> u64 {
        self.layout().head_len()
    }

    /// Returns the offset of the envelope's second copy in a container of `container_len` bytes, or
    /// `None` if the container is too short for two copies (F-8.1). The first copy is at
    /// [`Header::LEN`].
    pub fn envelope_copy_offset(&self, container_len: u64) -> Option<u64> {
        let layout = self.layout();
        let at = container_len.checked_sub(layout.tail_len())?;
        (at >= layout.head_len()).then_some(at)
    }

    /// Returns the plaintext length of a container of `container_len` bytes (F-7.3), or `None` if
    /// no container with this header has that length. Nothing is authenticated.
    ///
    /// ```
    /// # fn main() -> bulla::Result<()> {
    /// use bulla::{Draft, Key, Options};
    /// let draft = Draft::new(&Key::generate()?, &Options::new())?;
    /// let header = draft.header().clone();
    /// let container = draft.seal(b"a message")?;
    /// assert_eq!(header.plaintext_len(container.len() as u64), Some(9));
    /// assert_eq!(header.plaintext_len(200), None);
    /// # Ok(()) }
    /// ```
    pub fn plaintext_len(&self, container_len: u64) -> Option<u64> {
        let layout = self.layout();
        container_len.checked_sub(layout.head_len() + layout.tail_len())?;
        layout.body_of_container(container_len).ok()?.plaintext_len()
    }

    /// Returns the number of chunks in a container of `container_len` bytes (F-7.3), or `None` if
    /// no container with this header has that length. Nothing is authenticated.
    pub fn chunk_count(&self, container_len: u64) -> Option<u64> {
        // The last chunk is always shorter than a full one (F-5.1).
        Some((self.plaintext_len(container_len)? >> self.chunk_size().log2()) + 1)
    }

    /// Returns whether the container was sealed under `key` and `context` (F-3.8, F-4.4).
    ///
    /// This computes two HMACs and compares the commitment in constant time, without reading any
    /// chunks. Use it to find the right key among several.
    ///
    /// ```
    /// # fn main() -> bulla::Result<()> {
    /// use bulla::{Key, Options, Preamble};
    ///
    /// let key = Key::generate()?;
    /// let container = bulla::seal(&key, b"a message", &Options::new())?;
    ///
    /// let preamble = Preamble::read_at(&container)?;
    /// assert!(preamble.header().matches(&key, None));
    /// assert!(!preamble.header().matches(&Key::generate()?, None));
    /// # Ok(()) }
    /// ```
    pub fn matches(&self, key: &Key, context: Option<&[u8]>) -> bool {
        self.unlock(key, context).is_ok()
    }

    /// Derives a container-specific secret for a higher layer (F-4.5), like
    /// [`Draft::export`](crate::Draft::export), but needs only the header and the key.
    ///
    /// # Errors
    ///
    /// Returns [`Error::ContextRequired`], [`Error::ContextUnexpected`] or [`Error::WrongKey`].
    pub fn export(
        &self,
        key: &Key,
        context: Option<&[u8]>,
        label: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>> {
        Ok(self.unlock(key, context)?.exporter.export(label))
    }

    /// Creates a header with every field except the commitment, which the key schedule derives from
    /// the other fields.
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

    /// Sets the commitment, which completes the header.
    pub(crate) fn with_commitment(mut self, commitment: &[u8; 32]) -> Header {
        self.bytes[64..96].copy_from_slice(commitment);
        self
    }

    /// Parses a copy that has passed [`is_valid`]. Checks the suite, then the flags, then the
    /// ranges (F-3.7).
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
        // The result has the bytes of a header even if the copy is a footer, because only bytes
        // 8..96 are taken from it.
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..96].copy_from_slice(&copy[8..96]);
        let header = Header { bytes };
        if header.envelope_len() > MAX_ENVELOPE_LEN {
            return Err(Error::UnsupportedFeature(Feature::EnvelopeLen(header.envelope_len())));
        }
        Ok(header)
    }

    /// Checks that a context is given if and only if one is required (F-3.8), derives the keys, and
    /// compares the commitment in constant time (F-4.4). No chunk may be touched before this
    /// succeeds.
    pub(crate) fn unlock(&self, key: &Key, context: Option<&[u8]>) -> Result<Schedule> {
        match (self.needs_context(), context) {
            (true, None) => return Err(Error::ContextRequired),
            (false, Some(_)) => return Err(Error::ContextUnexpected),
            _ => {}
        }
        let schedule = Schedule::derive(key, self.bound(), context);
        if bool::from(schedule.commitment.ct_eq(self.commitment())) {
            Ok(schedule)
        } else {
            Err(Error::WrongKey)
        }
    }

    /// Returns the first 128 bytes of the container.
    pub(crate) fn to_bytes(&self) -> [u8; HEADER_LEN] {
        with_check(self.bytes)
    }

    /// Returns the last 128 bytes of a container of `container_len` bytes (F-3.2).
    pub(crate) fn to_footer(&self, container_len: u64) -> [u8; HEADER_LEN] {
        let mut footer = self.bytes;
        footer[0] = FOOTER_MAGIC_0;
        footer[96..104].copy_from_slice(&container_len.to_be_bytes());
        with_check(footer)
    }

    /// Returns whether `footer` is a valid footer of this container (F-7.4).
    pub(crate) fn matches_footer(&self, footer: &[u8; HEADER_LEN]) -> bool {
        is_valid(footer, HeaderCopy::Footer) && footer[8..96] == self.bytes[8..96]
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout { chunk: self.chunk_size(), envelope_len: self.envelope_len() }
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

/// Returns whether the magic, the major version and the check are correct (F-3.3).
pub(crate) fn is_valid(copy: &[u8; HEADER_LEN], which: HeaderCopy) -> bool {
    let first = match which {
        HeaderCopy::Header => MAGIC[0],
        HeaderCopy::Footer => FOOTER_MAGIC_0,
    };
    copy[0] == first && copy[1..8] == MAGIC[1..] && copy[8] == MAJOR && copy[120..] == check(copy)
}

/// Returns the error for a container without a valid header or footer, given up to 128 of its first
/// bytes (F-3.5).
pub(crate) fn diagnose(head: &[u8]) -> Error {
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

/// Returns the check: the first 8 bytes of SHA-256 over bytes 0..120. It distinguishes damage from
/// a wrong key, but provides no authentication.
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

    /// F-3.1: each field is written at the offset given by the byte map.
    #[test]
    fn writes_the_fields_of_the_byte_map() {
        let bytes = header().to_bytes();
        assert_eq!(bytes[..8], [0x93, 0x42, 0x55, 0x4C, 0x4C, 0x41, 0x0D, 0x0A]);
        assert_eq!(bytes[8..20], [1, 0, 0, 1, 12, 200, 0, 1, 0, 0, 0x12, 0x34]);
        assert_eq!(bytes[20..32], [0; 12]);
        assert_eq!(bytes[32..64], [7; 32]);
        assert_eq!(bytes[64..96], [9; 32]);
        assert_eq!(bytes[96..120], [0; 24]);
        assert!(is_valid(&bytes, HeaderCopy::Header));
        assert!(!is_valid(&bytes, HeaderCopy::Footer));
    }

    /// F-3.1, F-3.7: each field is read from the offset given by the byte map, whatever the minor
    /// version.
    #[test]
    fn reads_the_fields_of_the_byte_map() {
        let mut copy = header().to_bytes();
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
    fn content_types_from_128_are_private() {
        assert!(!ContentType(127).is_private());
        assert!(ContentType(128).is_private() && ContentType(255).is_private());
    }

    /// F-3.2: the footer differs from the header in its first byte, the length and the check.
    #[test]
    fn writes_the_footer() {
        let (header, footer) = (header(), header().to_footer(0x0102_0304));
        assert_eq!(footer[..8], [0x94, 0x42, 0x55, 0x4C, 0x4C, 0x41, 0x0D, 0x0A]);
        assert_eq!(footer[8..96], header.to_bytes()[8..96]);
        assert_eq!(footer[96..104], [0, 0, 0, 0, 1, 2, 3, 4]);
        assert!(header.matches_footer(&footer));
        assert!(is_valid(&footer, HeaderCopy::Footer) && !is_valid(&footer, HeaderCopy::Header));
    }

    /// F-3.3
    #[test]
    fn rejects_every_flipped_bit() {
        for (which, bytes) in
            [(HeaderCopy::Header, header().to_bytes()), (HeaderCopy::Footer, header().to_footer(9))]
        {
            for bit in 0..HEADER_LEN * 8 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!is_valid(&flipped, which), "bit {bit}");
            }
        }
    }

    #[test]
    fn debug_shows_the_salt_but_not_the_commitment() {
        let shown = format!("{:?}", header());
        assert!(shown.contains("chunk_size: 4096") && shown.contains("0707"), "{shown}");
    }

    /// F-2.1, F-7.3, F-8.1
    #[test]
    fn computes_offsets_and_lengths() {
        let layout = Layout { chunk: ChunkSize::MIN, envelope_len: 64 };
        let header = Header::new(layout, ContentType::BYTES, false, &[7; 32]);
        assert_eq!(header.body_offset(), 192);
        for (plaintext, chunks) in [(0, 1), (1, 1), (4095, 1), (4096, 2), (4097, 2), (12288, 4)] {
            let len = layout.container_len(&layout.body_of_plaintext(plaintext).unwrap());
            assert_eq!(header.plaintext_len(len), Some(plaintext));
            assert_eq!(header.chunk_count(len), Some(chunks));
            assert_eq!(header.envelope_copy_offset(len), Some(len - 192));
        }
        // Too short for two envelopes, too short for a last chunk, and too long (F-5.4).
        for len in [100, 2 * 192 - 1, 2 * 192 + 15, u64::MAX] {
            assert_eq!((header.plaintext_len(len), header.chunk_count(len)), (None, None));
        }
        assert_eq!(header.envelope_copy_offset(2 * 192), Some(192));
        assert_eq!(header.envelope_copy_offset(2 * 192 - 1), None);
        assert_eq!(header.envelope_copy_offset(100), None);
    }
}
