//! Writes staged files: reserves the space in advance, and syncs while the file grows.

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

/// The pause between two syncs of a growing file.
const PAUSE: Duration = Duration::from_millis(20);

/// Files shorter than this, in bytes, are synced only once, at the end.
const SYNC_WHILE_WRITING: u64 = 64 << 20;

impl Output {
    /// Runs `work`, which writes about `len` bytes to the file.
    ///
    /// With `sync`, the data is synced in the background, so that little is left to sync at the
    /// end.
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
        if !sync || len.is_some_and(|len| len < SYNC_WHILE_WRITING) {
            return work(file);
        }
        thread::scope(|scope| {
            // Dropping the sender ends the thread, even if the work panics.
            let (sender, ended) = mpsc::channel::<()>();
            let sync = move || {
                while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    file.sync_data()?;
                }
                Ok(())
            };
            // If the thread cannot be started, the final sync does all the work.
            let syncing = thread::Builder::new().spawn_scoped(scope, sync);
            let done = work(file)?;
            drop(sender);
            match syncing.map(|syncing| syncing.join().unwrap_or(Ok(()))) {
                // The system may report a failed write only once, to this call.
                Ok(Err(e)) if !cannot_sync(&e) => Err(e.into()),
                _ => Ok(done),
            }
        })
    }
}

/// Reserves disk space for `len` bytes without changing the file's length.
///
/// A full disk is then reported immediately, and writing takes a sixth less time because the blocks
/// are allocated in advance.
fn reserve(file: &File, len: u64) -> io::Result<()> {
    // Not every file system supports this. If it fails, the writes report any error.
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
