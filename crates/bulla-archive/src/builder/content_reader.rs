//! Reads the content of one entry from its source, and records differences from the plan.

use std::io;

use bulla::ReadAt;

use crate::builder::planned_entries::PlannedEntry;
use crate::builder::source::{ContentSource, Source};
use crate::format::attributes::Time;
use crate::format::notes::State;

/// Reads the content of one entry, or part of it.
pub(crate) struct ContentReader<'p, S: Source> {
    entry: &'p PlannedEntry<S>,
    path: &'p [u8],
    /// The opened content, or `None` if it has not been opened yet or could not be opened.
    content: Option<S::Content>,
    state: State,
    /// Offset of the first byte that could not be read, or the planned length.
    found: u64,
}

impl<'p, S: Source> ContentReader<'p, S> {
    pub(crate) fn new(entry: &'p PlannedEntry<S>, path: &'p [u8]) -> ContentReader<'p, S> {
        ContentReader { entry, path, content: None, state: State::default(), found: entry.len }
    }

    /// Fills `buf` with the content at `offset`. Missing bytes are filled with zeros and recorded.
    pub(crate) fn fill(&mut self, buf: &mut [u8], offset: u64) {
        let filled = match self.open().map(|content| read_full(content, buf, offset)) {
            None => 0,
            Some((filled, None)) if filled == buf.len() => return,
            Some((filled, None)) => {
                self.record_end(State::SHORT, offset + filled as u64);
                filled
            }
            Some((filled, Some(_))) => {
                self.record_end(State::UNREADABLE, offset + filled as u64);
                filled
            }
        };
        buf[filled..].fill(0);
    }

    /// Records whether the content continues past its planned end, and whether its mtime differs
    /// from the planned one.
    pub(crate) fn check_end(&mut self, planned_mtime: Option<Time>) {
        let len = self.entry.len;
        let Some(content) = self.open() else { return };
        // Reads past the planned end, because the reported size is unreliable: files in /proc
        // report 0 bytes.
        let grew = content.read_at(&mut [0], len).is_ok_and(|read| read > 0);
        let mtime = content.mtime().ok().flatten();
        if grew {
            self.state = self.state.with(State::GREW);
        }
        if mtime.is_some_and(|mtime| planned_mtime.is_some_and(|planned| planned != mtime)) {
            self.state = self.state.with(State::CHANGED);
        }
    }

    /// Returns the state and the number of bytes found, or `None` if everything read so far is as
    /// planned.
    pub(crate) fn outcome(&self) -> Option<(State, u64)> {
        (!self.state.is_whole()).then_some((self.state, self.found))
    }

    fn open(&mut self) -> Option<&S::Content> {
        let source = self.entry.source.as_ref()?;
        if self.content.is_none() && !self.state.has(State::UNREADABLE) {
            match source.open(self.path) {
                Ok(content) => self.content = Some(content),
                Err(_) => self.record_end(State::UNREADABLE, 0),
            }
        }
        self.content.as_ref()
    }

    fn record_end(&mut self, state: State, found: u64) {
        self.state = self.state.with(state);
        self.found = self.found.min(found);
    }
}

/// Reads until `buf` is full, the content ends or an error occurs. Returns the number of bytes
/// read, and the error if there was one.
fn read_full(content: &impl ReadAt, buf: &mut [u8], offset: u64) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buf.len() {
        match content.read_at(&mut buf[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return (filled, Some(e)),
        }
    }
    (filled, None)
}
