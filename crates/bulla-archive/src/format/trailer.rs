//! The fence and the trailer, which locate the index.

use crate::format::record::HEAD_LEN;

/// Bytes in the trailer record, which is at the end of the plaintext.
pub(crate) const TRAILER_LEN: u64 = 128;
/// Bytes in the content of the trailer record.
const TRAILER_CONTENT: usize = TRAILER_LEN as usize - HEAD_LEN;
/// Bytes in a fence before its path.
pub(crate) const FENCE_LEN: usize = 16;

/// The offsets and totals in the trailer record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Trailer {
    pub(crate) notes_offset: u64,
    pub(crate) index_offset: u64,
    pub(crate) fence_offset: u64,
    pub(crate) entries: u64,
    pub(crate) blocks: u64,
    /// Rows of the containers record.
    pub(crate) rows: u64,
    /// Total bytes in the contents of all entries.
    pub(crate) content_len: u64,
}

impl Trailer {
    /// Encodes the content of the trailer record.
    pub(crate) fn to_bytes(self) -> [u8; TRAILER_CONTENT] {
        let mut bytes = [0; TRAILER_CONTENT];
        let fields = [
            self.notes_offset,
            self.index_offset,
            self.fence_offset,
            self.entries,
            self.blocks,
            self.rows,
            self.content_len,
        ];
        for (bytes, field) in bytes.chunks_exact_mut(8).zip(fields) {
            bytes.copy_from_slice(&field.to_be_bytes());
        }
        bytes
    }

    /// Decodes the content of the trailer record. The offsets still have to be checked.
    pub(crate) fn from_bytes(bytes: &[u8; TRAILER_CONTENT]) -> Trailer {
        let mut fields = [0; TRAILER_CONTENT / 8];
        for (field, bytes) in fields.iter_mut().zip(bytes.chunks_exact(8)) {
            *field = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        }
        let [notes_offset, index_offset, fence_offset, entries, blocks, rows, content_len, ..] =
            fields;
        Trailer { notes_offset, index_offset, fence_offset, entries, blocks, rows, content_len }
    }
}

/// The location of one index block, and the path of its first entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    /// Offset of the block's record.
    pub(crate) offset: u64,
    pub(crate) content_len: u32,
    pub(crate) first_path: Box<[u8]>,
}

impl Fence {
    /// Appends the encoded fence to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.offset.to_be_bytes());
        out.extend(self.content_len.to_be_bytes());
        out.extend((self.first_path.len() as u16).to_be_bytes());
        out.extend([0; 2]);
        out.extend(&self.first_path);
    }

    /// Decodes a fence from the start of `bytes` and advances past it, or returns `None` if it is
    /// truncated.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Fence> {
        let (head, rest) = bytes.split_first_chunk::<FENCE_LEN>()?;
        let (offset, len) = head.split_first_chunk::<8>()?;
        let (first_path, rest) =
            rest.split_at_checked(u16::from_be_bytes([len[4], len[5]]).into())?;
        *bytes = rest;
        Some(Fence {
            offset: u64::from_be_bytes(*offset),
            content_len: u32::from_be_bytes([len[0], len[1], len[2], len[3]]),
            first_path: first_path.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn trailer_byte_map() {
        let trailer = Trailer {
            notes_offset: 1,
            index_offset: 2,
            fence_offset: 3,
            entries: 4,
            blocks: 5,
            rows: 6,
            content_len: 0x0708,
        };
        let bytes = trailer.to_bytes();
        assert_eq!(
            (bytes[7], bytes[15], bytes[23], bytes[31], bytes[39], bytes[47]),
            (1, 2, 3, 4, 5, 6)
        );
        assert_eq!(bytes[54..56], [7, 8]);
        assert_eq!(bytes[56..], [0; 40]);
        assert_eq!(Trailer::from_bytes(&bytes), trailer);
    }

    ///
    #[test]
    fn fence_byte_map() {
        let fence = Fence { offset: 0x0102, content_len: 0x0304, first_path: b"ab"[..].into() };
        let mut bytes = Vec::new();
        fence.encode(&mut bytes);
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 2, 0, 0, b'a', b'b']);
        assert_eq!(Fence::decode(&mut &bytes[..]), Some(fence));
        assert_eq!(Fence::decode(&mut &bytes[..17]), None);
    }
}
