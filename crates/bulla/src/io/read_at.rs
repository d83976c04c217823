//! Sources that can be read at an offset.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

/// A source of known length that can be read at any offset, concurrently from many threads.
///
/// This trait is implemented for files and in-memory bytes. Implement it for other sources, such as
/// objects in a remote store.
///
/// ```
/// use bulla::ReadAt;
/// let mut buf = [0; 4];
/// assert_eq!(b"photograph"[..].read_at(&mut buf, 5).unwrap(), 4);
/// assert_eq!(&buf, b"grap");
/// ```
pub trait ReadAt: Sync {
    /// Reads bytes at `offset` into `buf` and returns the number of bytes read, which may be less
    /// than the length of `buf`. It is 0 only if there are no bytes at `offset` or `buf` is empty.
    ///
    /// # Errors
    ///
    /// Returns any error from the source. This crate retries [`io::ErrorKind::Interrupted`] and no
    /// other error.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Returns the length of the source in bytes.
    ///
    /// # Errors
    ///
    /// Returns any error from the source.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buf` with the bytes at `offset`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`read_at`](ReadAt::read_at), and
    /// [`io::ErrorKind::UnexpectedEof`] if the source ends before `buf` is full.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        if read_full_at(self, buf, offset)? == buf.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Reads until `buf` is full or the source ends, and returns the number of bytes read.
pub(crate) fn read_full_at<S: ReadAt + ?Sized>(
    source: &S,
    buf: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match source.read_at(&mut buf[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

impl ReadAt for [u8] {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let read = buf.len().min(self.len() - start);
        buf[..read].copy_from_slice(&self[start..start + read]);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

macro_rules! delegate_read_at {
    ($(impl[$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> ReadAt for $type {
            fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
                (**self).read_at(buf, offset)
            }

            fn size(&self) -> io::Result<u64> {
                (**self).size()
            }
        }
    )*};
}

delegate_read_at! {
    impl[T: ReadAt + ?Sized] &T;
    impl[T: ReadAt + ?Sized] Box<T>;
    impl[T: ReadAt + ?Sized + Send] Arc<T>;
    impl[] Vec<u8>;
    impl[] Bytes;
}

#[cfg(any(unix, windows))]
impl ReadAt for std::fs::File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(self, buf, offset);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(self, buf, offset);
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}
