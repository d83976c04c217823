//! The chunks of a damaged container that can still be authenticated.

use std::cell::RefCell;
use std::ops::Range;

use bulla::{ReadAt, SalvageReader};
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::format::record::Marker;
use crate::index_reader::Plaintext;

/// The plaintext of a damaged container, without the chunks that are lost.
pub(crate) struct Chunks<S: ReadAt> {
    reader: SalvageReader<S>,
    /// Bytes of plaintext in a chunk.
    chunk_size: u64,
    /// The plaintext length in bytes, or an upper bound if the last chunk is lost.
    len: u64,
    has_last: bool,
    /// Index and plaintext of the chunk that was read last, kept because small entries share a
    /// chunk. The plaintext is `None` if the chunk is lost.
    cached: RefCell<(u64, Option<Zeroizing<Vec<u8>>>)>,
}

impl<S: ReadAt> Chunks<S> {
    pub(crate) fn new(reader: SalvageReader<S>) -> Chunks<S> {
        let chunk_size = reader.chunk_size().bytes() as u64;
        let len = reader.plaintext_len();
        Chunks {
            chunk_size,
            len: len.unwrap_or(reader.max_chunks() * chunk_size),
            has_last: len.is_some(),
            cached: RefCell::new((u64::MAX, None)),
            reader,
        }
    }

    /// Returns whether the last chunk is intact, in which case the plaintext length is known.
    pub(crate) fn has_last(&self) -> bool {
        self.has_last
    }

    /// Returns the offset of the end of the chunk that contains offset `at`.
    pub(crate) fn chunk_end(&self, at: u64) -> u64 {
        (at / self.chunk_size + 1) * self.chunk_size
    }

    /// Returns the part of `range` that is in the first chunk it touches, or `None` if that chunk
    /// is lost.
    pub(crate) fn piece(&self, range: Range<u64>) -> Option<Zeroizing<Vec<u8>>> {
        let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        self.with_chunk(range.start, |bytes| Zeroizing::new(bytes[..bytes.len().min(len)].to_vec()))
    }

    /// Returns the offset of the first marker at or after `from`. Lost chunks are skipped.
    pub(crate) fn find(&self, marker: &Marker, from: u64) -> Option<u64> {
        let marker = marker.bytes();
        // `unmatched` is the end of the previous chunk, where a marker may start.
        let (mut unmatched, mut at) = (Vec::new(), from);
        while at < self.len {
            let end = self.chunk_end(at);
            let found = self.with_chunk(at, |bytes| {
                let start = at - unmatched.len() as u64;
                unmatched.extend_from_slice(bytes);
                let found = unmatched.windows(marker.len()).position(|window| window == marker);
                unmatched.drain(..unmatched.len().saturating_sub(marker.len() - 1));
                found.map(|found| start + found as u64)
            });
            match found {
                Some(Some(found)) => return Some(found),
                Some(None) => {}
                None => unmatched.clear(),
            }
            at = end;
        }
        None
    }

    /// Calls `work` with the bytes from offset `at` to the end of its chunk. Returns `None` if the
    /// chunk is lost or ends before `at`.
    fn with_chunk<T>(&self, at: u64, work: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let index = at / self.chunk_size;
        let mut cached = self.cached.borrow_mut();
        if cached.0 != index {
            *cached = (index, self.reader.chunk(index));
        }
        let bytes = cached.1.as_ref()?.get((at % self.chunk_size) as usize..)?;
        (!bytes.is_empty()).then(|| work(bytes))
    }
}

impl<S: ReadAt> Plaintext for Chunks<S> {
    fn len(&self) -> u64 {
        self.len
    }

    fn range(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.len {
            return Err(bulla::Error::OutOfRange { len: self.len }.into());
        }
        let mut bytes = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let piece = self.piece(at..range.end);
            let piece = piece.ok_or(bulla::Error::ChunkRejected { index: at / self.chunk_size })?;
            bytes.extend_from_slice(&piece);
            at += piece.len() as u64;
        }
        Ok(bytes.into())
    }
}
