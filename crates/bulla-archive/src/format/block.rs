//! Index blocks.

use crate::format::entry::{ENTRY_LEN, Entry};
use crate::format::trailer::{Fence, Trailer};

/// Decodes the content of an index block into its entries, and checks them against the block's
/// fence, the first path in the next block, and the trailer (A-6.1, step 4). The error is the rule
/// that is violated.
pub(crate) fn decode(
    mut bytes: &[u8],
    fence: &Fence,
    next_path: Option<&[u8]>,
    trailer: &Trailer,
) -> Result<Vec<Entry>, &'static str> {
    let mut entries: Vec<Entry> = Vec::with_capacity(bytes.len() / (2 * ENTRY_LEN));
    while !bytes.is_empty() {
        let entry = Entry::decode(&mut bytes)?;
        if entries.last().is_some_and(|last| last.path() >= entry.path()) {
            return Err("the paths in a block are not in ascending order");
        }
        if entry.is_internal() && entry.offset + entry.len > trailer.notes_offset {
            return Err("the content of an entry extends past the start of the notes");
        }
        if u64::from(entry.container) > trailer.rows {
            return Err("an entry refers to a row that does not exist");
        }
        entries.push(entry);
    }
    if entries.first().is_none_or(|first| first.path() != &*fence.first_path) {
        return Err("the first path in a block differs from the fence");
    }
    if entries.last().is_some_and(|last| next_path.is_some_and(|next| last.path() >= next)) {
        return Err("the last path in a block does not sort before the first path in the next one");
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a block with one entry, from an archive that has one row and whose notes start at
    /// 100.
    fn decode_one(entry: &Entry) -> Result<Vec<Entry>, &'static str> {
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        let fence =
            Fence { offset: 0, content_len: bytes.len() as u32, first_path: entry.path().into() };
        let trailer = Trailer { notes_offset: 100, rows: 1, ..Trailer::default() };
        decode(&bytes, &fence, None, &trailer)
    }

    /// content in this container ends before the notes. The length of another container is
    /// unknown.
    #[test]
    fn rejects_contents_past_the_notes_and_unknown_rows() {
        let entry = |container, len| Entry::file_at(b"a", container, 60, len);
        assert!(decode_one(&entry(0, 40)).is_ok());
        assert_eq!(
            decode_one(&entry(0, 41)),
            Err("the content of an entry extends past the start of the notes")
        );
        assert!(decode_one(&entry(1, 41)).is_ok());
        assert_eq!(decode_one(&entry(2, 40)), Err("an entry refers to a row that does not exist"));
    }
}
