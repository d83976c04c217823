//! Makes a new key, and the file that holds it.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use bulla::Key;
use bulla_key::key_text;

use crate::error::{Exit, Failure};
use crate::io::staged::{Access, Staged, sync_directory};
use crate::process::cleanup::{Leftovers, leftovers};
use crate::terminal::display::shown;

/// A key file that was just made. It is removed when dropped, or by a signal, unless it was told to
/// stay: a key without a container is of no use.
pub(crate) struct NewKey {
    path: PathBuf,
    kept: bool,
}

impl NewKey {
    /// Draws a key, and writes it to a file that must not exist. When this returns, the file is on
    /// the disk.
    pub(crate) fn create(path: &Path) -> Result<(NewKey, Key), Failure> {
        refuse_existing(path)?;
        let key = Key::generate()
            .map_err(|e| Failure::new(Exit::Environment, shown(path), e.to_string()))?;
        Ok((NewKey::of(path, &key)?, key))
    }

    /// The same for a key that there is already.
    pub(crate) fn of(path: &Path, key: &Key) -> Result<NewKey, Failure> {
        match write(path, key) {
            Ok(new_key) => Ok(new_key),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(exists(path)),
            Err(e) => Err(Failure::io(shown(path), &e)),
        }
    }

    /// The file stays.
    pub(crate) fn keep(&mut self, leftovers: &mut Leftovers) {
        leftovers.forget(&self.path);
        self.kept = true;
    }
}

impl Drop for NewKey {
    fn drop(&mut self) {
        if !self.kept {
            let mut leftovers = leftovers();
            leftovers.forget(&self.path);
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Fails if there is anything under the name of a key file to be.
pub(crate) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    // Not `exists`: a link to nothing is something.
    if fs::symlink_metadata(path).is_ok() { Err(exists(path)) } else { Ok(()) }
}

fn exists(path: &Path) -> Failure {
    let text = "already exists; a key file is never overwritten, name another one";
    Failure::new(Exit::Environment, shown(path), text)
}

fn write(path: &Path, key: &Key) -> io::Result<NewKey> {
    let mut staged = Staged::new(path, Access::Owner)?;
    let mut file = staged.file()?;
    file.write_all(key_text::format(key).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let new_key = {
        let mut leftovers = leftovers();
        staged.persist(&mut leftovers, false)?;
        leftovers.add(path);
        NewKey { path: path.to_owned(), kept: false }
    };
    sync_directory(path)?;
    Ok(new_key)
}
