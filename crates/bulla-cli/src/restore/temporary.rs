//! The temporary files of a restore, many of which exist at the same time. Each file gets its final
//! name when it is complete. A signal removes the others.
//!
//! Creating or renaming such a file happens under a read lock, and the signal handler takes the
//! write lock. A signal therefore always finds a file that exists, and never removes one that
//! already has its final name.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::BuildHasher;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::process::cleanup::Cleanup;
use crate::restore::directory::Directory;

/// The temporary files of a restore. Dropping it, or a signal, removes those that are left.
pub(crate) struct TemporaryFiles(Arc<Shared>);

struct Shared {
    target: Arc<Directory>,
    /// Held for reading while a file is created or renamed.
    rename_lock: RwLock<()>,
    /// Paths below the target. There would be too many directories to keep them open.
    files: Mutex<HashMap<u64, PathBuf>>,
    /// Distinguishes the files of this process from those that a killed process left.
    tag: u64,
    count: AtomicU64,
}

/// A file under a temporary name.
#[derive(Clone)]
pub(crate) struct TemporaryFile {
    number: u64,
    name: OsString,
}

impl TemporaryFile {
    /// Returns the name within its directory.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }
}

impl TemporaryFiles {
    pub(crate) fn new(target: Arc<Directory>) -> TemporaryFiles {
        let (rename_lock, files, count) = Default::default();
        // Randomly seeded by the system. Secrecy is not required: existing files are never reused.
        let tag = RandomState::new().hash_one(0) & 0xFFFF_FFFF;
        let shared = Arc::new(Shared { target, rename_lock, files, tag, count });
        let stopped = shared.clone();
        Cleanup::lock().set_remove_many(Box::new(move || {
            // Never released, so no other thread creates or renames a file from here on.
            mem::forget(stopped.rename_lock.write());
            stopped.remove_all();
        }));
        TemporaryFiles(shared)
    }

    /// Creates the temporary file for `name` in `directory`, whose path below the target is
    /// `below`.
    pub(crate) fn create(
        &self,
        directory: &Directory,
        below: &Path,
        name: &OsStr,
    ) -> io::Result<(TemporaryFile, File)> {
        let (temporary, path) = self.name(below, name);
        let _lock = self.rename_lock();
        let file = directory.create(&temporary.name)?;
        self.0.files().insert(temporary.number, path);
        Ok((temporary, file))
    }

    /// Creates a temporary symbolic link, as [`create`](TemporaryFiles::create) does for a file.
    pub(crate) fn link(
        &self,
        directory: &Directory,
        below: &Path,
        name: &OsStr,
        target: &[u8],
    ) -> io::Result<TemporaryFile> {
        let (temporary, path) = self.name(below, name);
        let _lock = self.rename_lock();
        directory.link(&temporary.name, target)?;
        self.0.files().insert(temporary.number, path);
        Ok(temporary)
    }

    /// Renames a complete file to its final name.
    pub(crate) fn publish(
        &self,
        directory: &Directory,
        temporary: &TemporaryFile,
        name: &OsStr,
        replace: bool,
    ) -> io::Result<()> {
        let _lock = self.rename_lock();
        directory.rename(&temporary.name, name, replace)?;
        self.0.files().remove(&temporary.number);
        Ok(())
    }

    /// Removes a file that cannot be completed.
    pub(crate) fn discard(&self, temporary: &TemporaryFile) {
        let _lock = self.rename_lock();
        let path = self.0.files().remove(&temporary.number);
        if let Some(path) = path {
            // The reason for discarding it is the error to report.
            let _ = self.0.target.remove(&path);
        }
    }

    fn name(&self, below: &Path, name: &OsStr) -> (TemporaryFile, PathBuf) {
        let number = self.0.count.fetch_add(1, Ordering::Relaxed);
        let name = temporary_name(name, self.0.tag, number);
        let path = below.join(&name);
        (TemporaryFile { number, name }, path)
    }

    fn rename_lock(&self) -> RwLockReadGuard<'_, ()> {
        self.0.rename_lock.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TemporaryFiles {
    fn drop(&mut self) {
        self.0.remove_all();
        Cleanup::lock().clear_remove_many();
    }
}

impl Shared {
    fn files(&self) -> MutexGuard<'_, HashMap<u64, PathBuf>> {
        // Every step leaves the data consistent, so a poisoned lock is usable.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove_all(&self) {
        for (_, path) in self.files().drain() {
            // Nothing can be done about a failure here.
            let _ = self.target.remove(&path);
        }
    }
}

/// Returns `.NAME.xxxx.tmp`, so that a file left by a killed process shows what it belonged to.
fn temporary_name(name: &OsStr, tag: u64, number: u64) -> OsString {
    // Most file systems limit names to 255 bytes.
    const LONGEST: usize = 200;
    let shown = Some(name).filter(|name| name.len() <= LONGEST).unwrap_or("bulla".as_ref());
    let unique = format!(".{tag:08x}{number:x}.tmp");
    let mut temporary = OsString::with_capacity(1 + shown.len() + unique.len());
    temporary.push(".");
    temporary.push(shown);
    temporary.push(unique);
    temporary
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(directory: &Path) -> Vec<OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn dropping_removes_unpublished_files() {
        let directory = tempfile::tempdir().unwrap();
        let target = Arc::new(Directory::target(directory.path()).unwrap());
        let files = TemporaryFiles::new(target.clone());
        let create = |name: &str| files.create(&target, Path::new(""), name.as_ref()).unwrap().0;
        let [complete, bad, _rest] = ["complete", "bad", "rest"].map(create);
        assert!(complete.name().to_string_lossy().starts_with(".complete."));
        files.publish(&target, &complete, "complete".as_ref(), false).unwrap();
        files.discard(&bad);
        assert_eq!(names(directory.path()).len(), 2);
        drop(files);
        assert_eq!(names(directory.path()), ["complete"]);
    }

    #[test]
    fn long_names_are_shortened() {
        assert!(temporary_name("n".repeat(200).as_ref(), u32::MAX.into(), u64::MAX).len() <= 255);
        assert!(
            temporary_name("n".repeat(255).as_ref(), 1, 2)
                .to_string_lossy()
                .starts_with(".bulla.0")
        );
    }
}
