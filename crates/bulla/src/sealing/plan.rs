//! Plaintexts that are produced while they are being sealed.

#[cfg(any(unix, windows))]
use std::fs::File;
use std::io::{self, Write};

#[cfg(any(unix, windows))]
use crate::error::Error;
use crate::error::Result;
#[cfg(any(unix, windows))]
use crate::io::read_at::read_full_at;

/// A plaintext that is produced while it is being sealed: a planned number of bytes from any number
/// of sources, followed by a tail that may depend on those bytes.
///
/// Each planned byte is requested once, in any order and from several threads, so thousands of
/// small sources keep the cores as busy as one large source. The tail is requested last.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use std::io::{self, Write};
/// use bulla::{Draft, Key, Options, Plan};
///
/// /// A thousand zeros and a word.
/// struct Zeros;
///
/// impl Plan for Zeros {
///     fn planned_len(&self) -> u64 {
///         1000
///     }
///     fn fill(&self, slots: &mut [&mut [u8]], _offset: u64) -> bulla::Result<()> {
///         slots.iter_mut().for_each(|slot| slot.fill(0));
///         Ok(())
///     }
///     fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
///         out.write_all(b"end")
///     }
/// }
///
/// let key = Key::generate()?;
/// let (container, sealed) = Draft::new(&key, &Options::new())?.seal_plan_to(&Zeros, Vec::new())?;
/// assert_eq!(sealed.plaintext_len, 1003);
/// # Ok(()) }
/// ```
pub trait Plan: Sync {
    /// Returns the planned number of bytes. It must not change.
    fn planned_len(&self) -> u64;

    /// Fills all of `slots`, in order, with the plaintext that starts at `offset`.
    ///
    /// This method must not wait for the pool in which it runs. To read from a container here, open
    /// it with [`Workers::Serial`](crate::Workers::Serial).
    ///
    /// # Errors
    ///
    /// Any error stops the seal operation. A plan that tolerates failures of individual sources
    /// must handle them itself.
    fn fill(&self, slots: &mut [&mut [u8]], offset: u64) -> Result<()>;

    /// Writes the bytes that follow the planned bytes. This is called after all planned bytes have
    /// been requested.
    ///
    /// # Errors
    ///
    /// Returns any error from `out`. An error stops the seal operation.
    fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
        let _ = out;
        Ok(())
    }
}

/// A file, up to the length that it had when sealing started.
#[cfg(any(unix, windows))]
pub(super) struct WholeFile<'f> {
    pub(super) file: &'f File,
    pub(super) len: u64,
}

#[cfg(any(unix, windows))]
impl Plan for WholeFile<'_> {
    fn planned_len(&self) -> u64 {
        self.len
    }

    fn fill(&self, slots: &mut [&mut [u8]], mut offset: u64) -> Result<()> {
        for slot in slots {
            let read = read_full_at(self.file, slot, offset)?;
            offset += read as u64;
            if read < slot.len() {
                return Err(Error::SourceShrank { planned: self.len, found: offset });
            }
        }
        Ok(())
    }
}
