//! Sources that can be read at an offset.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

/// Something of a known length that can be read at any offset, from many threads at once: a file,
/// bytes in memory, an object in a store.
///
/// ```
/// use bulla::ReadAt;
/// let mut buf = [0; 4];
/// assert_eq!(b"photograph"[..].read_at(&mut buf, 5).unwrap(), 4);
/// assert_eq!(&buf, b"grap");
/// ```
pub trait ReadAt: Sync {
    /// Reads some bytes at `offset` into `buf` and returns how many; 0 means that the source ends
    /// there (or `buf` is empty).
    ///
    /// # Errors
    ///
    /// Whatever keeps the source from being read. [`io::ErrorKind::Interrupted`] is retried,
    /// nothing else is.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The source's length in bytes.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being known.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    ///
    /// Those of [`read_at`](ReadAt::read_at), and [`io::ErrorKind::UnexpectedEof`] if the source
    /// ends before.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        if read_full_at(self, buf, offset)? == buf.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Reads until `buf` is full or the source ends, and returns how many bytes that was.
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

macro_rules! read_at_through {
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

read_at_through! {
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
