//! Input and output that fail at the n-th call, or do less than they were asked to, as real ones do
//! on a bad day.
//!
//! [`Faulty`] wraps anything that reads, writes or seeks, and with the feature `oracles` whatever
//! is a `bulla::ReadAt`. It counts its calls in a [`Calls`], which says at which of them what
//! befalls. Several wrappers may share one, so that a sweep over its numbers reaches every call
//! that an operation makes, on either side:
//!
//! ```
//! use std::io::{self, Read, Write};
//! use bulla_testkit::faulty::{Calls, Fault, Faulty};
//!
//! fn copy(calls: &Calls) -> io::Result<Vec<u8>> {
//!     let mut read = Vec::new();
//!     Faulty::new(&b"a message"[..], calls).read_to_end(&mut read)?;
//!     let mut writer = Faulty::new(Vec::new(), calls);
//!     writer.write_all(&read)?;
//!     Ok(writer.into_inner())
//! }
//!
//! let calls = Calls::sound();
//! copy(&calls)?;
//! for n in 0..calls.made() {
//!     // Interruptions and short calls are made up for.
//!     assert_eq!(copy(&Calls::at(Fault::Interrupted, n))?, b"a message");
//!     assert_eq!(copy(&Calls::at(Fault::Short, n))?, b"a message");
//!     // Errors arrive as they are.
//!     assert_eq!(copy(&Calls::at(Fault::Os(5), n)).unwrap_err().raw_os_error(), Some(5));
//! }
//! # Ok::<(), io::Error>(())
//! ```

use std::io::{self, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// What befalls a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with this error of the system: 5 is `EIO`, 28 is `ENOSPC` on Linux.
    Os(i32),
    /// It fails with an error of this kind.
    Kind(io::ErrorKind),
    /// It is interrupted before anything was done, as by a signal (`EINTR`). Whoever called is to
    /// call again.
    Interrupted,
    /// One byte at most is read or written. Flushing and seeking know no such thing, and are done.
    Short,
    /// Nothing is read or written, without an error: the end, for who reads.
    Nothing,
    /// It takes so long.
    Delay(Duration),
}

/// The calls of one operation: how many there were, and at which something befalls.
#[derive(Debug)]
pub struct Calls {
    made: AtomicU64,
    fault: Option<Fault>,
    first: u64,
    last: u64,
}

impl Calls {
    /// Nothing befalls any of them.
    pub fn sound() -> Calls {
        Calls { made: AtomicU64::new(0), fault: None, first: 0, last: 0 }
    }

    /// `fault` befalls call number `n`, from 0, and no other.
    pub fn at(fault: Fault, n: u64) -> Calls {
        Calls { made: AtomicU64::new(0), fault: Some(fault), first: n, last: n }
    }

    /// `fault` befalls call number `n`, from 0, and all that follow. With [`Fault::Interrupted`]
    /// none of them ever ends.
    pub fn since(fault: Fault, n: u64) -> Calls {
        Calls { last: u64::MAX, ..Calls::at(fault, n) }
    }

    /// How many calls were made.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    /// Whether a fault has befallen a call.
    pub fn befell(&self) -> bool {
        self.fault.is_some() && self.made() > self.first
    }

    /// Counts a call. How much of it is to be done: nothing and the error, or so many bytes at
    /// most.
    fn next(&self) -> io::Result<usize> {
        let n = self.made.fetch_add(1, Ordering::SeqCst);
        match self.fault.filter(|_| (self.first..=self.last).contains(&n)) {
            None => Ok(usize::MAX),
            Some(Fault::Os(code)) => Err(io::Error::from_raw_os_error(code)),
            Some(Fault::Kind(kind)) => Err(kind.into()),
            Some(Fault::Interrupted) => Err(io::ErrorKind::Interrupted.into()),
            Some(Fault::Short) => Ok(1),
            Some(Fault::Nothing) => Ok(0),
            Some(Fault::Delay(time)) => {
                sleep(time);
                Ok(usize::MAX)
            }
        }
    }
}

/// A reader or writer whose calls are counted, and befallen by a fault when their number has come.
#[derive(Debug)]
pub struct Faulty<'c, T> {
    inner: T,
    calls: &'c Calls,
}

impl<'c, T> Faulty<'c, T> {
    /// Wraps `inner`.
    pub fn new(inner: T, calls: &'c Calls) -> Faulty<'c, T> {
        Faulty { inner, calls }
    }

    /// What was wrapped.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// What is wrapped.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }
}

impl<T: Read> Read for Faulty<'_, T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = self.calls.next()?.min(buf.len());
        self.inner.read(&mut buf[..most])
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match self.calls.next()? {
            usize::MAX => self.inner.read_vectored(bufs),
            most => match bufs.iter_mut().find(|buf| !buf.is_empty()) {
                Some(buf) => self.inner.read(&mut buf[..most]),
                None => Ok(0),
            },
        }
    }
}

impl<T: Write> Write for Faulty<'_, T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let most = self.calls.next()?.min(buf.len());
        self.inner.write(&buf[..most])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.calls.next()?;
        self.inner.flush()
    }
}

impl<T: Seek> Seek for Faulty<'_, T> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.calls.next()?;
        self.inner.seek(position)
    }
}

/// Reading is befallen by all faults. Asking for the size is by errors only: no system interrupts
/// that.
#[cfg(feature = "oracles")]
impl<T: bulla::ReadAt> bulla::ReadAt for Faulty<'_, T> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let most = self.calls.next()?.min(buf.len());
        self.inner.read_at(&mut buf[..most], offset)
    }

    fn size(&self) -> io::Result<u64> {
        match self.calls.next() {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => self.inner.size(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_that_was_asked_for() {
        let calls = Calls::at(Fault::Os(5), 2);
        let mut reader = Faulty::new(&b"abcdef"[..], &calls);
        let mut buf = [0; 2];
        assert_eq!(reader.read(&mut buf).unwrap(), 2);
        assert_eq!(reader.read(&mut buf).unwrap(), 2);
        assert!(!calls.befell());
        assert_eq!(reader.read(&mut buf).unwrap_err().raw_os_error(), Some(5));
        assert!(calls.befell());
        assert_eq!((reader.read(&mut buf).unwrap(), &buf), (2, b"ef"));
        assert_eq!(calls.made(), 4);
    }

    #[test]
    fn all_calls_from_then_on() {
        let calls = Calls::since(Fault::Short, 1);
        let mut writer = Faulty::new(Vec::new(), &calls);
        assert_eq!(writer.write(b"abc").unwrap(), 3);
        assert_eq!(writer.write(b"abc").unwrap(), 1);
        assert_eq!(writer.write(b"abc").unwrap(), 1);
        assert_eq!(writer.get_ref(), b"abcaa");
    }

    #[test]
    fn nothing_is_no_error() {
        let calls = Calls::since(Fault::Nothing, 0);
        let mut one = [1];
        let mut bufs = [IoSliceMut::new(&mut []), IoSliceMut::new(&mut one)];
        assert_eq!(Faulty::new(&b"abc"[..], &calls).read_vectored(&mut bufs).unwrap(), 0);
        let full = Faulty::new(Vec::new(), &calls).write_all(b"abc").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WriteZero);
    }
}
