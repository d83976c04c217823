//! The entries of an archive that is being planned, and the offsets of their records.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::format::attributes::{self, MAX_ATTR_LEN, Metadata};
use crate::format::entry::{Entry, Kind};
use crate::format::notes::State;
use crate::format::path::{self, PathChecker};
use crate::format::record::{HEAD_LEN, Head};

/// Planned entries, in the order of their records.
#[derive(Debug)]
pub(crate) struct PlannedEntries<S> {
    entries: Vec<PlannedEntry<S>>,
    /// The path and encoded attributes of each entry, concatenated.
    paths_and_attributes: Vec<u8>,
    /// Offset of the end of the last record.
    end: u64,
    /// For each copied entry that was not complete in the original archive, by number: its state,
    /// and the length of its content.
    copied_states: BTreeMap<u32, (State, u64)>,
}

/// A planned entry.
#[derive(Debug)]
pub(crate) struct PlannedEntry<S> {
    /// Offset of the record in the plaintext.
    pub(crate) start: u64,
    /// Position of the path and attributes in [`PlannedEntries::paths_and_attributes`].
    at: usize,
    pub(crate) len: u64,
    attr_len: u32,
    pub(crate) path_len: u16,
    pub(crate) kind: Kind,
    /// Source of a file's content.
    pub(crate) source: Option<S>,
}

impl<S> Default for PlannedEntries<S> {
    fn default() -> PlannedEntries<S> {
        PlannedEntries {
            entries: Vec::new(),
            paths_and_attributes: Vec::new(),
            end: 0,
            copied_states: BTreeMap::new(),
        }
    }
}

impl<S> PlannedEntries<S> {
    /// Adds an entry.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        path: &[u8],
        metadata: &Metadata,
        target: Option<&[u8]>,
        len: u64,
        source: Option<S>,
    ) -> Result<()> {
        self.push(kind, path, len, source, |out| attributes::encode(metadata, target, out))
    }

    /// Adds an entry from another archive, with the same attributes and state.
    pub(crate) fn copy_entry(&mut self, entry: &Entry, source: S) -> Result<()> {
        let source = Some(source).filter(|_| entry.kind() == Kind::File);
        self.push(entry.kind(), entry.path(), entry.len(), source, |out| {
            out.extend(entry.attributes())
        })?;
        if !entry.state().is_whole() {
            let number = self.entries.len() - 1;
            self.copied_states.insert(number as u32, (entry.state(), entry.len()));
        }
        Ok(())
    }

    fn push(
        &mut self,
        kind: Kind,
        path: &[u8],
        len: u64,
        source: Option<S>,
        encode_attributes: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        path::check(path)?;
        if self.entries.len() as u64 == u64::from(u32::MAX) {
            return Err(Error::TooLarge { what: "more than 2^32 - 1 entries" });
        }
        let at = self.paths_and_attributes.len();
        self.paths_and_attributes.extend(path);
        encode_attributes(&mut self.paths_and_attributes);
        let attr_len = self.paths_and_attributes.len() - at - path.len();
        debug_assert!(
            attr_len <= MAX_ATTR_LEN,
            "mtime, mode and target are short, and copied attributes were checked when read"
        );
        let entry = PlannedEntry {
            start: self.end,
            at,
            len,
            attr_len: attr_len as u32,
            // `path::check` allows at most 4096 bytes.
            path_len: path.len() as u16,
            kind,
            source,
        };
        let end = entry.head().len().and_then(|len| self.end.checked_add(len));
        match end.filter(|end| *end < 1 << 48) {
            Some(end) => self.end = end,
            None => {
                self.paths_and_attributes.truncate(at);
                return Err(Error::TooLarge { what: "more bytes than a container can hold" });
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Returns the entries in the order of their records.
    pub(crate) fn as_slice(&self) -> &[PlannedEntry<S>] {
        &self.entries
    }

    /// Returns the offset of the end of the last record.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Takes the state and content length of each incomplete copied entry, by number.
    pub(crate) fn take_copied_states(&mut self) -> BTreeMap<u32, (State, u64)> {
        std::mem::take(&mut self.copied_states)
    }

    /// Checks the paths against, and returns the entry numbers in ascending path order.
    pub(crate) fn sorted_by_path(&self) -> Result<Vec<u32>> {
        let mut numbers: Vec<u32> = (0..self.entries.len() as u32).collect();
        numbers.sort_unstable_by_key(|number| self.path(&self.entries[*number as usize]));
        let mut checker = PathChecker::default();
        for number in &numbers {
            let entry = &self.entries[*number as usize];
            checker.add(self.path(entry), entry.kind == Kind::Directory)?;
        }
        Ok(numbers)
    }

    /// Returns the path of an entry.
    pub(crate) fn path(&self, entry: &PlannedEntry<S>) -> &[u8] {
        &self.paths_and_attributes[entry.at..entry.at + usize::from(entry.path_len)]
    }

    /// Returns the path of an entry followed by its encoded attributes, as in its record.
    pub(crate) fn path_and_attributes(&self, entry: &PlannedEntry<S>) -> &[u8] {
        let len = entry.head().content_start() as usize - HEAD_LEN;
        &self.paths_and_attributes[entry.at..entry.at + len]
    }
}

impl<S> PlannedEntry<S> {
    /// Returns the head of the entry's record.
    pub(crate) fn head(&self) -> Head {
        Head {
            kind: self.kind.record(),
            encoding: 0,
            path_len: self.path_len,
            attr_len: self.attr_len,
            content_len: self.len,
        }
    }
}
