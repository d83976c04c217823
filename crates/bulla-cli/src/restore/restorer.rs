//! Restores entries below a target directory. A file gets its final name when all its bytes are
//! written and authenticated and, unless the user opts out, on disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla_archive::{Entry, Metadata};

use crate::error::Failure;
use crate::io::staged::{cannot_sync, sync_directory};
use crate::restore::directories::{CAN_SYNC_FILE_SYSTEM, Directories, DirectoryId};
use crate::restore::directory::{Directory, Found, split, system_name};
use crate::restore::temporary::{TemporaryFile, TemporaryFiles};
use crate::terminal::display::{shown, shown_below};

/// The maximum number of files, and roughly of bytes, that are synced together. An interrupted
/// restore loses up to this much.
const MAX_BATCH: (usize, u64) = (8192, 1 << 30);
/// Up to this many files are synced one by one, which avoids syncing the whole file system.
const MAX_SINGLE_SYNCS: usize = 16;

/// How restored files are synced before they get their final names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Not at all.
    None,
    /// One by one.
    EachFile,
    /// In batches, by syncing the file system.
    Batches,
}

impl Durability {
    /// Returns the fastest way to sync this many files.
    pub(crate) fn choose(sync: bool, files: usize) -> Durability {
        match sync {
            false => Durability::None,
            true if files > MAX_SINGLE_SYNCS && CAN_SYNC_FILE_SYSTEM => Durability::Batches,
            true => Durability::EachFile,
        }
    }
}

/// A restore in progress. Dropping it removes all incomplete files.
pub(crate) struct Restorer {
    /// The target, as the user named it.
    directory: PathBuf,
    /// The target and those of its parents that had to be created.
    created: Vec<PathBuf>,
    replace: bool,
    durability: Durability,
    directories: Directories,
    temporary_files: TemporaryFiles,
    batch: Mutex<Batch>,
    restored: AtomicU64,
    attribute_errors: AtomicU64,
}

/// Complete files that are not synced yet.
#[derive(Default)]
struct Batch {
    files: Vec<CompleteFile>,
    bytes: u64,
}

struct CompleteFile {
    directory: DirectoryId,
    temporary: TemporaryFile,
    path: Vec<u8>,
}

/// A file that is being written.
#[derive(Clone)]
pub(crate) struct IncompleteFile {
    directory: DirectoryId,
    temporary: TemporaryFile,
}

impl Restorer {
    /// Creates the target directory if it does not exist.
    pub(crate) fn new(
        directory: &Path,
        replace: bool,
        durability: Durability,
    ) -> Result<Restorer, Failure> {
        let failure = |e: io::Error| Failure::io(shown(directory), &e);
        let is_missing =
            |path: &&Path| !path.as_os_str().is_empty() && fs::symlink_metadata(path).is_err();
        let created = directory.ancestors().take_while(is_missing).map(PathBuf::from).collect();
        fs::create_dir_all(directory).map_err(failure)?;
        let target = Arc::new(Directory::target(directory).map_err(failure)?);
        let temporary_files = TemporaryFiles::new(target.clone());
        Ok(Restorer {
            directory: directory.to_owned(),
            created,
            replace,
            durability,
            directories: Directories::new(target, durability == Durability::Batches)
                .map_err(failure)?,
            temporary_files,
            batch: Mutex::default(),
            restored: AtomicU64::new(0),
            attribute_errors: AtomicU64::new(0),
        })
    }

    /// Returns the directory of an entry, which is created if necessary.
    pub(crate) fn parent_of(&mut self, entry: &Entry) -> io::Result<DirectoryId> {
        self.directories.ensure(split(entry.path()).0, false)
    }

    /// Restores a directory. Its attributes are set by [`complete`](Restorer::complete).
    pub(crate) fn create_directory(&mut self, entry: &Entry) -> io::Result<()> {
        let directory = self.directories.ensure(entry.path(), true)?;
        self.directories.set_metadata_later(directory, entry.metadata(), self.replace)
    }

    /// Returns whether an existing file conflicts with a file or link at `path`. A conflict that
    /// arises later is detected by the rename.
    pub(crate) fn has_conflict(&self, directory: DirectoryId, path: &[u8]) -> io::Result<bool> {
        let found =
            self.directories.open(directory)?.directory.find(system_name(split(path).1)?)?;
        Ok(found == Some(Found::Directory) || (found.is_some() && !self.replace))
    }

    /// Creates the file of an entry, under a temporary name.
    pub(crate) fn create_file(
        &self,
        directory: DirectoryId,
        entry: &Entry,
    ) -> io::Result<(IncompleteFile, File)> {
        let (_, name) = split(entry.path());
        let open = self.directories.open(directory)?;
        let (temporary, file) =
            self.temporary_files.create(&open.directory, &open.path, system_name(name)?)?;
        Ok((IncompleteFile { directory, temporary }, file))
    }

    /// Reopens a file for writing.
    pub(crate) fn reopen(&self, incomplete: &IncompleteFile) -> io::Result<File> {
        let open = self.directories.open(incomplete.directory)?;
        open.directory.reopen(incomplete.temporary.name())
    }

