//! Writing files at an offset.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::error::Result;

/// Maximum bytes in one write. Writes are also split at multiples of this size.
///
/// Linux places a larger write in memory blocks that are as large as possible, and may spend a long
/// time searching for them: when each write was a whole extent, opening 2 GiB on ext4 took up to
/// three times as long. Smaller writes acquire the file's lock more often.
const WRITE_LEN: u64 = 256 << 10;

/// Writes all of `bytes` to `file` at `offset`, regardless of the file's current position.
///
/// The file's position afterwards is unspecified. If the file is open in append mode, some systems
/// append the bytes instead.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// let file = tempfile::tempfile()?;
/// bulla::write_all_at(&file, b"clay", 4)?;
/// assert_eq!(file.metadata()?.len(), 8);
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// Returns [`io::ErrorKind::WriteZero`] if the file accepts no more bytes, and any error from the
/// operating system except [`io::ErrorKind::Interrupted`], which is retried.
pub fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let len = bytes.len().min((WRITE_LEN - offset % WRITE_LEN) as usize);
        #[cfg(unix)]
        let written = std::os::unix::fs::FileExt::write_at(file, &bytes[..len], offset);
        #[cfg(windows)]
        let written = std::os::windows::fs::FileExt::seek_write(file, &bytes[..len], offset);
        match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Writes extents to a file from several threads, one extent at a time.
///
/// The operating system serializes writes to a file anyway. If threads compete for every write,
/// they spin while they wait, and then all of them seal while none writes. If a turn lasts for a
/// whole extent instead, one thread seals while another writes: sealing 1 GiB on two threads took
/// 10% less time.
pub(crate) struct SerializedWriter<'f> {
    file: &'f File,
    turn: Mutex<()>,
}

impl SerializedWriter<'_> {
    pub(crate) fn new(file: &File) -> SerializedWriter<'_> {
        SerializedWriter { file, turn: Mutex::new(()) }
    }

    /// Writes all of `bytes` at `offset`.
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        write_all_at(self.file, bytes, offset)
    }
}

/// Writes to a file in order, starting at an offset.
pub(crate) struct OffsetWriter<'f> {
    file: &'f File,
    offset: u64,
}

impl OffsetWriter<'_> {
    pub(crate) fn new(file: &File, offset: u64) -> OffsetWriter<'_> {
        OffsetWriter { file, offset }
    }
}

impl Write for OffsetWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_all_at(self.file, bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the length of a regular file, or `None` if it is unknown. A length of 0 is treated as
/// unknown, because files in `/proc` report 0 but are not empty.
pub(crate) fn known_len(file: &File) -> Result<Option<u64>> {
    let metadata = file.metadata()?;
    Ok(Some(metadata.len()).filter(|len| metadata.is_file() && *len > 0))
}

/// Returns an error unless `output` is `len` bytes long. A file in append mode ends up too long,
/// because every write goes to its end, whatever the offset.
pub(crate) fn check_file_len(output: &File, len: u64) -> Result<()> {
    if output.metadata()?.len() == len {
        Ok(())
    } else {
        Err(io::Error::other("the output file has the wrong length; do not open it in append mode")
            .into())
    }
}

/// Runs `work`, and truncates a regular `output` to zero bytes if `work` fails. Returns an error
/// without running `work` if a regular `output` is not empty.
pub(crate) fn truncate_on_error<T>(output: &File, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let metadata = output.metadata()?;
    if metadata.is_file() && metadata.len() > 0 {
        let error = io::Error::new(io::ErrorKind::AlreadyExists, "the output file is not empty");
        return Err(error.into());
    }
    work().inspect_err(|_| {
        if metadata.is_file() {
            // The error from `work` is the one to report. Truncation may fail. That does
            // not matter to a caller that removes the file.
            let _ = output.set_len(0);
        }
    })
}
