//! Reads one entry's content, or a part of it, and takes down what is not as planned.

use std::io;

use bulla::ReadAt;

use crate::builder::planned_entries::Planned;
use crate::builder::source::{ContentSource, Source};
use crate::format::attributes::Metadata;
use crate::format::notes::State;

pub(crate) struct Reading<'p, S: Source> {
    planned: &'p Planned<S>,
    path: &'p [u8],
    /// None before it was opened, and after that failed.
    content: Option<S::Content>,
    state: State,
    /// Bytes up to the first that was missed.
    found: u64,
}

impl<'p, S: Source> Reading<'p, S> {
    pub(crate) fn new(planned: &'p Planned<S>, path: &'p [u8]) -> Reading<'p, S> {
        Reading { planned, path, content: None, state: State::default(), found: planned.len }
    }

    /// Fills `room` with the content from `offset` on, with zeros where there is none.
    pub(crate) fn fill(&mut self, room: &mut [u8], offset: u64) {
        let filled = match self.open().map(|content| read_up_to(content, room, offset)) {
            None => 0,
            Some((filled, None)) if filled == room.len() => return,
            Some((filled, None)) => {
                self.miss(State::SHORT, offset + filled as u64);
                filled
            }
            Some((filled, Some(_))) => {
                self.miss(State::UNREADABLE, offset + filled as u64);
                filled
            }
        };
        room[filled..].fill(0);
    }

    /// The content was read to its planned end: is there more, and is it still as old as it was?
    pub(crate) fn check_end(&mut self, attributes: Option<(Metadata, Option<&[u8]>)>) {
        let planned = attributes.and_then(|(metadata, _)| metadata.mtime);
        let len = self.planned.len;
        let Some(content) = self.open() else { return };
        // Not the length that it states: a file in /proc states 0 and holds more.
        let grew = content.read_at(&mut [0], len).is_ok_and(|read| read > 0);
        let modified = content.mtime().ok().flatten();
        if grew {
            self.state = self.state.with(State::GREW);
        }
        if modified.is_some_and(|modified| planned.is_some_and(|planned| planned != modified)) {
            self.state = self.state.with(State::CHANGED);
        }
    }

    /// What is to be noted; `None` if all is as planned.
    pub(crate) fn outcome(&self) -> Option<(State, u64)> {
        (!self.state.is_whole()).then_some((self.state, self.found))
    }

    fn open(&mut self) -> Option<&S::Content> {
        let source = self.planned.source.as_ref()?;
        if self.content.is_none() && !self.state.has(State::UNREADABLE) {
            match source.open(self.path) {
                Ok(content) => self.content = Some(content),
                Err(_) => self.miss(State::UNREADABLE, 0),
            }
        }
        self.content.as_ref()
    }

    fn miss(&mut self, state: State, found: u64) {
        self.state = self.state.with(state);
        self.found = self.found.min(found);
    }
}

/// Reads until `room` is full, the content ends, or an error comes; returns how many bytes that
/// was.
fn read_up_to(content: &impl ReadAt, room: &mut [u8], offset: u64) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < room.len() {
        match content.read_at(&mut room[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return (filled, Some(e)),
        }
    }
    (filled, None)
}