    /// Completes a file: sets its attributes, and publishes it at `path` as soon as it is synced.
    pub(crate) fn complete_file(
        &self,
        incomplete: IncompleteFile,
        file: &File,
        path: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Failure> {
        let len = self.finish_content(file, metadata).map_err(|e| self.failure(path, &e))?;
        let IncompleteFile { directory, temporary } = incomplete;
        let complete = CompleteFile { directory, temporary, path: path.to_vec() };
        if self.durability != Durability::Batches {
            return self.publish(&complete);
        }
        let mut batch = self.batch();
        batch.files.push(complete);
        batch.bytes += len;
        let is_full = batch.files.len() >= MAX_BATCH.0 || batch.bytes >= MAX_BATCH.1;
        let full = is_full.then(|| mem::take(&mut *batch));
        drop(batch);
        full.map_or(Ok(()), |batch| self.publish_batch(batch))
    }

    /// Restores a symbolic link. Links are restored last, so that nothing is written through them.
    pub(crate) fn create_link(&self, directory: DirectoryId, entry: &Entry) -> io::Result<()> {
        let (_, name) = split(entry.path());
        let (open, name) = (self.directories.open(directory)?, system_name(name)?);
        let target = entry.target().unwrap_or_default();
        let temporary = self.temporary_files.link(&open.directory, &open.path, name, target)?;
        if let Some(mtime) = entry.metadata().mtime {
            self.count_attribute_error(open.directory.set_link_mtime(temporary.name(), mtime));
        }
        let published =
            self.temporary_files.publish(&open.directory, &temporary, name, self.replace);
        published.inspect_err(|_| self.temporary_files.discard(&temporary))?;
        self.restored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Publishes the remaining complete files, sets the attributes of directories, and syncs
    /// everything. Continues after a failure, and returns the first failure.
    pub(crate) fn complete(&self) -> Result<(), Failure> {
        let batch = mem::take(&mut *self.batch());
        let published = self.publish_batch(batch);
        let synced = self.finish_directories().and(self.sync_remaining()).map_err(|e| {
            Failure::io(shown(&self.directory), &e).and(
                "all files are complete, but not all directories could be synced, so a power \
                 failure may remove some files",
            )
        });
        published.and(synced)
    }

    /// Returns the number of published files and links.
    pub(crate) fn restored(&self) -> u64 {
        self.restored.load(Ordering::Relaxed)
    }

    /// Returns the number of entries whose permissions or mtime could not be set.
    pub(crate) fn attribute_errors(&self) -> u64 {
        self.attribute_errors.load(Ordering::Relaxed)
    }

    /// Creates the failure for an error while restoring the entry at `path`.
    pub(crate) fn failure(&self, path: &[u8], error: &io::Error) -> Failure {
        Failure::io(shown_below(&self.directory, path), error)
    }

    /// Sets the attributes and syncs the file, unless that is done in batches. Returns the number
    /// of bytes that remain to be synced.
    fn finish_content(&self, file: &File, metadata: &Metadata) -> io::Result<u64> {
        self.count_attribute_error(set_attributes(file, metadata));
        match self.durability {
            Durability::None => Ok(0),
            Durability::EachFile => file.sync_all().map(|()| 0),
            Durability::Batches => Ok(file.metadata()?.len()),
        }
    }

    fn publish(&self, file: &CompleteFile) -> Result<(), Failure> {
        let rename = || {
            let (_, name) = split(&file.path);
            let open = self.directories.open(file.directory)?;
            let name = system_name(name)?;
            self.temporary_files.publish(&open.directory, &file.temporary, name, self.replace)
        };
        rename().map_err(|e| self.failure(&file.path, &e))?;
        self.restored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn publish_batch(&self, batch: Batch) -> Result<(), Failure> {
        if batch.files.is_empty() {
            return Ok(());
        }
        self.directories
            .sync_file_systems()
            .map_err(|e| Failure::io(shown(&self.directory), &e))?;
        let mut first = Ok(());
        for file in &batch.files {
            first = first.and(self.publish(file));
        }
        first
    }

    /// Sets the attributes of directories, children before parents, because a parent's permissions
    /// may deny access to its children.
    fn finish_directories(&self) -> io::Result<()> {
        let mut first = Ok(());
        for (id, metadata) in self.directories.deepest_first() {
            let sync = self.durability == Durability::EachFile;
            if metadata.is_none() && !sync {
                continue;
            }
            let directory = self.directories.open(id).and_then(|open| open.directory.as_file());
            if let Some(metadata) = metadata {
                self.count_attribute_error(match &directory {
                    Ok(directory) => set_attributes(directory, metadata),
                    Err(_) => Err(ErrorKind::NotFound.into()),
                });
            }
            let synced =
                if sync { directory.and_then(|directory| directory.sync_all()) } else { Ok(()) };
            first = first.and(match synced {
                // Some file systems cannot sync directories, and some directories cannot be opened.
                Err(e) if cannot_sync(&e) || e.kind() == ErrorKind::PermissionDenied => Ok(()),
                synced => synced,
            });
        }
        first
    }

    fn sync_remaining(&self) -> io::Result<()> {
        self.directories.sync_file_systems()?;
        match self.durability {
            Durability::None => Ok(()),
            _ => self.created.iter().try_for_each(|path| sync_directory(path)),
        }
    }

    fn batch(&self) -> MutexGuard<'_, Batch> {
        // Every step leaves the data consistent, so a poisoned lock is usable.
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an attribute that could not be set. The content is intact, so the restore continues.
    fn count_attribute_error(&self, result: io::Result<()>) {
        if result.is_err() {
            self.attribute_errors.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sets the mtime and then the permissions, which may forbid setting the mtime.
fn set_attributes(file: &File, metadata: &Metadata) -> io::Result<()> {
    let mtime = match metadata.mtime.map(|mtime| mtime.to_system_time()) {
        Some(Some(mtime)) => file.set_modified(mtime),
        Some(None) => Err(io::Error::other("timestamp out of range")),
        None => Ok(()),
    };
    #[cfg(unix)]
    if let Some(mode) = metadata.mode {
        use std::os::unix::fs::PermissionsExt;
        // Without the set-user-ID and set-group-ID bits, because the owner may be another user, and
        // without the sticky bit.
        file.set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
    }
    mtime
}
