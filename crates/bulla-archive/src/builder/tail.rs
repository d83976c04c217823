//! Writes the sections after the contents: the padding, the notes, the index, the fence and the
//! trailer.

use std::io::{self, Write};
use std::mem;

use crate::format::entry::{ENTRY_LEN, Entry};
use crate::format::notes::{self, State};
use crate::format::record::{HEAD_LEN, Head, Marker, RecordKind};
use crate::format::trailer::{Fence, Trailer};

/// Maximum bytes of content in an index block with more than one entry.
const MAX_BLOCK_LEN: usize = 1 << 16;

/// Writes the sections after the contents, and tracks the offset in the plaintext.
pub(crate) struct TailWriter<'m, W> {
    writer: W,
    marker: &'m Marker,
    offset: u64,
}

impl<'m, W: Write> TailWriter<'m, W> {
    /// Creates a writer for a tail that starts at this offset in the plaintext.
    pub(crate) fn new(writer: W, marker: &'m Marker, offset: u64) -> TailWriter<'m, W> {
        TailWriter { writer, marker, offset }
    }

    /// Returns the offset in the plaintext after everything written so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes a padding record of `len` bytes, including its head. Writes nothing if `len` is 0.
    pub(crate) fn write_padding(&mut self, len: u64) -> io::Result<()> {
        let Some(mut remaining) = len.checked_sub(HEAD_LEN as u64) else { return Ok(()) };
        self.write_head(RecordKind::PADDING, remaining)?;
        let zeros = [0; 4096];
        while remaining > 0 {
            let step = remaining.min(zeros.len() as u64);
            self.write(&zeros[..step as usize])?;
            remaining -= step;
        }
        Ok(())
    }

    /// Writes the notes, the index, the fence and the trailer. `entries` must be in ascending path
    /// order.
    pub(crate) fn write_index<'n>(
        &mut self,
        notes: impl Iterator<Item = (&'n [u8], State, u64)> + Clone,
        entries: impl Iterator<Item = Result<Entry, &'static str>>,
    ) -> io::Result<()> {
        let notes_offset = self.offset;
        let notes_len = notes::encoded_len(notes.clone().map(|(path, ..)| path));
        self.write_head(RecordKind::NOTES, notes_len)?;
        let mut bytes = Vec::new();
        for (path, state, found) in notes {
            bytes.clear();
            notes::encode(path, state, found, &mut bytes);
            self.write(&bytes)?;
        }

        let index_offset = self.offset;
        let (mut fences, mut block) = (Vec::new(), Block::default());
        let (mut count, mut content_len) = (0, 0);
        for entry in entries {
            let entry = entry.map_err(io::Error::other)?;
            let len = ENTRY_LEN + entry.path().len() + entry.attributes().len();
            if block.bytes.len() + len > MAX_BLOCK_LEN {
                self.write_block(&mut block, &mut fences)?;
            }
            block.first_path.get_or_insert_with(|| entry.path().into());
            entry.encode(&mut block.bytes);
            count += 1;
            content_len += entry.len();
        }
        self.write_block(&mut block, &mut fences)?;

        let fence_offset = self.offset;
        let mut bytes = Vec::new();
        fences.iter().for_each(|fence| fence.encode(&mut bytes));
        self.write_record(RecordKind::FENCE, &bytes)?;
        let trailer = Trailer {
            notes_offset,
            index_offset,
            fence_offset,
            entries: count,
            blocks: fences.len() as u64,
            rows: 0,
            content_len,
        };
        self.write_record(RecordKind::TRAILER, &trailer.to_bytes())
    }

    /// Writes `block`, if it has entries, and empties it.
    fn write_block(&mut self, block: &mut Block, fences: &mut Vec<Fence>) -> io::Result<()> {
        if let Some(first_path) = mem::take(&mut block.first_path) {
            let content_len = block.bytes.len() as u32;
            fences.push(Fence { offset: self.offset, content_len, first_path });
            self.write_record(RecordKind::BLOCK, &block.bytes)?;
            block.bytes.clear();
        }
        Ok(())
    }

    fn write_record(&mut self, kind: RecordKind, content: &[u8]) -> io::Result<()> {
        self.write_head(kind, content.len() as u64)?;
        self.write(content)
    }

    fn write_head(&mut self, kind: RecordKind, content_len: u64) -> io::Result<()> {
        self.write(&Head::plain(kind, content_len).to_bytes(self.marker))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.offset += bytes.len() as u64;
        self.writer.write_all(bytes)
    }
}

/// The index block that is being filled.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// Path of the first entry, if the block has entries.
    first_path: Option<Box<[u8]>>,
}
