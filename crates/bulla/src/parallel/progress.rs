//! Progress reporting and cancellation.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Reports the progress of a call, and can cancel it. Share it with the thread that displays the
/// progress.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use bulla::{Error, Key, Options, Progress};
/// let progress = Progress::new();
/// let options = Options::new().progress(&progress);
/// bulla::seal(&Key::generate()?, b"a message", &options)?;
/// assert_eq!(progress.done(), 9);
///
/// progress.cancel();
/// assert_eq!(bulla::seal(&Key::generate()?, b"a message", &options), Err(Error::Cancelled));
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Creates a `Progress` at 0 bytes that is not cancelled.
    pub const fn new() -> Progress {
        Progress { done: AtomicU64::new(0), cancelled: AtomicBool::new(false) }
    }

    /// Returns the number of plaintext bytes sealed or opened so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Cancels the calls that report to this `Progress`: each of them fails with
    /// [`Error::Cancelled`] at its next extent, that is, after about 1 MiB.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Returns whether [`cancel`](Progress::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Reports to the caller's [`Progress`], if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reporter<'a>(Option<&'a Progress>);

impl<'a> Reporter<'a> {
    pub(crate) fn to(progress: &'a Progress) -> Reporter<'a> {
        Reporter(Some(progress))
    }

    /// Adds `bytes` of plaintext to the progress.
    pub(crate) fn add(self, bytes: u64) {
        if let Some(progress) = self.0 {
            progress.done.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Returns [`Error::Cancelled`] if the caller has cancelled.
    pub(crate) fn check(self) -> Result<()> {
        match self.0 {
            Some(progress) if progress.is_cancelled() => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }
}
