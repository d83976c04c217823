//! Writes the contents of restored files, which the archive reader delivers in pieces, in any order
//! and on several threads.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla::write_all_at;
use bulla_archive::Entry;

use crate::error::Failure;
use crate::restore::directories::DirectoryId;
use crate::restore::restorer::{IncompleteFile, Restorer};

/// The maximum number of partially written files that are kept open. More files are only
/// written at the same time if many files share their content.
const OPEN_FILES: usize = 32;

/// The files of a restore, and the state of those that are partially written.
pub(crate) struct ContentWriter<'r> {
    restorer: &'r Restorer,
    files: &'r [Entry],
    /// The directory of each file.
    directories: &'r [DirectoryId],
    partial: Mutex<HashMap<usize, Arc<PartialFile>>>,
    failed: Mutex<Option<Failure>>,
}

struct PartialFile {
    incomplete: IncompleteFile,
    /// `None` if too many files are open.
    file: Option<File>,
    /// Bytes that are not written yet.
    remaining: AtomicU64,
}

impl<'r> ContentWriter<'r> {
    pub(crate) fn new(
        restorer: &'r Restorer,
        files: &'r [Entry],
        directories: &'r [DirectoryId],
    ) -> ContentWriter<'r> {
        let (partial, failed) = Default::default();
        ContentWriter { restorer, files, directories, partial, failed }
    }

    /// Writes a piece of file `number`. The returned error does not name the file;
    /// [`failure`](ContentWriter::failure) returns the failure that does.
    pub(crate) fn write_piece(&self, number: usize, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write(number, offset, bytes).map_err(|failure| {
            lock(&self.failed).get_or_insert(failure);
            io::Error::other("a file could not be written")
        })
    }

    /// Restores the empty files, for which no pieces are delivered.
    pub(crate) fn write_empty_files(&self) -> Result<(), Failure> {
        (0..self.files.len())
            .filter(|number| self.files[*number].len() == 0)
            .try_for_each(|number| self.write(number, 0, &[]))
    }

    /// Returns the first failure, if any.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.failed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, number: usize, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let (entry, directory) = (&self.files[number], self.directories[number]);
        let failure = |e| self.restorer.failure(entry.path(), &e);
        if bytes.len() as u64 == entry.len() {
            let (incomplete, mut file) =
                self.restorer.create_file(directory, entry).map_err(failure)?;
            file.write_all(bytes).map_err(failure)?;
            return self.restorer.complete_file(incomplete, &file, entry.path(), &entry.metadata());
        }
        let partial = self.partial_file(number).map_err(failure)?;
        let reopened = match partial.file {
            Some(_) => None,
            None => Some(self.restorer.reopen(&partial.incomplete).map_err(failure)?),
        };
        let Some(file) = partial.file.as_ref().or(reopened.as_ref()) else { return Ok(()) };
        write_all_at(file, bytes, offset).map_err(failure)?;
        let written = bytes.len() as u64;
        if partial.remaining.fetch_sub(written, Ordering::AcqRel) > written {
            return Ok(());
        }
        lock(&self.partial).remove(&number);
        let incomplete = partial.incomplete.clone();
        self.restorer.complete_file(incomplete, file, entry.path(), &entry.metadata())
    }

    fn partial_file(&self, number: usize) -> io::Result<Arc<PartialFile>> {
        let mut partial = lock(&self.partial);
        if let Some(file) = partial.get(&number) {
            return Ok(file.clone());
        }
        let entry = &self.files[number];
        let (incomplete, file) = self.restorer.create_file(self.directories[number], entry)?;
        let file = Some(file).filter(|_| partial.len() < OPEN_FILES);
        let remaining = AtomicU64::new(entry.len());
        let created = Arc::new(PartialFile { incomplete, file, remaining });
        partial.insert(number, created.clone());
        Ok(created)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every step leaves the data consistent, so a poisoned lock is usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
