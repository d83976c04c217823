//! The plan of an archive: which entries, where their records lie.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::format::attributes::{self, MAX_ATTR_LEN, Metadata};
use crate::format::entry::{Entry, Kind};
use crate::format::notes::State;
use crate::format::path::{self, Ascending};
use crate::format::record::{HEAD_LEN, Head};

/// Entries in the order of their records.
#[derive(Debug)]
pub(crate) struct Planning<S> {
    pub(crate) planned: Vec<Planned<S>>,
    /// The path and attributes of each entry, as its record has them.
    named: Vec<u8>,
    /// Where the next record begins.
    pub(crate) end: u64,
    /// Of entries that another archive has noted as not whole, by their number: the state, and the
    /// bytes there are.
    pub(crate) carried: BTreeMap<u32, (State, u64)>,
    pub(crate) skipped: Vec<Vec<u8>>,
    pub(crate) padded: bool,
}

/// An entry to be.
#[derive(Debug)]
pub(crate) struct Planned<S> {
    /// Offset of the record.
    pub(crate) start: u64,
    /// Where path and attributes begin in `named`.
    at: usize,
    pub(crate) len: u64,
    attr_len: u32,
    pub(crate) path_len: u16,
    pub(crate) kind: Kind,
    pub(crate) source: Option<S>,
}

impl<S> Default for Planning<S> {
    fn default() -> Planning<S> {
        let (planned, named, skipped) = (Vec::new(), Vec::new(), Vec::new());
        Planning { planned, named, end: 0, carried: BTreeMap::new(), skipped, padded: false }
    }
}

impl<S> Planning<S> {
    /// Plans one more entry.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        path: &[u8],
        metadata: &Metadata,
        target: Option<&[u8]>,
        len: u64,
        source: Option<S>,
    ) -> Result<()> {
        self.put(kind, path, len, source, |named| attributes::encode(metadata, target, named))
    }

    /// Plans an entry as another archive has it.
    pub(crate) fn copy_entry(&mut self, entry: &Entry, source: S) -> Result<()> {
        let source = Some(source).filter(|_| entry.kind() == Kind::File);
        self.put(entry.kind(), entry.path(), entry.len(), source, |named| {
            named.extend(entry.attributes())
        })?;
        if !entry.state().is_whole() {
            let number = self.planned.len() - 1;
            self.carried.insert(number as u32, (entry.state(), entry.len()));
        }
        Ok(())
    }

    fn put(
        &mut self,
        kind: Kind,
        path: &[u8],
        len: u64,
        source: Option<S>,
        attributes: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        path::check(path)?;
        if self.planned.len() as u64 == u64::from(u32::MAX) {
            return Err(Error::TooLarge { what: "more than 2^32 - 1 entries" });
        }
        let at = self.named.len();
        self.named.extend(path);
        attributes(&mut self.named);
        let attr_len = self.named.len() - at - path.len();
        debug_assert!(
            attr_len <= MAX_ATTR_LEN,
            "of a time, a mode and a target, or checked when they were read"
        );
        let planned = Planned {
            start: self.end,
            at,
            len,
            attr_len: attr_len as u32,
            // Checked above: at most 4096.
            path_len: path.len() as u16,
            kind,
            source,
        };
        let end = planned.head().len().and_then(|len| self.end.checked_add(len));
        match end.filter(|end| *end < 1 << 48) {
            Some(end) => self.end = end,
            None => {
                self.named.truncate(at);
                return Err(Error::TooLarge { what: "more bytes than a container holds" });
            }
        }
        self.planned.push(planned);
        Ok(())
    }

    /// The entries' numbers in the order of their paths, which keep to.
    pub(crate) fn by_path(&self) -> Result<Vec<u32>> {
        let mut by_path: Vec<u32> = (0..self.planned.len() as u32).collect();
        by_path.sort_unstable_by_key(|number| self.path(&self.planned[*number as usize]));
        let mut ascending = Ascending::default();
        for number in &by_path {
            let planned = &self.planned[*number as usize];
            ascending.next(self.path(planned), planned.kind == Kind::Directory)?;
        }
        Ok(by_path)
    }

    pub(crate) fn path(&self, planned: &Planned<S>) -> &[u8] {
        &self.named[planned.at..planned.at + usize::from(planned.path_len)]
    }

    /// Name and attributes, as the record has them.
    pub(crate) fn named(&self, planned: &Planned<S>) -> &[u8] {
        &self.named[planned.at..planned.at + planned.head().content_start() as usize - HEAD_LEN]
    }
}

impl<S> Planned<S> {
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
