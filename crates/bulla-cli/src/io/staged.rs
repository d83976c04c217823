//! A file under a temporary name beside its target, until it is whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, PersistError};

use crate::process::cleanup::{Leftovers, leftovers};

/// Who may read a file that the command makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// As the umask says, like `cp`. A container is made to be handed to others.
    Umask,
    /// The owner alone. Nobody seals what everybody may read; whoever wants to share what was
    /// opened says so by `chmod`, while the opposite mistake cannot be undone.
    Owner,
}

/// A file under a temporary name, in the directory of its target. It is removed when dropped, or by
/// a signal.
pub(crate) struct Staged {
    /// None once it has its final name.
    file: Option<NamedTempFile>,
    target: PathBuf,
}

impl Staged {
    pub(crate) fn new(target: &Path, access: Access) -> io::Result<Staged> {
        let mut leftovers = leftovers();
        let mut builder = Builder::new();
        let prefix = prefix(target);
        builder.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // `open` takes the umask off.
            let mode = if access == Access::Owner { 0o600 } else { 0o666 };
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = access;
        let file = builder.tempfile_in(directory(target))?;
        leftovers.add(file.path());
        Ok(Staged { file: Some(file), target: target.to_owned() })
    }

    pub(crate) fn file(&self) -> io::Result<&File> {
        match &self.file {
            Some(file) => Ok(file.as_file()),
            None => Err(io::Error::other("it has its final name already")),
        }
    }

    /// The temporary name; none once it has its final one.
    pub(crate) fn temporary(&self) -> Option<&Path> {
        self.file.as_ref().map(NamedTempFile::path)
    }

    /// The final name.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the file its final name. The caller holds the lock on what a signal removes, and does
    /// more under it.
    pub(crate) fn persist(&mut self, leftovers: &mut Leftovers, replace: bool) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let staged = file.path().to_owned();
        let persisted =
            if replace { file.persist(&self.target) } else { persist_new(file, &self.target) };
        match persisted {
            Ok(_) => {
                leftovers.forget(&staged);
                Ok(())
            }
            Err(failed) => {
                self.file = Some(failed.file);
                Err(failed.error)
            }
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let mut leftovers = leftovers();
            leftovers.forget(file.path());
            drop(file);
        }
    }
}

/// Makes a name durable: until its directory is synced, a power cut can undo a rename.
pub(crate) fn sync_directory(target: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(directory(target)).and_then(|directory| directory.sync_all()) {
        // Some file systems cannot sync a directory, and some directories cannot be opened.
        Err(e) if cannot_sync(&e) || e.kind() == ErrorKind::PermissionDenied => {}
        synced => return synced,
    }
    #[cfg(not(unix))]
    let _ = target;
    Ok(())
}

/// Whether the error means that there is nothing to sync, in a pipe say.
pub(crate) fn cannot_sync(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

/// Renames to a name that must not exist.
fn persist_new(file: NamedTempFile, target: &Path) -> Result<File, PersistError> {
    match file.persist_noclobber(target) {
        Err(PersistError { error, file }) if error.kind() != ErrorKind::AlreadyExists => {
            // Some file systems know neither a rename that spares what exists, nor hard links.
            if claim(target).is_err() {
                Err(PersistError { error, file })
            } else {
                persist_claimed(file, target)
            }
        }
        persisted => persisted,
    }
}

/// Takes the name, if nobody has it, by an empty file of our own that can be replaced.
fn claim(target: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(target).map(drop)
}

fn persist_claimed(file: NamedTempFile, target: &Path) -> Result<File, PersistError> {
    file.persist(target).inspect_err(|_| {
        // The error that is returned is the one to tell.
        let _ = fs::remove_file(target);
    })
}

fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

/// `.NAME.`, so that a file that was left by a killed process shows whose it was.
fn prefix(target: &Path) -> OsString {
    // Names of 255 bytes are the limit of most file systems.
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
    fn dropped_before_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let staged = Staged::new(&directory.path().join("x"), Access::Owner).unwrap();
        assert!(names(directory.path())[0].to_string_lossy().starts_with(".x."));
        drop(staged);
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn target_came_into_being_meanwhile() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("x");
        let mut staged = Staged::new(&target, Access::Umask).unwrap();
        fs::write(&target, "another's").unwrap();
        let refused = staged.persist(&mut leftovers(), false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        drop(staged);
        assert_eq!(fs::read(&target).unwrap(), b"another's");
        assert_eq!(names(directory.path()), ["x"]);
    }

    /// The way of file systems without hard links.
    #[test]
    fn claimed_name() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("x");
        claim(&target).unwrap();
        assert!(claim(&target).is_err());
        let mut file = NamedTempFile::new_in(directory.path()).unwrap();
        file.write_all(b"whole").unwrap();
        persist_claimed(file, &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert_eq!(names(directory.path()), ["x"]);
    }

    #[test]
    fn directory_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let error = Staged::new(&directory.path().join("no/x"), Access::Umask).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn longest_name() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("n".repeat(255));
        let mut staged = Staged::new(&target, Access::Umask).unwrap();
        staged.persist(&mut leftovers(), false).unwrap();
        assert!(target.exists());
    }
}
