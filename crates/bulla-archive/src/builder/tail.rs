//! What stands behind the contents: padding, notes, index, fence, trailer (A-1.1, 4, 5, 8).

use std::io::{self, Write};

use crate::format::entry::{ENTRY_LEN, Entry};
use crate::format::notes::{self, State};
use crate::format::record::{HEAD_LEN, Head, Marker, RecordKind};
use crate::format::trailer::{Fence, Trailer};

/// Bytes of content in an index block, unless a single entry has more.
pub(crate) const BLOCK_LEN: usize = 1 << 16;

/// A writer that knows where in the plaintext it stands.
pub(crate) struct Counted<W> {
    writer: W,
    at: u64,
}

impl<W: Write> Counted<W> {
    pub(crate) fn new(writer: W, at: u64) -> Counted<W> {
        Counted { writer, at }
    }

    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.writer.write_all(bytes)
    }

    fn record(&mut self, marker: &Marker, kind: RecordKind, content: &[u8]) -> io::Result<()> {
        self.put(&Head::plain(kind, content.len() as u64).to_bytes(marker))?;
        self.put(content)
    }
}

/// Writes notes, index, fence and trailer. Entries come in the order of their paths.
pub(crate) fn write<'n, W: Write>(
    out: &mut Counted<W>,
    marker: &Marker,
    notes: impl Iterator<Item = (&'n [u8], State, u64)> + Clone,
    entries: impl Iterator<Item = Result<Entry, &'static str>>,
) -> io::Result<()> {
    let notes_offset = out.at();
    let notes_len = notes::encoded_len(notes.clone().map(|(path, ..)| path));
    out.put(&Head::plain(RecordKind::NOTES, notes_len).to_bytes(marker))?;
    let mut bytes = Vec::new();
    for (path, state, found) in notes {
        bytes.clear();
        notes::encode(path, state, found, &mut bytes);
        out.put(&bytes)?;
    }

    let index_offset = out.at();
    let (mut fences, mut block, mut first) = (Vec::new(), Vec::new(), None);
    let (mut count, mut content_len) = (0, 0);
    for entry in entries {
        let entry = entry.map_err(io::Error::other)?;
        let len = ENTRY_LEN + entry.path().len() + entry.attributes().len();
        if block.len() + len > BLOCK_LEN {
            end_block(out, marker, &mut block, &mut first, &mut fences)?;
        }
        first.get_or_insert_with(|| entry.path().into());
        entry.encode(&mut block);
        count += 1;
        content_len += entry.len();
    }
    end_block(out, marker, &mut block, &mut first, &mut fences)?;

    let fence_offset = out.at();
    let mut bytes = Vec::new();
    fences.iter().for_each(|fence| fence.encode(&mut bytes));
    out.record(marker, RecordKind::FENCE, &bytes)?;
    let trailer = Trailer {
        notes_offset,
        index_offset,
        fence_offset,
        entries: count,
        blocks: fences.len() as u64,
        rows: 0,
        content_len,
    };
    out.record(marker, RecordKind::TRAILER, &trailer.to_bytes())
}

fn end_block<W: Write>(
    out: &mut Counted<W>,
    marker: &Marker,
    block: &mut Vec<u8>,
    first: &mut Option<Box<[u8]>>,
    fences: &mut Vec<Fence>,
) -> io::Result<()> {
    if let Some(first) = first.take() {
        fences.push(Fence { offset: out.at(), content_len: block.len() as u32, first });
        out.record(marker, RecordKind::BLOCK, block)?;
        block.clear();
    }
    Ok(())
}

/// Bytes of padding record that bring a plaintext of `len` bytes to a Padmé length.
pub(crate) fn padding_len(len: u64) -> u64 {
    let missing = padme(len) - len;
    match missing {
        0 => 0,
        1..HEAD_LEN_U64 => padme(len + HEAD_LEN_U64) - len,
        _ => missing,
    }
}

const HEAD_LEN_U64: u64 = HEAD_LEN as u64;

/// Writes the padding record at offset `at` that a plaintext which would end at `end` needs.
pub(crate) fn write_padding(
    out: &mut dyn Write,
    marker: &Marker,
    at: u64,
    end: u64,
) -> io::Result<()> {
    debug_assert!(at <= end);
    let len = padding_len(end);
    if len == 0 {
        return Ok(());
    }
    let mut left = len - HEAD_LEN_U64;
    out.write_all(&Head::plain(RecordKind::PADDING, left).to_bytes(marker))?;
    let zeros = [0; 4096];
    while left > 0 {
        let now = left.min(zeros.len() as u64);
        out.write_all(&zeros[..now as usize])?;
        left -= now;
    }
    Ok(())
}

/// The next Padmé length: at most an eighth more, and less for large ones, such that few lengths
/// are told apart (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
/// Communication with PURBs", 2019).
fn padme(len: u64) -> u64 {
    if len < 2 {
        return len;
    }
    let e = len.ilog2();
    let s = e.checked_ilog2().map_or(0, |log| log + 1);
    let mask = (1u64 << (e.saturating_sub(s))) - 1;
    len.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn padme_lengths() {
        for (len, padded) in
            [(0, 0), (1, 1), (2, 2), (9, 10), (100, 104), (1000, 1024), (1_000_000, 1_015_808)]
        {
            assert_eq!(padme(len), padded, "{len}");
            assert_eq!(padme(padded), padded);
        }
        for len in 128..100_000 {
            let padding = padding_len(len);
            assert!(padding == 0 || padding >= 32, "{len}");
            assert_eq!(padme(len + padding), len + padding, "{len}");
        }
    }
}
