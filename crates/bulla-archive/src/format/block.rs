//! A block of the index.

use crate::format::entry::{ENTRY_LEN, Entry};
use crate::format::trailer::{Fence, Trailer};

/// A block of the index.
pub(crate) struct Block {
    pub(crate) entries: Vec<Entry>,
}

impl Block {
    /// Reads the content of a block. An error says which rule does not hold.
    pub(crate) fn parse(
        mut bytes: &[u8],
        fence: &Fence,
        next: Option<&[u8]>,
        trailer: &Trailer,
    ) -> Result<Block, &'static str> {
        let mut entries: Vec<Entry> = Vec::with_capacity(bytes.len() / (2 * ENTRY_LEN));
        while !bytes.is_empty() {
            let entry = Entry::decode(&mut bytes)?;
            if entries.last().is_some_and(|last| last.path() >= entry.path()) {
                return Err("the paths of a block do not ascend");
            }
            if entry.is_here() && entry.offset + entry.len > trailer.notes_offset {
                return Err("a content reaches behind the contents");
            }
            if u64::from(entry.container) > trailer.rows {
                return Err("an entry lies in a container that has no row");
            }
            entries.push(entry);
        }
        if entries.first().is_none_or(|first| first.path() != &*fence.first) {
            return Err("a block begins with another path than the fence says");
        }
        if entries.last().is_some_and(|last| next.is_some_and(|next| last.path() >= next)) {
            return Err("a block reaches behind the next one");
        }
        Ok(Block { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of one entry, of an archive with contents up to 100 and with one row.
    fn parse(entry: &Entry) -> Result<Block, &'static str> {
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        let fence =
            Fence { offset: 0, content_len: bytes.len() as u32, first: entry.path().into() };
        let trailer = Trailer { notes_offset: 100, rows: 1, ..Trailer::default() };
        Block::parse(&bytes, &fence, None, &trailer)
    }

    /// a content of this container lies before the notes; of another one that is not known.
    #[test]
    fn where_contents_lie() {
        let entry = |container, len| Entry::file_at(b"a", container, 60, len);
        assert!(parse(&entry(0, 40)).is_ok());
        assert_eq!(parse(&entry(0, 41)).err(), Some("a content reaches behind the contents"));
        assert!(parse(&entry(1, 41)).is_ok());
        assert_eq!(
            parse(&entry(2, 40)).err(),
            Some("an entry lies in a container that has no row")
        );
    }
}
