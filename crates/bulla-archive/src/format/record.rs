//! The one shape that everything in an archive has: marker, kind, lengths.

use zeroize::Zeroizing;

/// Bytes before a record's path.
pub(crate) const HEAD_LEN: usize = 32;
/// Label of the secret whose first 16 bytes are the marker.
pub(crate) const MARKER_LABEL: &[u8] = b"archive record";

/// Begins every record of one container, and nothing else. A secret, so that no content can imitate
/// it.
#[derive(Clone)]
pub(crate) struct Marker(Zeroizing<[u8; 16]>);

impl Marker {
    /// The marker, from what the container exports for [`MARKER_LABEL`].
    pub(crate) fn new(exported: &[u8; 32]) -> Marker {
        let mut marker = Zeroizing::new([0; 16]);
        marker.copy_from_slice(&exported[..16]);
        Marker(marker)
    }

    pub(crate) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What a record is.
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

    /// Whether the record is an entry's.
    pub(crate) fn is_entry(self) -> bool {
        (1..=4).contains(&self.0)
    }

    /// Whether a reader that does not know the kind passes over it.
    pub(crate) fn may_be_skipped(self) -> bool {
        self.0 >= 128
    }

    /// Whether this release knows it.
    pub(crate) fn is_known(self) -> bool {
        self.is_entry() || (16..=20).contains(&self.0) || self == RecordKind::PADDING
    }
}

/// The first 32 bytes of a record, without the marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: RecordKind,
    pub(crate) encoding: u8,
    pub(crate) path_len: u16,
    pub(crate) attr_len: u32,
    pub(crate) content_len: u64,
}

impl Head {
    /// Of a record that is no entry's.
    pub(crate) fn plain(kind: RecordKind, content_len: u64) -> Head {
        Head { kind, encoding: 0, path_len: 0, attr_len: 0, content_len }
    }

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

    /// Reads a head; `None` if the marker is not there.
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

    /// Bytes before the content.
    pub(crate) fn content_start(&self) -> u64 {
        HEAD_LEN as u64 + u64::from(self.path_len) + u64::from(self.attr_len)
    }

    /// Bytes in the whole record; `None` if there cannot be so many.
    pub(crate) fn len(&self) -> Option<u64> {
        self.content_start().checked_add(self.content_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn byte_map() {
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
}
