//! Writes the contents of files that are restored, as an archive hands them out: piece by piece, in
//! any order, on several threads.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla_archive::Entry;

use crate::error::Failure;
use crate::restore::directories::Place;
use crate::restore::restorer::{Begun, Restoring};

/// Files that are written in pieces and kept open. There are more at a time only if many have the
/// same bytes.
const OPEN_FILES: usize = 32;

/// Files whose contents are to come, and those of which a part has come.
pub(crate) struct Contents<'r> {
    restoring: &'r Restoring,
    files: &'r [Entry],
    /// Of each file, its directory.
    places: &'r [Place],
    begun: Mutex<HashMap<usize, Arc<InPieces>>>,
    failed: Mutex<Option<Failure>>,
}

struct InPieces {
    begun: Begun,
    /// None if too many are open already.
    file: Option<File>,
    /// Bytes that are still to come.
    left: AtomicU64,
}

impl<'r> Contents<'r> {
    pub(crate) fn new(
        restoring: &'r Restoring,
        files: &'r [Entry],
        places: &'r [Place],
    ) -> Contents<'r> {
        Contents { restoring, files, places, begun: Mutex::default(), failed: Mutex::default() }
    }

    /// Takes bytes of file `number`. What goes wrong is kept, for the error that is returned names
    /// no file.
    pub(crate) fn take(&self, number: usize, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write(number, offset, bytes).map_err(|failure| {
            lock(&self.failed).get_or_insert(failure);
            io::Error::other("a file could not be written")
        })
    }

    /// Restores the files without bytes, of which nothing comes.
    pub(crate) fn take_empty(&self) -> Result<(), Failure> {
        (0..self.files.len())
            .filter(|number| self.files[*number].len() == 0)
            .try_for_each(|number| self.write(number, 0, &[]))
    }

    /// Why writing failed, if it did.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.failed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, number: usize, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let (entry, place) = (&self.files[number], self.places[number]);
        let failure = |e| self.restoring.failure(entry.path(), &e);
        if bytes.len() as u64 == entry.len() {
            let (begun, mut file) = self.restoring.begin(place, entry).map_err(failure)?;
            file.write_all(bytes).map_err(failure)?;
            return self.restoring.finish(begun, &file, entry.path(), &entry.metadata());
        }
        let pieces = self.in_pieces(number).map_err(failure)?;
        let reopened = match pieces.file {
            Some(_) => None,
            None => Some(self.restoring.reopen(&pieces.begun).map_err(failure)?),
        };
        let Some(file) = pieces.file.as_ref().or(reopened.as_ref()) else { return Ok(()) };
        write_all_at(file, bytes, offset).map_err(failure)?;
        if pieces.left.fetch_sub(bytes.len() as u64, Ordering::AcqRel) > bytes.len() as u64 {
            return Ok(());
        }
        lock(&self.begun).remove(&number);
        self.restoring.finish(pieces.begun.clone(), file, entry.path(), &entry.metadata())
    }

    fn in_pieces(&self, number: usize) -> io::Result<Arc<InPieces>> {
        let mut all = lock(&self.begun);
        if let Some(pieces) = all.get(&number) {
            return Ok(pieces.clone());
        }
        let entry = &self.files[number];
        let (begun, file) = self.restoring.begin(self.places[number], entry)?;
        let file = Some(file).filter(|_| all.len() < OPEN_FILES);
        let pieces = Arc::new(InPieces { begun, file, left: AtomicU64::new(entry.len()) });
        all.insert(number, pieces.clone());
        Ok(pieces)
    }
}

/// Writes all of `bytes` at an offset.
#[cfg(unix)]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => (bytes, offset) = (&bytes[written..], offset + written as u64),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is shared is whole at every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
