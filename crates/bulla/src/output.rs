//! A file that is written at offsets: empty before, whole afterwards, or empty again.

use std::fs::File;
use std::io;

use crate::error::Result;

/// Bytes written at once, and what the file is cut at for it.
///
/// Linux puts a larger write into blocks of memory as large as fit, and looks long for them: with writes of a whole extent, opening
/// 2 GiB on ext4 took up to three times as long, and sealing up to one and a half times.
const WRITE_LEN: u64 = 64 << 10;

/// Writes all of `buf` at `offset`.
pub(crate) fn write_all_at(file: &File, mut buf: &[u8], mut offset: u64) -> io::Result<()> {
    while !buf.is_empty() {
        let left = buf.len().min((WRITE_LEN - offset % WRITE_LEN) as usize);
        #[cfg(unix)]
        let written = std::os::unix::fs::FileExt::write_at(file, &buf[..left], offset);
        #[cfg(windows)]
        let written = std::os::windows::fs::FileExt::seek_write(file, &buf[..left], offset);
        match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                buf = &buf[written..];
                offset += written as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// An output that is open for appending takes every write at its end, whatever the offset; it is too long then.
pub(crate) fn check_written(output: &File, len: u64) -> Result<()> {
    if output.metadata()?.len() == len {
        Ok(())
    } else {
        Err(io::Error::other(
            "the output does not have the length that was written; is it open for appending?",
        )
        .into())
    }
}

/// Runs `work` if a regular `output` is empty, and empties it again if that fails.
pub(crate) fn cut_back_on_error<T>(output: &File, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let metadata = output.metadata()?;
    if metadata.is_file() && metadata.len() > 0 {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the output is not empty").into());
    }
    work().inspect_err(|_| {
        if metadata.is_file() {
            // The first error is the one to tell; a caller that removes the file loses nothing by this one.
            let _ = output.set_len(0);
        }
    })
}
