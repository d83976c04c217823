//! Where a command writes. A regular file is written under a temporary name, and gets its own when
//! it is whole and on the disk. Anything else that exists, a device or a pipe, is written through
//! and never replaced.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::io::staged::{Access, Staged, cannot_sync, sync_directory};
use crate::keys::new_key::NewKey;
use crate::process::cleanup::leftovers;
use crate::terminal::display::{DASH, shown};
use crate::terminal::streams;

/// Where the output is to go, before anything is done.
pub(crate) enum Target {
    Stdout,
    /// A file that does not exist.
    New(PathBuf),
    /// A regular file that exists.
    Replaced(Replaced),
    /// A device or a pipe.
    Through(PathBuf),
}

/// A regular file that is to be replaced.
pub(crate) struct Replaced {
    /// As it was given.
    path: PathBuf,
    /// With its links resolved: a link stays what it is, and what it points to is replaced.
    real: PathBuf,
    metadata: Metadata,
}

impl Target {
    /// Finds out what the output is, and refuses what must not be overwritten.
    pub(crate) fn resolve(path: &Path, force: bool) -> Result<Target, Failure> {
        if path == Path::new(DASH) {
            return Ok(Target::Stdout);
        }
        let failure = |e: &io::Error| Failure::io(shown(path), e);
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                Err(Failure::usage(shown(path), "this is a directory; name a file in it"))
            }
            Ok(metadata) if !metadata.is_file() => Ok(Target::Through(path.to_owned())),
            Ok(_) if !force => Err(Failure::new(
                Exit::Environment,
                shown(path),
                "already exists; use --force to replace it",
            )),
            Ok(metadata) => {
                let real = fs::canonicalize(path).map_err(|e| failure(&e))?;
                Ok(Target::Replaced(Replaced { path: path.to_owned(), real, metadata }))
            }
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failure(&e)),
            Err(_) if fs::symlink_metadata(path).is_ok() => {
                let text =
                    "this is a symbolic link to nothing; remove it, or write to another place";
                Err(Failure::new(Exit::Environment, shown(path), text))
            }
            Err(_) => Ok(Target::New(path.to_owned())),
        }
    }

    /// For messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Target::Stdout => "standard output".to_owned(),
            Target::New(path) | Target::Through(path) | Target::Replaced(Replaced { path, .. }) => {
                shown(path)
            }
        }
    }

    /// Whether the output is the regular file `other`.
    pub(crate) fn is(&self, other: Option<&Identity>) -> bool {
        let own = match self {
            Target::Replaced(replaced) => Identity::new(&replaced.metadata, Some(&replaced.path)),
            Target::Stdout => streams::stdout()
                .and_then(|stdout| stdout.metadata())
                .ok()
                .and_then(|metadata| Identity::new(&metadata, None)),
            Target::New(_) | Target::Through(_) => None,
        };
        own.is_some() && own.as_ref() == other
    }

    /// Opens the output for writing. Nothing of what exists changes by that.
    pub(crate) fn create(&self, access: Access) -> Result<Output, Failure> {
        let created = match self {
            Target::Stdout => Stdout::new().map(Output::Stdout),
            Target::New(path) => {
                Staged::new(path, access).map(|staged| Output::Staged(staged, false))
            }
            Target::Replaced(Replaced { real, metadata, .. }) => Staged::new(real, access)
                .and_then(|staged| {
                    keep_mode(&staged, metadata)?;
                    Ok(Output::Staged(staged, true))
                }),
            Target::Through(path) => {
                let opened = OpenOptions::new().write(true).open(path).inspect(streams::widen);
                opened.map(Output::Through)
            }
        };
        created.map_err(|e| Failure::io(self.name(), &e))
    }

    /// Where a regular file gets its name.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Target::New(path) | Target::Replaced(Replaced { path, .. }) => Some(path),
            Target::Stdout | Target::Through(_) => None,
        }
    }
}

/// An output, open for writing. Unless it is committed, it is as if it had never been opened, as
/// far as that can be.
pub(crate) enum Output {
    Stdout(Stdout),
    Through(File),
    /// And whether it replaces a file.
    Staged(Staged, bool),
}

impl Output {
    pub(crate) fn file(&self) -> io::Result<&File> {
        match self {
            Output::Stdout(stdout) => Ok(&stdout.file),
            Output::Through(file) => Ok(file),
            Output::Staged(staged, _) => staged.file(),
        }
    }

    /// The file that is written, if it is a regular one: under its temporary name, if it has one.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let path = match self {
            Output::Staged(staged, _) => staged.temporary(),
            Output::Stdout(_) | Output::Through(_) => None,
        };
        Identity::new(&self.file().ok()?.metadata().ok()?, path)
    }

    /// Whether the output is ours alone, empty, and can be written at any offset.
    pub(crate) fn is_staged(&self) -> bool {
        matches!(self, Output::Staged(..))
    }

    /// Whether the output is a file that the shell has opened for us. It is written from its first
    /// byte to its last, so that the rest of what a killed process leaves is missing, and not
    /// zeros.
    pub(crate) fn is_redirected(&self) -> bool {
        matches!(self, Output::Stdout(Stdout { before: Some(_), .. }))
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.file().is_ok_and(IsTerminal::is_terminal)
    }

    /// The output is whole: makes it durable if `sync` says so, and gives it its name. A key file
    /// that was made for it is kept from then on, not a moment earlier or later.
    pub(crate) fn commit(
        mut self,
        name: &str,
        new_key: Option<&mut NewKey>,
        sync: bool,
    ) -> Result<(), Failure> {
        self.finish(new_key, sync).map_err(|e| Failure::io(name, &e))?;
        match &self {
            Output::Staged(staged, _) if sync => sync_directory(staged.target()).map_err(|e| {
                Failure::io(name, &e)
                    .and("it is complete, but a power cut may undo it: its directory could not be synced")
            }),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, new_key: Option<&mut NewKey>, sync: bool) -> io::Result<()> {
        if sync {
            match self.file()?.sync_all() {
                Err(e) if !self.is_staged() && cannot_sync(&e) => {}
                synced => synced?,
            }
        }
        let mut leftovers = leftovers();
        match self {
            // A file that came into being since is spared also with --force: nobody can have meant
            // it.
            Output::Staged(staged, replace) => staged.persist(&mut leftovers, *replace)?,
            Output::Stdout(stdout) => stdout.before = None,
            Output::Through(_) => {}
        }
        if let Some(new_key) = new_key {
            new_key.keep(&mut leftovers);
        }
        Ok(())
    }
}

/// Standard output.
pub(crate) struct Stdout {
    file: File,
    /// Length and position of a regular file, before anything was written.
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

/// After a failure, a regular file ends where it ended before.
impl Drop for Stdout {
    fn drop(&mut self) {
        if let Some((len, position)) = self.before {
            // What failed is told already.
            let _ = self.file.set_len(len);
            let _ = self.file.seek(SeekFrom::Start(position));
        }
    }
}

/// What replaces a file may be read by whom the file could be read, as if it had been overwritten.
fn keep_mode(staged: &Staged, replaced: &Metadata) -> io::Result<()> {
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
