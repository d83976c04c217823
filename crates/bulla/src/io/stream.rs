//! Reads and flushes streams, retrying a call only if it was interrupted.

use std::io::{self, IoSliceMut, Read, Write};

use crate::error::Result;

/// Reads once into `buffers` and returns the number of bytes read, which is 0 at the end of the
/// stream.
pub(crate) fn read_some(reader: &mut impl Read, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    loop {
        match reader.read_vectored(buffers) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            read => return Ok(read?),
        }
    }
}

/// Flushes `writer`.
pub(crate) fn flush(writer: &mut impl Write) -> Result<()> {
    loop {
        match writer.flush() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            flushed => return Ok(flushed?),
        }
    }
}
