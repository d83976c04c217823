//! The way into an archive from its end: trailer and fence.

use crate::format::record::HEAD_LEN;

/// Bytes in the trailer's record: the last ones of the plaintext.
pub(crate) const TRAILER_LEN: u64 = 128;
/// Bytes in the trailer's content.
pub(crate) const TRAILER_CONTENT: usize = TRAILER_LEN as usize - HEAD_LEN;
/// Bytes in a fence before its path.
pub(crate) const FENCE_LEN: usize = 16;

/// Where everything behind the contents lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Trailer {
    pub(crate) notes_offset: u64,
    pub(crate) index_offset: u64,
    pub(crate) fence_offset: u64,
    pub(crate) entries: u64,
    pub(crate) blocks: u64,
    pub(crate) rows: u64,
    pub(crate) content_len: u64,
}

impl Trailer {
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
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; TRAILER_CONTENT]) -> Trailer {
        let mut fields = [0; TRAILER_CONTENT / 8];
        for (field, place) in fields.iter_mut().zip(bytes.chunks_exact(8)) {
            *field = place.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        }
        let [notes_offset, index_offset, fence_offset, entries, blocks, rows, content_len, ..] =
            fields;
        Trailer { notes_offset, index_offset, fence_offset, entries, blocks, rows, content_len }
    }
}

/// Where one block of the index lies, and the path that it begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    /// Of the block's record.
    pub(crate) offset: u64,
    pub(crate) content_len: u32,
    pub(crate) first: Box<[u8]>,
}

impl Fence {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.offset.to_be_bytes());
        out.extend(self.content_len.to_be_bytes());
        out.extend((self.first.len() as u16).to_be_bytes());
        out.extend([0; 2]);
        out.extend(&self.first);
    }

    /// Takes a fence off `bytes`; `None` if it is cut.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Fence> {
        let (head, rest) = bytes.split_first_chunk::<FENCE_LEN>()?;
        let (offset, len) = head.split_first_chunk::<8>()?;
        let (first, rest) = rest.split_at_checked(u16::from_be_bytes([len[4], len[5]]).into())?;
        *bytes = rest;
        Some(Fence {
            offset: u64::from_be_bytes(*offset),
            content_len: u32::from_be_bytes([len[0], len[1], len[2], len[3]]),
            first: first.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn trailer() {
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
    fn fence() {
        let fence = Fence { offset: 0x0102, content_len: 0x0304, first: b"ab"[..].into() };
        let mut bytes = Vec::new();
        fence.encode(&mut bytes);
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 2, 0, 0, b'a', b'b']);
        assert_eq!(Fence::decode(&mut &bytes[..]), Some(fence));
        assert_eq!(Fence::decode(&mut &bytes[..17]), None);
    }
}
