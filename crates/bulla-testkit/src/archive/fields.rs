//! Decodes the fields of records and index entries, and validates names and attributes.

use std::collections::BTreeMap;

use super::error::{ArchiveError, ensure};
use super::format::NAME_MAX;

/// A cursor over the fields of a structure.
pub(super) struct Fields<'b> {
    bytes: &'b [u8],
    at: usize,
    /// The offset of `bytes` in the plaintext.
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

    pub(super) fn take(&mut self, len: usize) -> Result<&'b [u8], ArchiveError> {
        ensure(len <= self.bytes.len() - self.at, self.offset(), "a field is truncated")?;
        self.at += len;
        Ok(&self.bytes[self.at - len..self.at])
    }

    pub(super) fn number(&mut self, len: usize) -> Result<u64, ArchiveError> {
        Ok(self.take(len)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

/// Returns whether `name` is valid.
pub(super) fn is_name(name: &[u8]) -> bool {
    let good = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
    name.len() <= NAME_MAX && name.split(|byte| *byte == b'/').all(good)
}

/// Decodes attributes into a map from tag to value.
pub(super) fn parse_attributes(
    bytes: &[u8],
    at: u64,
) -> Result<BTreeMap<u16, Vec<u8>>, ArchiveError> {
    let mut fields = Fields::new(bytes, at);
    let mut attributes = BTreeMap::new();
    while !fields.is_empty() {
        let (tag, len) = (fields.number(2)? as u16, fields.number(2)? as usize);
        // Starting at 0 also rejects tag 0.
        let ascends = attributes.last_key_value().map_or(0, |(before, _)| *before) < tag;
        ensure(ascends, at, "tags are not in ascending order")?;
        attributes.insert(tag, fields.take(len)?.to_vec());
    }
    Ok(attributes)
}

/// Decodes the *modified* attribute into seconds and nanoseconds.
pub(super) fn parse_modified(value: &[u8], at: u64) -> Result<(i64, u32), ArchiveError> {
    ensure(value.len() == 12, at, "wrong length of the modified attribute")?;
    let mut fields = Fields::new(value, at);
    let (seconds, nanoseconds) = (fields.number(8)? as i64, fields.number(4)? as u32);
    ensure(nanoseconds < 1_000_000_000, at, "nanoseconds of the modified attribute out of range")?;
    Ok((seconds, nanoseconds))
}

/// Decodes the *mode* attribute.
pub(super) fn parse_mode(value: &[u8], at: u64) -> Result<u32, ArchiveError> {
    ensure(value.len() == 4, at, "wrong length of the mode attribute")?;
    let mode = Fields::new(value, at).number(4)? as u32;
    ensure(mode < 1 << 12, at, "value of the mode attribute out of range")?;
    Ok(mode)
}
