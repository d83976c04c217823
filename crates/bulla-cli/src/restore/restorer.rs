//! Restores entries below a target directory: a file gets its name when its bytes are there, whole
//! and authenticated, and, unless the user says otherwise, on the disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla_archive::{Entry, Metadata};

use crate::error::Failure;
use crate::io::staged::{cannot_sync, sync_directory};
use crate::restore::directories::{CAN_SYNC_FILE_SYSTEM, Directories, Place};
use crate::restore::directory::{Directory, Found, split, system_name};
use crate::restore::temporary::{Temporary, Unfinished};
use crate::terminal::display::shown;

/// Files that are synced together at most, and bytes in them, about. More would be lost by a
/// signal.
const TOGETHER: (usize, u64) = (8192, 1 << 30);
/// Up to so many files are synced one by one, which spares the rest of the file system.
const ONE_BY_ONE: usize = 16;

/// How restored files get to the disk before they get their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The system will do it some time.
    System,
    /// Each by itself.
    EachFile,
    /// Many at once, by syncing their file system.
    Together,
}

impl Durability {
    /// The best for so many files.
    pub(crate) fn choose(sync: bool, files: usize) -> Durability {
        match sync {
            false => Durability::System,
            true if files > ONE_BY_ONE && CAN_SYNC_FILE_SYSTEM => Durability::Together,
            true => Durability::EachFile,
        }
    }
}

/// A restoring in progress. Whatever is unfinished when it is dropped is removed.
pub(crate) struct Restoring {
    /// As the user named it.
    directory: PathBuf,
    /// Directories on the way to the target that had to be made.
    made: Vec<PathBuf>,
    replace: bool,
    durability: Durability,
    directories: Directories,
    unfinished: Unfinished,
    pending: Mutex<Pending>,
    restored: AtomicU64,
    without_attributes: AtomicU64,
}

/// Files that are whole, but not yet on the disk.
#[derive(Default)]
struct Pending {
    files: Vec<Whole>,
    bytes: u64,
}

struct Whole {
    place: Place,
    temporary: Temporary,
    name: Vec<u8>,
}

/// A file that is being written.
#[derive(Clone)]
pub(crate) struct Begun {
    place: Place,
    temporary: Temporary,
}

impl Restoring {
    /// Makes the target if it does not exist.
    pub(crate) fn new(
        directory: &Path,
        replace: bool,
        durability: Durability,
    ) -> Result<Restoring, Failure> {
        let failure = |e: io::Error| Failure::io(shown(directory), &e);
        // Of `a/b/c` the first that exists is found on the way up.
        let missing =
            |path: &&Path| !path.as_os_str().is_empty() && fs::symlink_metadata(path).is_err();
        let made = directory.ancestors().take_while(missing).map(PathBuf::from).collect();
        fs::create_dir_all(directory).map_err(failure)?;
        let target = Arc::new(Directory::target(directory).map_err(failure)?);
        let unfinished = Unfinished::new(target.clone());
        Ok(Restoring {
            directory: directory.to_owned(),
            made,
            replace,
            durability,
            directories: Directories::new(target, durability == Durability::Together)
                .map_err(failure)?,
            unfinished,
            pending: Mutex::default(),
            restored: AtomicU64::new(0),
            without_attributes: AtomicU64::new(0),
        })
    }

    /// The directory that an entry lies in, which is made if need be.
    pub(crate) fn place(&mut self, entry: &Entry) -> io::Result<Place> {
        self.directories.ensure(split(entry.path()).0, false)
    }

    /// Restores a directory. Its attributes come last.
    pub(crate) fn directory(&mut self, entry: &Entry) -> io::Result<()> {
        let place = self.directories.ensure(entry.path(), true)?;
        self.directories.keep(place, entry.metadata(), self.replace)
    }

    /// Whether something is in the way of a file or link of this name. What comes into being later
    /// is found when it gets its name.
    pub(crate) fn is_blocked(&self, place: Place, name: &[u8]) -> io::Result<bool> {
        let found = self.directories.open(place)?.directory.find(system_name(split(name).1)?)?;
        Ok(found == Some(Found::Directory) || (found.is_some() && !self.replace))
    }

    /// Makes the file of an entry, under a temporary name.
    pub(crate) fn begin(&self, place: Place, entry: &Entry) -> io::Result<(Begun, File)> {
        let (_, last) = split(entry.path());
        let open = self.directories.open(place)?;
        let (temporary, file) =
            self.unfinished.create(&open.directory, &open.path, system_name(last)?)?;
        Ok((Begun { place, temporary }, file))
    }

    /// Opens a file that was begun once more.
    pub(crate) fn reopen(&self, begun: &Begun) -> io::Result<File> {
        self.directories.open(begun.place)?.directory.reopen(begun.temporary.name())
    }

