//! New key files.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use bulla::Key;
use bulla_key::key_text;

use crate::error::{Exit, Failure};
use crate::io::staged::{Access, StagedFile, sync_directory};
use crate::process::cleanup::Cleanup;
use crate::terminal::display::shown;

/// A key file that was just created.
///
/// Dropping it, or a signal, removes the file unless [`keep`](NewKeyFile::keep) was called, because
/// a key whose container was not written is useless.
pub(crate) struct NewKeyFile {
    path: PathBuf,
    kept: bool,
}

impl NewKeyFile {
    /// Generates a key and writes it to a file that must not exist. The file is synced.
    pub(crate) fn generate(path: &Path) -> Result<(NewKeyFile, Key), Failure> {
        reject_existing(path)?;
        let key = Key::generate()
            .map_err(|e| Failure::new(Exit::Environment, shown(path), e.to_string()))?;
        Ok((NewKeyFile::create(path, &key)?, key))
    }

    /// Writes `key` to a file that must not exist. The file is synced.
    pub(crate) fn create(path: &Path, key: &Key) -> Result<NewKeyFile, Failure> {
        match write(path, key) {
            Ok(new_key) => Ok(new_key),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(already_exists(path)),
            Err(e) => Err(Failure::io(shown(path), &e)),
        }
    }

    /// Keeps the file.
    pub(crate) fn keep(&mut self, cleanup: &mut Cleanup) {
        cleanup.forget(&self.path);
        self.kept = true;
    }
}

impl Drop for NewKeyFile {
    fn drop(&mut self) {
        if !self.kept {
            let mut cleanup = Cleanup::lock();
            cleanup.forget(&self.path);
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Fails if anything exists at the path of a future key file.
pub(crate) fn reject_existing(path: &Path) -> Result<(), Failure> {
    // Not `exists`, which is false for a dangling link.
    if fs::symlink_metadata(path).is_ok() { Err(already_exists(path)) } else { Ok(()) }
}

fn already_exists(path: &Path) -> Failure {
    let problem = "already exists, and a key file is never overwritten; choose another name";
    Failure::new(Exit::Environment, shown(path), problem)
}

fn write(path: &Path, key: &Key) -> io::Result<NewKeyFile> {
    let mut staged = StagedFile::new(path, Access::Owner)?;
    let mut file = staged.file()?;
    file.write_all(key_text::format(key).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let new_key = {
        let mut cleanup = Cleanup::lock();
        staged.publish(&mut cleanup, false)?;
        cleanup.add(path);
        NewKeyFile { path: path.to_owned(), kept: false }
    };
    sync_directory(path)?;
    Ok(new_key)
}
