//! Outputs. A regular file is written under a temporary name, and renamed when it is complete and
//! on disk. A device or a pipe is written directly and never replaced.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::io::path::is_dash;
use crate::io::staged::{Access, StagedFile, cannot_sync, sync_directory};
use crate::io::streams;
use crate::process::cleanup::Cleanup;
use crate::terminal::display::shown;

/// The destination of an output, before it is opened.
pub(crate) enum Target {
    Stdout,
    /// A file that does not exist yet.
    New(PathBuf),
    /// An existing regular file.
    Existing(ExistingFile),
    /// A device or a pipe.
    Device(PathBuf),
}

/// A regular file to replace.
pub(crate) struct ExistingFile {
    /// The path from the command line.
    path: PathBuf,
    /// The path with links resolved, so that a link is kept and its target replaced.
    real: PathBuf,
    metadata: Metadata,
}

impl Target {
    /// Determines what kind of output `path` is, and rejects a file that must not be
    /// overwritten.
    pub(crate) fn resolve(path: &Path, force: bool) -> Result<Target, Failure> {
        if is_dash(path) {
            return Ok(Target::Stdout);
        }
        let failure = |e: &io::Error| Failure::io(shown(path), e);
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                Err(Failure::usage(shown(path), "is a directory").with_remedy("name a file in it"))
            }
            Ok(metadata) if !metadata.is_file() => Ok(Target::Device(path.to_owned())),
            Ok(_) if !force => Err(Failure::new(Exit::Environment, shown(path), "already exists")
                .with_remedy("use --force to replace it")),
            Ok(metadata) => {
                let real = fs::canonicalize(path).map_err(|e| failure(&e))?;
                Ok(Target::Existing(ExistingFile { path: path.to_owned(), real, metadata }))
            }
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failure(&e)),
            Err(_) if fs::symlink_metadata(path).is_ok() => {
                Err(Failure::new(Exit::Environment, shown(path), "dangling symbolic link")
                    .with_remedy("remove it or name another file"))
            }
            Err(_) => Ok(Target::New(path.to_owned())),
        }
    }

    /// Returns the name to show in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Target::Stdout => "standard output".to_owned(),
            Target::New(path)
            | Target::Device(path)
            | Target::Existing(ExistingFile { path, .. }) => shown(path),
        }
    }

    /// Returns whether the output is the regular file `other`.
    pub(crate) fn is(&self, other: Option<&Identity>) -> bool {
        let own = match self {
            Target::Existing(file) => Identity::new(&file.metadata, Some(&file.path)),
            Target::Stdout => streams::stdout()
                .and_then(|stdout| stdout.metadata())
                .ok()
                .and_then(|metadata| Identity::new(&metadata, None)),
            Target::New(_) | Target::Device(_) => None,
        };
        own.is_some() && own.as_ref() == other
    }

    /// Opens the output for writing. Existing files do not change until
    /// [`commit`](Output::commit).
    pub(crate) fn create(&self, access: Access) -> Result<Output, Failure> {
        let created = match self {
            Target::Stdout => Stdout::new().map(Output::Stdout),
            Target::New(path) => {
                StagedFile::new(path, access).map(|staged| Output::Staged(staged, false))
            }
            Target::Existing(ExistingFile { real, metadata, .. }) => StagedFile::new(real, access)
                .and_then(|staged| {
                    keep_mode(&staged, metadata)?;
                    Ok(Output::Staged(staged, true))
                }),
            Target::Device(path) => {
                let opened =
                    OpenOptions::new().write(true).open(path).inspect(streams::enlarge_pipe);
                opened.map(Output::Device)
            }
        };
        created.map_err(|e| Failure::io(self.name(), &e))
    }

    /// Returns the path of a regular file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Target::New(path) | Target::Existing(ExistingFile { path, .. }) => Some(path),
            Target::Stdout | Target::Device(_) => None,
        }
    }
}

