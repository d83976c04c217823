//! Any bytes as a description: numbers and runs of bytes, taken one after the other.

use std::ops::RangeInclusive;

/// A description that is being read. Where it ends, zeros follow, so that every input describes
/// something.
pub(super) struct Script<'b> {
    rest: &'b [u8],
}

impl<'b> Script<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Script<'b> {
        Script { rest: bytes }
    }

    /// The next byte; none at the end.
    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// Whether the next byte is odd.
    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number of `len` bytes, big-endian.
    pub(super) fn number(&mut self, len: usize) -> u64 {
        (0..len).fold(0, |value, _| value << 8 | u64::from(self.byte()))
    }

    /// A number from a range, of two bytes.
    pub(super) fn within(&mut self, range: RangeInclusive<usize>) -> usize {
        range.start() + self.number(2) as usize % (range.end() - range.start() + 1)
    }

    /// The next `len` bytes; fewer at the end.
    pub(super) fn take(&mut self, len: usize) -> &'b [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A run of up to 255 bytes, behind a byte that says how many.
    pub(super) fn run(&mut self) -> &'b [u8] {
        let len = self.byte().into();
        self.take(len)
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'b [u8] {
        self.rest
    }
}

/// `len` bytes: `pattern` as often as it takes, each time with other bits, so that no two chunks
/// are alike.
pub(super) fn stretch(pattern: &[u8], len: usize) -> Vec<u8> {
    let pattern = if pattern.is_empty() { &[0][..] } else { pattern };
    (0..len)
        .map(|at| pattern[at % pattern.len()] ^ (at / pattern.len()) as u8 ^ (at >> 8) as u8)
        .collect()
}
