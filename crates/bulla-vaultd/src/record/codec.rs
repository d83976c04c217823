//! Reads and writes fixed-size fields.

use super::DecodeError;

/// Appends fields to a byte string.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Writer {
        Writer(Vec::with_capacity(bytes))
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Writer {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Writer {
        self.bytes(&[value])
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Writer {
        self.bytes(&value.to_be_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Writer {
        self.bytes(&value.to_be_bytes())
    }

    pub(super) fn zeros(&mut self, count: usize) -> &mut Writer {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads fields from a byte string. Errors contain the invalid field's offset.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Reader<'a> {
    /// Creates a reader for a record, which must be exactly `len` bytes long.
    pub(super) fn exactly(bytes: &'a [u8], len: usize) -> Result<Reader<'a>, DecodeError> {
        match bytes.len() == len {
            true => Ok(Reader { rest: bytes, total: len }),
            false => Err(DecodeError::Length { found: bytes.len(), expected: len }),
        }
    }

    pub(super) fn offset(&self) -> usize {
        self.total - self.rest.len()
    }

    pub(super) fn malformed(&self) -> DecodeError {
        DecodeError::Malformed { offset: self.offset() }
    }

    pub(super) fn slice(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (field, rest) = self.rest.split_at_checked(len).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(field)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or(self.malformed())?;
        self.rest = rest;
        Ok(*field)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads reserved bytes. They must be zero, so that each record has a unique encoding.
    pub(super) fn zeros(&mut self, count: usize) -> Result<(), DecodeError> {
        let reserved_at = self.malformed();
        match self.slice(count)?.iter().all(|&byte| byte == 0) {
            true => Ok(()),
            false => Err(reserved_at),
        }
    }
}
