//! Files that are restored, many at a time, each under a temporary name until it is whole. A signal
//! removes them before it ends the process.
//!
//! Whatever makes or renames such a file does it while it holds the gate open, and a signal shuts
//! the gate first. So there is no moment in which a file exists and a signal would not find it, or
//! in which it would remove what has its final name already.

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

use crate::process::cleanup::leftovers;
use crate::restore::directory::Directory;

/// All files of a run that have no name of their own yet. What is left of them is removed when this
/// is dropped, or by a signal.
pub(crate) struct Unfinished(Arc<Shared>);

struct Shared {
    target: Arc<Directory>,
    gate: RwLock<()>,
    /// Paths below the target: an open directory for each would be too many.
    files: Mutex<HashMap<u64, PathBuf>>,
    /// Tells this run's files from those that a killed one left.
    tag: u64,
    count: AtomicU64,
}

/// A file under a temporary name.
#[derive(Clone)]
pub(crate) struct Temporary {
    number: u64,
    name: OsString,
}

impl Temporary {
    /// In its directory.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }
}

impl Unfinished {
    pub(crate) fn new(target: Arc<Directory>) -> Unfinished {
        let (gate, files, count) = Default::default();
        // Seeded by the system at random. It needs no secrecy: a name that is taken is never used.
        let tag = RandomState::new().hash_one(0) & 0xFFFF_FFFF;
        let shared = Arc::new(Shared { target, gate, files, tag, count });
        let stopped = shared.clone();
        leftovers().run_on_signal(Box::new(move || {
            // Never opened again: nothing is created or renamed any more.
            mem::forget(stopped.gate.write());
            stopped.remove_all();
        }));
        Unfinished(shared)
    }

    /// Makes a file that is to be called `name` in `directory`, which lies at `below`.
    pub(crate) fn create(
        &self,
        directory: &Directory,
        below: &Path,
        name: &OsStr,
    ) -> io::Result<(Temporary, File)> {
        let (temporary, path) = self.name(below, name);
        let _gate = self.gate();
        let file = directory.create(&temporary.name)?;
        self.0.files().insert(temporary.number, path);
        Ok((temporary, file))
    }

    /// As [`create`](Unfinished::create), for a symbolic link.
    pub(crate) fn link(
        &self,
        directory: &Directory,
        below: &Path,
        name: &OsStr,
        target: &[u8],
    ) -> io::Result<Temporary> {
        let (temporary, path) = self.name(below, name);
        let _gate = self.gate();
        directory.link(&temporary.name, target)?;
        self.0.files().insert(temporary.number, path);
        Ok(temporary)
    }

    /// Gives a file its name: it is whole.
    pub(crate) fn finish(
        &self,
        directory: &Directory,
        temporary: &Temporary,
        name: &OsStr,
        replace: bool,
    ) -> io::Result<()> {
        let _gate = self.gate();
        directory.rename(&temporary.name, name, replace)?;
        self.0.files().remove(&temporary.number);
        Ok(())
    }

    /// Removes a file that will not be whole.
    pub(crate) fn discard(&self, temporary: &Temporary) {
        let _gate = self.gate();
        let path = self.0.files().remove(&temporary.number);
        if let Some(path) = path {
            // Why it is discarded is told; there is nothing to add.
            let _ = self.0.target.remove(&path);
        }
    }

    fn name(&self, below: &Path, name: &OsStr) -> (Temporary, PathBuf) {
        let number = self.0.count.fetch_add(1, Ordering::Relaxed);
        let name = temporary_name(name, self.0.tag, number);
        let path = below.join(&name);
        (Temporary { number, name }, path)
    }

    fn gate(&self) -> RwLockReadGuard<'_, ()> {
        self.0.gate.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.remove_all();
        leftovers().run_nothing_on_signal();
    }
}

impl Shared {
    fn files(&self) -> MutexGuard<'_, HashMap<u64, PathBuf>> {
        // What is shared is whole at every step.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove_all(&self) {
        for (_, path) in self.files().drain() {
            // There is nobody left to act on a failure.
            let _ = self.target.remove(&path);
        }
    }
}

/// `.NAME.xxxx.tmp`, so that a file that was left by a killed process shows whose it was.
fn temporary_name(name: &OsStr, tag: u64, number: u64) -> OsString {
    // Names of 255 bytes are the limit of most file systems.
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
    fn finished_discarded_and_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let target = Arc::new(Directory::target(directory.path()).unwrap());
        let unfinished = Unfinished::new(target.clone());
        let create =
            |name: &str| unfinished.create(&target, Path::new(""), name.as_ref()).unwrap().0;
        let [whole, bad, _rest] = ["whole", "bad", "rest"].map(create);
        assert!(whole.name().to_string_lossy().starts_with(".whole."));
        unfinished.finish(&target, &whole, "whole".as_ref(), false).unwrap();
        unfinished.discard(&bad);
        assert_eq!(names(directory.path()).len(), 2);
        drop(unfinished);
        assert_eq!(names(directory.path()), ["whole"]);
    }

    #[test]
    fn longest_name() {
        assert!(temporary_name("n".repeat(200).as_ref(), u32::MAX.into(), u64::MAX).len() <= 255);
        assert!(
            temporary_name("n".repeat(255).as_ref(), 1, 2)
                .to_string_lossy()
                .starts_with(".bulla.0")
        );
    }
}
