//! Fault injection for I/O: calls that fail, are interrupted or delayed, or transfer too few bytes.
//!
//! [`Faulty`] wraps a reader, writer or seeker and, with the `oracles` feature, a `bulla::ReadAt`.
//! It counts calls in a [`Calls`], which decides at which call a fault occurs. A reader and a
//! writer may use the same `Calls`, so that a loop over the call numbers reaches every call that an
//! operation makes to either:
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
//! let calls = Calls::without_fault();
//! copy(&calls)?;
//! for n in 0..calls.count() {
//!     // Interrupted and short reads and writes are retried.
//!     assert_eq!(copy(&Calls::at(Fault::Interrupted, n))?, b"a message");
//!     assert_eq!(copy(&Calls::at(Fault::Short, n))?, b"a message");
//!     // Other errors are returned unchanged.
//!     assert_eq!(copy(&Calls::at(Fault::Os(5), n)).unwrap_err().raw_os_error(), Some(5));
//! }
//! # Ok::<(), io::Error>(())
//! ```

use std::io::{self, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// A fault to inject into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails with this operating system error, such as 5 (`EIO`) or 28 (`ENOSPC`) on
    /// Linux.
    Os(i32),
    /// The call fails with an error of this kind.
    Kind(io::ErrorKind),
    /// The call is interrupted before it has any effect, as by a signal (`EINTR`). The caller is
    /// expected to retry it.
    Interrupted,
    /// The call reads or writes at most one byte. Flushing and seeking are unaffected.
    Short,
    /// The call reads or writes no bytes and reports no error. A reader treats this as the end of
    /// input.
    Nothing,
    /// The call succeeds after this delay.
    Delay(Duration),
}

/// Counts the calls of an operation and injects a fault into some of them.
#[derive(Debug)]
pub struct Calls {
    made: AtomicU64,
    fault: Option<Fault>,
    first: u64,
    last: u64,
}

impl Calls {
    /// Counts calls and injects no fault.
    pub fn without_fault() -> Calls {
        Calls { made: AtomicU64::new(0), fault: None, first: 0, last: 0 }
    }

    /// Injects `fault` into call `n`, counted from 0.
    pub fn at(fault: Fault, n: u64) -> Calls {
        Calls { made: AtomicU64::new(0), fault: Some(fault), first: n, last: n }
    }

    /// Injects `fault` into call `n`, counted from 0, and into all later calls. With
    /// [`Fault::Interrupted`], an operation that retries never returns.
    pub fn since(fault: Fault, n: u64) -> Calls {
        Calls { last: u64::MAX, ..Calls::at(fault, n) }
    }

    /// Returns the number of calls so far.
    pub fn count(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    /// Returns whether a fault was injected into any call.
    pub fn fault_injected(&self) -> bool {
        self.fault.is_some() && self.count() > self.first
    }

    /// Counts a call. Returns the error to inject, or the number of bytes that the call may
    /// transfer.
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

/// A reader or writer that counts its calls and injects faults into them.
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

    /// Unwraps the inner value.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Returns a reference to the inner value.
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

/// Every fault applies to `read_at`. Only errors other than an interruption apply to `size`, which
/// no operating system interrupts.
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
    fn injects_into_one_call() {
        let calls = Calls::at(Fault::Os(5), 2);
        let mut reader = Faulty::new(&b"abcdef"[..], &calls);
        let mut buf = [0; 2];
        assert_eq!(reader.read(&mut buf).unwrap(), 2);
        assert_eq!(reader.read(&mut buf).unwrap(), 2);
        assert!(!calls.fault_injected());
        assert_eq!(reader.read(&mut buf).unwrap_err().raw_os_error(), Some(5));
        assert!(calls.fault_injected());
        assert_eq!((reader.read(&mut buf).unwrap(), &buf), (2, b"ef"));
        assert_eq!(calls.count(), 4);
    }

    #[test]
    fn injects_into_all_later_calls() {
        let calls = Calls::since(Fault::Short, 1);
        let mut writer = Faulty::new(Vec::new(), &calls);
        assert_eq!(writer.write(b"abc").unwrap(), 3);
        assert_eq!(writer.write(b"abc").unwrap(), 1);
        assert_eq!(writer.write(b"abc").unwrap(), 1);
        assert_eq!(writer.get_ref(), b"abcaa");
    }

    #[test]
    fn zero_bytes_are_not_an_error() {
        let calls = Calls::since(Fault::Nothing, 0);
        let mut one = [1];
        let mut bufs = [IoSliceMut::new(&mut []), IoSliceMut::new(&mut one)];
        assert_eq!(Faulty::new(&b"abc"[..], &calls).read_vectored(&mut bufs).unwrap(), 0);
        let full = Faulty::new(Vec::new(), &calls).write_all(b"abc").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WriteZero);
    }
}
