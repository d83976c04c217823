//! Records, the units that make up an archive. Each has a marker, a kind and lengths.

use zeroize::Zeroizing;

use crate::format::attributes::MAX_ATTR_LEN;
use crate::format::path::MAX_PATH_LEN;

/// Bytes in the head of a record, which precedes the path.
pub(crate) const HEAD_LEN: usize = 32;
/// Bytes in the content of a reference record.
pub(crate) const REFERENCE_LEN: usize = 24;
/// Export label for the secret whose first 16 bytes are the marker.
pub(crate) const MARKER_LABEL: &[u8] = b"archive record";

/// The 16 bytes at the start of every record in a container. The marker is secret, so that
/// no content can imitate a record.
#[derive(Clone)]
pub(crate) struct Marker(Zeroizing<[u8; 16]>);

impl Marker {
    /// Takes the marker from the secret that the container exports for [`MARKER_LABEL`].
    pub(crate) fn new(exported: &[u8; 32]) -> Marker {
        let mut marker = Zeroizing::new([0; 16]);
        marker.copy_from_slice(&exported[..16]);
        Marker(marker)
    }

    pub(crate) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordKind(pub(crate) u8);

impl RecordKind {
    pub(crate) const FILE: RecordKind = RecordKind(1);
    pub(crate) const DIRECTORY: RecordKind = RecordKind(2);
    pub(crate) const SYMLINK: RecordKind = RecordKind(3);
    pub(crate) const REFERENCE: RecordKind = RecordKind(4);
    pub(crate) const CONTAINERS: RecordKind = RecordKind(16);
    pub(crate) const NOTES: RecordKind = RecordKind(17);
    pub(crate) const BLOCK: RecordKind = RecordKind(18);
    pub(crate) const FENCE: RecordKind = RecordKind(19);
    pub(crate) const TRAILER: RecordKind = RecordKind(20);
    pub(crate) const PADDING: RecordKind = RecordKind(128);

    /// Returns whether records of this kind are entries.
    pub(crate) fn is_entry(self) -> bool {
        (1..=4).contains(&self.0)
    }

    /// Returns whether a reader that does not know the kind skips the record.
    pub(crate) fn may_be_skipped(self) -> bool {
        self.0 >= 128
    }

    /// Returns whether this release knows the kind.
    pub(crate) fn is_known(self) -> bool {
        self.is_entry() || (16..=20).contains(&self.0) || self == RecordKind::PADDING
    }
}

/// The fields in the first 32 bytes of a record, without the marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: RecordKind,
    pub(crate) encoding: u8,
    pub(crate) path_len: u16,
    pub(crate) attr_len: u32,
    pub(crate) content_len: u64,
}

impl Head {
    /// Returns the head of a record that is not an entry. It has no path, no attributes and
    /// encoding 0.
    pub(crate) fn plain(kind: RecordKind, content_len: u64) -> Head {
        Head { kind, encoding: 0, path_len: 0, attr_len: 0, content_len }
    }

    /// Encodes the head.
    pub(crate) fn to_bytes(self, marker: &Marker) -> [u8; HEAD_LEN] {
        let mut bytes = [0; HEAD_LEN];
        bytes[..16].copy_from_slice(marker.bytes());
        bytes[16] = self.kind.0;
        bytes[17] = self.encoding;
        bytes[18..20].copy_from_slice(&self.path_len.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.attr_len.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.content_len.to_be_bytes());
        bytes
    }

    /// Decodes a head, or returns `None` if `bytes` does not start with the marker.
    pub(crate) fn from_bytes(bytes: &[u8; HEAD_LEN], marker: &Marker) -> Option<Head> {
        let (found, _) = bytes.split_first_chunk::<16>()?;
        (found == marker.bytes()).then(|| Head {
            kind: RecordKind(bytes[16]),
            encoding: bytes[17],
            path_len: u16::from_be_bytes([bytes[18], bytes[19]]),
            attr_len: u32::from_be_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]),
            content_len: u64::from_be_bytes([
                bytes[24], bytes[25], bytes[26], bytes[27], bytes[28], bytes[29], bytes[30],
                bytes[31],
            ]),
        })
    }

    /// Returns the offset of the content in the record.
    pub(crate) fn content_start(&self) -> u64 {
        HEAD_LEN as u64 + u64::from(self.path_len) + u64::from(self.attr_len)
    }

    /// Returns the length of the whole record in bytes, or `None` if it exceeds `u64::MAX`.
    pub(crate) fn len(&self) -> Option<u64> {
        self.content_start().checked_add(self.content_len)
    }

    /// Returns whether the path and the attributes are within the format's length limits.
    pub(crate) fn is_within_limits(&self) -> bool {
        usize::from(self.path_len) <= MAX_PATH_LEN && self.attr_len as usize <= MAX_ATTR_LEN
    }
}

/// The content of a reference record: a range of another container's plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Row of the containers record.
    pub(crate) row: u32,
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

impl Reference {
    /// Decodes the content of a reference record, or returns `None` if it has the wrong length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Reference> {
        let bytes: &[u8; REFERENCE_LEN] = bytes.try_into().ok()?;
        let u64_at = |at: usize| bytes[at..at + 8].iter().fold(0, |n, b| n << 8 | u64::from(*b));
        // Bytes 4 to 7 are reserved.
        let row = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Some(Reference { row, offset: u64_at(8), len: u64_at(16) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn head_byte_map() {
        let marker = Marker::new(&[9; 32]);
        let head = Head {
            kind: RecordKind::FILE,
            encoding: 3,
            path_len: 0x0102,
            attr_len: 0x0304_0506,
            content_len: 0x0708_090A_0B0C_0D0E,
        };
        let bytes = head.to_bytes(&marker);
        assert_eq!(bytes[..16], [9; 16]);
        assert_eq!(bytes[16..], [1, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        assert_eq!(Head::from_bytes(&bytes, &marker), Some(head));
        assert_eq!(Head::from_bytes(&bytes, &Marker::new(&[8; 32])), None);
        assert_eq!(Head { content_len: u64::MAX, ..head }.len(), None);
    }

    ///
    #[test]
    fn reference_byte_map() {
        let mut bytes = [0; REFERENCE_LEN];
        (bytes[3], bytes[4], bytes[14], bytes[15], bytes[23]) = (1, 9, 2, 3, 4);
        let reference = Reference { row: 1, offset: 0x0203, len: 4 };
        assert_eq!(Reference::from_bytes(&bytes), Some(reference));
        assert_eq!(Reference::from_bytes(&bytes[..23]), None);
    }
}
