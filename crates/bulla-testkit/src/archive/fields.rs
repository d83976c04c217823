//! Fields of records and index entries, and names and attributes, each by itself.

use std::collections::BTreeMap;

use super::NAME_MAX;
use super::fault::{Fault, hold};

/// Bytes that are taken one field after the other.
pub(super) struct Fields<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Offset of the bytes in the plaintext.
    base: u64,
}

impl<'b> Fields<'b> {
    pub(super) fn new(bytes: &'b [u8], base: u64) -> Fields<'b> {
        Fields { bytes, at: 0, base }
    }

    pub(super) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'b [u8], Fault> {
        hold(len <= self.bytes.len() - self.at, self.offset(), "bytes are missing")?;
        self.at += len;
        Ok(&self.bytes[self.at - len..self.at])
    }

    pub(super) fn number(&mut self, len: usize) -> Result<u64, Fault> {
        Ok(self.take(len)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

///
pub(super) fn is_name(name: &[u8]) -> bool {
    let good = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
    name.len() <= NAME_MAX && name.split(|byte| *byte == b'/').all(good)
}

/// every attribute by its tag.
pub(super) fn parse_attributes(bytes: &[u8], at: u64) -> Result<BTreeMap<u16, Vec<u8>>, Fault> {
    let mut fields = Fields::new(bytes, at);
    let mut attributes = BTreeMap::new();
    while !fields.is_empty() {
        let (tag, len) = (fields.number(2)? as u16, fields.number(2)? as usize);
        // From 1 on.
        let ascends = attributes.last_key_value().map_or(0, |(before, _)| *before) < tag;
        hold(ascends, at, "tags do not ascend")?;
        attributes.insert(tag, fields.take(len)?.to_vec());
    }
    Ok(attributes)
}

pub(super) fn time(value: &[u8], at: u64) -> Result<(i64, u32), Fault> {
    hold(value.len() == 12, at, "length of a time")?;
    let mut fields = Fields::new(value, at);
    let (seconds, nanoseconds) = (fields.number(8)? as i64, fields.number(4)? as u32);
    hold(nanoseconds < 1_000_000_000, at, "nanoseconds")?;
    Ok((seconds, nanoseconds))
}

pub(super) fn permissions(value: &[u8], at: u64) -> Result<u32, Fault> {
    hold(value.len() == 4, at, "length of a mode")?;
    let mode = Fields::new(value, at).number(4)? as u32;
    hold(mode < 1 << 12, at, "mode")?;
    Ok(mode)
}
