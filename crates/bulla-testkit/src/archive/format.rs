//! Constants and basic encodings from ARCHIVE.md.

/// The *content* value in the header of a container that holds an archive.
pub const CONTENT: u8 = 1;
/// Bytes in a record head, which precedes the name.
pub const HEAD_LEN: u64 = 32;
/// Bytes in a trailer record.
pub const TRAILER_LEN: u64 = 128;
/// Bytes in a row of the containers record.
pub const ROW_LEN: u64 = 96;
/// Maximum length of a name or target, in bytes.
pub const NAME_MAX: usize = 4096;
/// Maximum length of an entry's attributes, in bytes (ARCHIVE.md, limits).
pub const ATTRIBUTES_MAX: usize = 1 << 16;

/// Record kinds.
#[expect(missing_docs, reason = "named as in A-1.2")]
pub mod kind {
    pub const FILE: u8 = 1;
    pub const DIRECTORY: u8 = 2;
    pub const LINK: u8 = 3;
    pub const REFERENCE: u8 = 4;
    pub const CONTAINERS: u8 = 16;
    pub const NOTES: u8 = 17;
    pub const BLOCK: u8 = 18;
    pub const FENCE: u8 = 19;
    pub const TRAILER: u8 = 20;
    pub const PADDING: u8 = 128;
}

/// Attribute tags.
#[expect(missing_docs, reason = "named as in A-2.3")]
pub mod tag {
    pub const MODIFIED: u16 = 1;
    pub const MODE: u16 = 2;
    pub const TARGET: u16 = 3;
    pub const HASH: u16 = 4;
    pub const PRIVATE: u16 = 32768;
}

/// State bits.
#[expect(missing_docs, reason = "named as in A-4.1")]
pub mod state {
    pub const SHORT: u16 = 1;
    pub const GREW: u16 = 2;
    pub const CHANGED: u16 = 4;
    pub const UNREADABLE: u16 = 8;
    pub const SKIPPED: u16 = 16;
}

/// Derives a container's record marker from its exporter.
pub fn marker(exporter: &[u8; 32]) -> [u8; 16] {
    let secret = crate::reference::export(exporter, b"archive record");
    *secret.first_chunk().expect("32 bytes are more than 16")
}

/// Encodes an attribute.
pub fn attribute(tag: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// Encodes the *modified* attribute.
pub fn modified(seconds: i64, nanoseconds: u32) -> Vec<u8> {
    attribute(tag::MODIFIED, &[&seconds.to_be_bytes()[..], &nanoseconds.to_be_bytes()].concat())
}

/// Encodes the *mode* attribute.
pub fn mode(bits: u32) -> Vec<u8> {
    attribute(tag::MODE, &bits.to_be_bytes())
}
