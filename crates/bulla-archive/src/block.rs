//! A block of the index.

use crate::entry::{ENTRY_LEN, Entry};
use crate::trailer::{Fence, Trailer};

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
            if entries.last().is_some_and(|last| last.name() >= entry.name()) {
                return Err("the names of a block do not ascend");
            }
            if entry.is_here() && entry.offset + entry.len > trailer.notes_offset {
                return Err("a content reaches behind the contents");
            }
            if u64::from(entry.container) > trailer.rows {
                return Err("an entry lies in a container that has no row");
            }
            entries.push(entry);
        }
        if entries.first().is_none_or(|first| first.name() != &*fence.first) {
            return Err("a block begins with another name than the fence says");
        }
        if entries.last().is_some_and(|last| next.is_some_and(|next| last.name() >= next)) {
            return Err("a block reaches behind the next one");
        }
        Ok(Block { entries })
    }
}
