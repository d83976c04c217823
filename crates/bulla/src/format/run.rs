//! Seals and opens runs of consecutive chunks in a buffer that is laid out like the container.

use crate::crypto::backend::TAG_LEN;
use crate::format::chunk::{ChunkOpener, ChunkSealer, Tickets};
use crate::format::geometry::ChunkSize;

/// Seals `plain_len` bytes of plaintext, one chunk per ticket, and returns the total length of the
/// sealed chunks.
///
/// Chunk k of the run begins at `buffer[k * (C + 16)]` where C is the chunk size, and is followed
/// by space for its tag.
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

/// The result of [`open_run`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenedRun {
    /// Bytes of verified plaintext at the start of the buffer.
    pub(crate) plain_len: usize,
    /// The number of the first rejected chunk. Later chunks were not opened.
    pub(crate) rejected: Option<u64>,
}

/// Opens the chunks in `buffer`, which are numbered from `first`, and moves their plaintext to the
/// start of the buffer.
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
