//! A file that is written under a temporary name next to its target, and renamed when it is
//! complete.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, PersistError};

use crate::process::cleanup::Cleanup;

/// The permissions of a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// What the umask allows, as for `cp`. This is for containers, which are meant to be shared.
    Umask,
    /// The owner only. This is for keys and decrypted content, because missing access is easily
    /// granted with `chmod`, but excess access cannot be undone.
    Owner,
}

/// A file under a temporary name in the directory of its target. Dropping it, or a signal, removes
/// the file.
pub(crate) struct StagedFile {
    /// `None` once the file has its final name.
    file: Option<NamedTempFile>,
    target: PathBuf,
}

impl StagedFile {
    pub(crate) fn new(target: &Path, access: Access) -> io::Result<StagedFile> {
        let mut cleanup = Cleanup::lock();
        let mut builder = Builder::new();
        let prefix = prefix(target);
        builder.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // `open` applies the umask.
            let mode = if access == Access::Owner { 0o600 } else { 0o666 };
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = access;
        let file = builder.tempfile_in(parent(target))?;
        cleanup.add(file.path());
        Ok(StagedFile { file: Some(file), target: target.to_owned() })
    }

    pub(crate) fn file(&self) -> io::Result<&File> {
        match &self.file {
            Some(file) => Ok(file.as_file()),
            None => Err(io::Error::other("the file has already been renamed")),
        }
    }

    /// Returns the temporary path, or `None` once the file has its final name.
    pub(crate) fn temporary_path(&self) -> Option<&Path> {
        self.file.as_ref().map(NamedTempFile::path)
    }

    /// Returns the final path.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Renames the file to its final path. The caller holds the cleanup lock, so that it can take
    /// other steps under the same lock.
    pub(crate) fn publish(&mut self, cleanup: &mut Cleanup, replace: bool) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let staged = file.path().to_owned();
        let persisted =
            if replace { file.persist(&self.target) } else { persist_new(file, &self.target) };
        match persisted {
            Ok(_) => {
                cleanup.forget(&staged);
                Ok(())
            }
            Err(failed) => {
                self.file = Some(failed.file);
                Err(failed.error)
            }
        }
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let mut cleanup = Cleanup::lock();
            cleanup.forget(file.path());
            drop(file);
        }
    }
}

/// Syncs the directory of `target`. Until then, a power failure can undo a rename.
pub(crate) fn sync_directory(target: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(parent(target)).and_then(|directory| directory.sync_all()) {
        // Some file systems cannot sync directories, and some directories cannot be opened.
        Err(e) if cannot_sync(&e) || e.kind() == ErrorKind::PermissionDenied => {}
        synced => return synced,
    }
    #[cfg(not(unix))]
    let _ = target;
    Ok(())
}

/// Returns whether the error means that the file cannot be synced, such as a pipe.
pub(crate) fn cannot_sync(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

/// Renames the file to a path that must not exist.
fn persist_new(file: NamedTempFile, target: &Path) -> Result<File, PersistError> {
    match file.persist_noclobber(target) {
        Err(PersistError { error, file }) if error.kind() != ErrorKind::AlreadyExists => {
            // The file system supports neither an exclusive rename nor hard links.
            if claim(target).is_err() {
                Err(PersistError { error, file })
            } else {
                persist_claimed(file, target)
            }
        }
        persisted => persisted,
    }
}

/// Reserves an unused path by creating an empty file, which a rename then replaces.
fn claim(target: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(target).map(drop)
}

fn persist_claimed(file: NamedTempFile, target: &Path) -> Result<File, PersistError> {
    file.persist(target).inspect_err(|_| {
        // The rename error is the one to report.
        let _ = fs::remove_file(target);
    })
}

fn parent(target: &Path) -> &Path {
    match target.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

/// Returns `.NAME.`, so that a file left by a killed process shows what it belonged to.
fn prefix(target: &Path) -> OsString {
    // Most file systems limit names to 255 bytes.
    const LONGEST: usize = 200;
    let name = target.file_name().filter(|name| name.len() <= LONGEST);
    let mut prefix = OsString::from(".");
    prefix.push(name.unwrap_or("bulla".as_ref()));
    prefix.push(".");
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(directory: &Path) -> Vec<OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn dropping_removes_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let staged = StagedFile::new(&directory.path().join("x"), Access::Owner).unwrap();
        assert!(names(directory.path())[0].to_string_lossy().starts_with(".x."));
        drop(staged);
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn does_not_replace_a_target_created_in_the_meantime() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("x");
        let mut staged = StagedFile::new(&target, Access::Umask).unwrap();
        fs::write(&target, "other").unwrap();
        let refused = staged.publish(&mut Cleanup::lock(), false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        drop(staged);
        assert_eq!(fs::read(&target).unwrap(), b"other");
        assert_eq!(names(directory.path()), ["x"]);
    }

    /// File systems without hard links use this fallback.
    #[test]
    fn claims_a_path_and_replaces_it() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("x");
        claim(&target).unwrap();
        assert!(claim(&target).is_err());
        let mut file = NamedTempFile::new_in(directory.path()).unwrap();
        file.write_all(b"complete").unwrap();
        persist_claimed(file, &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"complete");
        assert_eq!(names(directory.path()), ["x"]);
    }

    #[test]
    fn missing_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let error = StagedFile::new(&directory.path().join("no/x"), Access::Umask).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn accepts_the_longest_file_name() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("n".repeat(255));
        let mut staged = StagedFile::new(&target, Access::Umask).unwrap();
        staged.publish(&mut Cleanup::lock(), false).unwrap();
        assert!(target.exists());
    }
}
