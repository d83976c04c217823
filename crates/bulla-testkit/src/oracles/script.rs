//! Interprets arbitrary bytes as a description, which is a sequence of numbers and byte strings.

use std::ops::RangeInclusive;

/// A cursor over a description. Reads beyond the end return zeros, so every input is valid.
pub(super) struct Script<'b> {
    rest: &'b [u8],
}

impl<'b> Script<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Script<'b> {
        Script { rest: bytes }
    }

    /// Returns the next byte, or `None` at the end.
    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Returns the next byte.
    pub(super) fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// Returns whether the next byte is odd.
    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Returns a `len`-byte big-endian number.
    pub(super) fn number(&mut self, len: usize) -> u64 {
        (0..len).fold(0, |value, _| value << 8 | u64::from(self.byte()))
    }

    /// Reads two bytes and returns a number in `range`.
    pub(super) fn within(&mut self, range: RangeInclusive<usize>) -> usize {
        range.start() + self.number(2) as usize % (range.end() - range.start() + 1)
    }

    /// Returns the next `len` bytes, or fewer at the end.
    pub(super) fn take(&mut self, len: usize) -> &'b [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Returns up to 255 bytes, prefixed with a length byte.
    pub(super) fn run(&mut self) -> &'b [u8] {
        let len = self.byte().into();
        self.take(len)
    }

    /// Returns all remaining bytes.
    pub(super) fn rest(self) -> &'b [u8] {
        self.rest
    }
}

/// Repeats `pattern` to a length of `len` bytes and varies some bits, so that no two chunks are
/// equal.
pub(super) fn stretch(pattern: &[u8], len: usize) -> Vec<u8> {
    let pattern = if pattern.is_empty() { &[0][..] } else { pattern };
    (0..len)
        .map(|at| pattern[at % pattern.len()] ^ (at / pattern.len()) as u8 ^ (at >> 8) as u8)
        .collect()
}
