//! A run of consecutive chunks in one buffer, as they lie in the container.

use crate::format::chunk::{ChunkOpener, ChunkSealer, Tickets};
use crate::format::geometry::{ChunkSize, TAG_LEN};

/// Seals `plain_len` bytes of plaintext, one chunk for each ticket, and returns the number of bytes
/// sealed.
///
/// Chunk k of the run begins at `buffer[k * (C + 16)]`, with room for its tag behind it.
pub(crate) fn seal_run(
    cipher: &ChunkSealer,
    tickets: Tickets,
    chunk: ChunkSize,
    plain_len: usize,
    buffer: &mut [u8],
) -> usize {
    let mut left = plain_len;
    let mut end = 0;
    for ticket in tickets {
        let plain = left.min(chunk.bytes());
        let start = end;
        end += plain + TAG_LEN;
        cipher.seal(ticket, &mut buffer[start..end]);
        left -= plain;
    }
    end
}

/// What [`open_run`] came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenedRun {
    /// Bytes of verified plaintext at the start of the buffer.
    pub(crate) plain_len: usize,
    /// The first chunk that was rejected; nothing behind it was touched.
    pub(crate) rejected: Option<u64>,
}

/// Opens the chunks in `buffer`, from number `first` on. The plaintext is contiguous afterwards, at
/// the buffer's start.
pub(crate) fn open_run(
    cipher: &ChunkOpener,
    first: u64,
    chunk: ChunkSize,
    buffer: &mut [u8],
) -> OpenedRun {
    let (mut read, mut plain_len) = (0, 0);
    for index in first.. {
        let end = buffer.len().min(read + chunk.sealed());
        let Some(tag_at) = end.checked_sub(TAG_LEN).filter(|at| *at >= read) else {
            break;
        };
        let (ciphertext, tag) = buffer[..end].split_at_mut(tag_at);
        let tag = std::array::from_fn(|i| tag[i]);
        if cipher.open(index, tag, &mut ciphertext[plain_len..], read - plain_len).is_err() {
            return OpenedRun { plain_len, rejected: Some(index) };
        }
        plain_len += tag_at - read;
        read = end;
    }
    OpenedRun { plain_len, rejected: None }
}