/// An output that is open for writing. Dropping it without [`commit`](Output::commit) discards what
/// was written, as far as possible.
pub(crate) enum Output {
    Stdout(Stdout),
    Device(File),
    /// A staged file, and whether it replaces an existing one.
    Staged(StagedFile, bool),
}

impl Output {
    pub(crate) fn file(&self) -> io::Result<&File> {
        match self {
            Output::Stdout(stdout) => Ok(&stdout.file),
            Output::Device(file) => Ok(file),
            Output::Staged(staged, _) => staged.file(),
        }
    }

    /// Returns the identity of the file being written, if it is a regular file.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let path = match self {
            Output::Staged(staged, _) => staged.temporary_path(),
            Output::Stdout(_) | Output::Device(_) => None,
        };
        Identity::new(&self.file().ok()?.metadata().ok()?, path)
    }

    /// Returns whether the output is a new, empty file that can be written at any offset.
    pub(crate) fn is_staged(&self) -> bool {
        matches!(self, Output::Staged(..))
    }

    /// Returns whether the output is a file that the shell opened. Such a file is written
    /// sequentially, so that a killed process leaves a truncated file, not one with holes.
    pub(crate) fn is_redirected(&self) -> bool {
        matches!(self, Output::Stdout(Stdout { before: Some(_), .. }))
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.file().is_ok_and(IsTerminal::is_terminal)
    }

    /// Publishes the complete output: syncs it if `sync` is set, and renames it to its final path.
    pub(crate) fn commit(self, name: &str, sync: bool) -> Result<(), Failure> {
        self.commit_with(name, sync, |_| ())
    }

    /// Does the same as [`commit`](Output::commit), and runs `also` under the same cleanup lock, so
    /// that no signal is handled between the two.
    pub(crate) fn commit_with(
        mut self,
        name: &str,
        sync: bool,
        also: impl FnOnce(&mut Cleanup),
    ) -> Result<(), Failure> {
        self.finish(sync, also).map_err(|e| Failure::io(name, &e))?;
        match &self {
            Output::Staged(staged, _) if sync => sync_directory(staged.target()).map_err(|e| {
                Failure::io(name, &e).and(
                    "the file is complete, but its directory could not be synced, so a power \
                     failure may remove it",
                )
            }),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, sync: bool, also: impl FnOnce(&mut Cleanup)) -> io::Result<()> {
        if sync {
            match self.file()?.sync_all() {
                Err(e) if !self.is_staged() && cannot_sync(&e) => {}
                synced => synced?,
            }
        }
        let mut cleanup = Cleanup::lock();
        match self {
            // A file created in the meantime is not replaced, even with --force, because the user
            // cannot have meant it.
            Output::Staged(staged, replace) => staged.publish(&mut cleanup, *replace)?,
            Output::Stdout(stdout) => stdout.before = None,
            Output::Device(_) => {}
        }
        also(&mut cleanup);
        Ok(())
    }
}

/// Standard output.
pub(crate) struct Stdout {
    file: File,
    /// The length and position of a regular file before the first write.
    before: Option<(u64, u64)>,
}

impl Stdout {
    fn new() -> io::Result<Stdout> {
        let file = streams::stdout()?;
        let metadata = file.metadata()?;
        let before = if metadata.is_file() {
            Some((metadata.len(), (&file).stream_position()?))
        } else {
            None
        };
        Ok(Stdout { file, before })
    }
}

/// Truncates a regular file to its previous length after a failure.
impl Drop for Stdout {
    fn drop(&mut self) {
        if let Some((len, position)) = self.before {
            // The original failure is the one to report.
            let _ = self.file.set_len(len);
            let _ = self.file.seek(SeekFrom::Start(position));
        }
    }
}

/// Gives a file the permissions of the file it replaces, as if that file had been
/// overwritten.
fn keep_mode(staged: &StagedFile, replaced: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = replaced.permissions().mode() & 0o777;
        staged.file()?.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    #[cfg(not(unix))]
    let _ = (staged, replaced);
    Ok(())
}