    /// The file is whole, and is to be called `name`.
    pub(crate) fn finish(
        &self,
        begun: Begun,
        file: &File,
        name: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Failure> {
        let len = self.set_and_sync(file, metadata).map_err(|e| self.failure(name, &e))?;
        let whole = Whole { place: begun.place, temporary: begun.temporary, name: name.to_vec() };
        if self.durability != Durability::Together {
            return self.settle(&whole);
        }
        let mut pending = self.pending();
        pending.files.push(whole);
        pending.bytes += len;
        let full = pending.files.len() >= TOGETHER.0 || pending.bytes >= TOGETHER.1;
        let full = full.then(|| mem::take(&mut *pending));
        drop(pending);
        full.map_or(Ok(()), |pending| self.settle_all(pending))
    }

    /// Restores a symbolic link. Links come behind everything that could be led astray by them.
    pub(crate) fn link(&self, place: Place, entry: &Entry) -> io::Result<()> {
        let (_, last) = split(entry.path());
        let (open, name) = (self.directories.open(place)?, system_name(last)?);
        let target = entry.target().unwrap_or_default();
        let temporary = self.unfinished.link(&open.directory, &open.path, name, target)?;
        if let Some(modified) = entry.metadata().mtime {
            self.forgive(open.directory.set_link_time(temporary.name(), modified));
        }
        let finished = self.unfinished.finish(&open.directory, &temporary, name, self.replace);
        finished.inspect_err(|_| self.unfinished.discard(&temporary))?;
        self.restored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// What is whole gets its name, directories get their attributes, and all of it gets to the
    /// disk. Of several failures the first is returned; the others stop nothing.
    pub(crate) fn complete(&self) -> Result<(), Failure> {
        let pending = mem::take(&mut *self.pending());
        let settled = self.settle_all(pending);
        let synced = self.close_directories().and(self.sync_the_rest()).map_err(|e| {
            let text = "it is complete, but a power cut may undo it: not all of it could be synced";
            Failure::io(shown(&self.directory), &e).and(text)
        });
        settled.and(synced)
    }

    /// Files and links that have their names.
    pub(crate) fn restored(&self) -> u64 {
        self.restored.load(Ordering::Relaxed)
    }

    /// Entries whose mode or time the file system did not take.
    pub(crate) fn without_attributes(&self) -> u64 {
        self.without_attributes.load(Ordering::Relaxed)
    }

    /// The name of an entry below the target, for messages.
    pub(crate) fn shown(&self, name: &[u8]) -> String {
        shown_below(&self.directory, name)
    }

    /// Restoring the entry `name` failed.
    pub(crate) fn failure(&self, name: &[u8], error: &io::Error) -> Failure {
        Failure::io(self.shown(name), error)
    }

    /// Returns the bytes that are still to be synced.
    fn set_and_sync(&self, file: &File, metadata: &Metadata) -> io::Result<u64> {
        self.forgive(set_attributes(file, metadata));
        match self.durability {
            Durability::System => Ok(0),
            Durability::EachFile => file.sync_all().map(|()| 0),
            Durability::Together => Ok(file.metadata()?.len()),
        }
    }

    fn settle(&self, whole: &Whole) -> Result<(), Failure> {
        let finish = || {
            let (_, last) = split(&whole.name);
            let open = self.directories.open(whole.place)?;
            self.unfinished.finish(
                &open.directory,
                &whole.temporary,
                system_name(last)?,
                self.replace,
            )
        };
        finish().map_err(|e| self.failure(&whole.name, &e))?;
        self.restored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn settle_all(&self, pending: Pending) -> Result<(), Failure> {
        if pending.files.is_empty() {
            return Ok(());
        }
        self.directories
            .sync_file_systems()
            .map_err(|e| Failure::io(shown(&self.directory), &e))?;
        let mut first = Ok(());
        for whole in &pending.files {
            first = first.and(self.settle(whole));
        }
        first
    }

    /// The deepest first: one that nobody may enter is closed behind us.
    fn close_directories(&self) -> io::Result<()> {
        let mut first = Ok(());
        for (place, metadata) in self.directories.deepest_first() {
            let sync = self.durability == Durability::EachFile;
            if metadata.is_none() && !sync {
                continue;
            }
            let directory = self.directories.open(place).and_then(|open| open.directory.as_file());
            if let Some(metadata) = metadata {
                self.forgive(
                    directory.as_ref().map_or(Err(ErrorKind::NotFound.into()), |directory| {
                        set_attributes(directory, metadata)
                    }),
                );
            }
            let synced =
                if sync { directory.and_then(|directory| directory.sync_all()) } else { Ok(()) };
            first = first.and(match synced {
                // As of a single file: some directories cannot be opened, and some file systems
                // cannot sync one.
                Err(e) if cannot_sync(&e) || e.kind() == ErrorKind::PermissionDenied => Ok(()),
                synced => synced,
            });
        }
        first
    }

    fn sync_the_rest(&self) -> io::Result<()> {
        self.directories.sync_file_systems()?;
        match self.durability {
            Durability::System => Ok(()),
            _ => self.made.iter().try_for_each(|path| sync_directory(path)),
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        lock(&self.pending)
    }

    /// A file system that takes no modes or times makes a restored file no worse: it is counted,
    /// and goes on.
    fn forgive(&self, set: io::Result<()>) {
        if set.is_err() {
            self.without_attributes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The name of an entry below `directory`, for messages.
pub(crate) fn shown_below(directory: &Path, name: &[u8]) -> String {
    let below = crate::terminal::display::shown_name(name);
    match shown(directory).as_str() {
        "" | "." => below,
        directory if name.is_empty() => directory.to_owned(),
        directory => format!("{}/{below}", directory.trim_end_matches('/')),
    }
}

/// The time first: a mode may take the right to set it.
fn set_attributes(file: &File, metadata: &Metadata) -> io::Result<()> {
    let time = match metadata.mtime.map(|modified| modified.to_system_time()) {
        Some(Some(modified)) => file.set_modified(modified),
        Some(None) => Err(io::Error::other("the system counts time not so far")),
        None => Ok(()),
    };
    #[cfg(unix)]
    if let Some(mode) = metadata.mode {
        use std::os::unix::fs::PermissionsExt;
        // Neither set-user-id nor set-group-id, for whoever restores is another owner, and no
        // sticky bit.
        file.set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
    }
    time
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is shared is whole at every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
