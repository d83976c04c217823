//! Fills a file that is staged: room for it is reserved first, and it goes to the disk while it
//! grows.

use std::fs::File;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::fs::{FallocateFlags, fallocate};
#[cfg(target_os = "linux")]
use rustix::io::Errno;

use crate::io::output::Output;
use crate::io::staged::cannot_sync;

/// How long the disk is left alone between two syncs of a file that grows.
const PAUSE: Duration = Duration::from_millis(20);

/// Shorter files are synced once, at their end.
const LONG: u64 = 64 << 20;

impl Output {
    /// Does `work`, which writes about `len` bytes to the file. With `sync`, what is written goes
    /// to the disk meanwhile, so that little is left to wait for at the end.
    pub(crate) fn fill<T, E: From<io::Error>>(
        &self,
        len: Option<u64>,
        sync: bool,
        work: impl FnOnce(&File) -> Result<T, E>,
    ) -> Result<T, E> {
        let file = self.file()?;
        if !self.is_staged() {
            return work(file);
        }
        if let Some(len) = len {
            reserve(file, len)?;
        }
        if !sync || len.is_some_and(|len| len < LONG) {
            return work(file);
        }
        thread::scope(|scope| {
            // Dropped when the work is over, also by a panic.
            let (working, over) = mpsc::channel::<()>();
            let sync = move || {
                while over.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    file.sync_data()?;
                }
                Ok(())
            };
            // Without a thread to spare the sync at the end does it all.
            let syncing = thread::Builder::new().spawn_scoped(scope, sync);
            let done = work(file)?;
            drop(working);
            match syncing.map(|syncing| syncing.join().unwrap_or(Ok(()))) {
                // A system may tell of a failed write once, and only here.
                Ok(Err(e)) if !cannot_sync(&e) => Err(e.into()),
                _ => Ok(done),
            }
        })
    }
}

/// Makes room on the disk for a file of `len` bytes without changing its length. A full disk is
/// told at once; and where the blocks are known beforehand, writing takes a sixth less time.
fn reserve(file: &File, len: u64) -> io::Result<()> {
    // Not every file system can; then writing tells what there is to tell.
    #[cfg(target_os = "linux")]
    if let Err(e @ (Errno::NOSPC | Errno::DQUOT)) =
        fallocate(file, FallocateFlags::KEEP_SIZE, 0, len)
    {
        return Err(e.into());
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, len);
    Ok(())
}
