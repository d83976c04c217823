//! Input files and streams.

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal, Seek};
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::io::path::is_dash;
use crate::io::streams;
use crate::terminal::display::shown;

/// A file or stream, open for reading.
pub(crate) struct Input {
    pub(crate) file: File,
    /// The name to show in messages.
    pub(crate) name: String,
    /// `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    metadata: Metadata,
}

impl Input {
    /// Opens the input named on the command line. `None` means standard input, which is rejected if
    /// it is a terminal, because the user most likely forgot the file name.
    pub(crate) fn open(path: Option<&Path>) -> Result<Input, Failure> {
        match path {
            None if io::stdin().is_terminal() => {
                let problem = "no input; name a file, use a pipe, or use - to type the input";
                Err(Failure::usage("standard input", problem))
            }
            None => Input::stdin(),
            Some(path) if is_dash(path) => Input::stdin(),
            Some(path) => Input::file(path),
        }
    }

    fn stdin() -> Result<Input, Failure> {
        let name = "standard input".to_owned();
        let opened = streams::stdin().and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened.map_err(|e| Failure::io(&name, &e))?;
        Input { file, name, path: None, metadata }.reject_directory()
    }

    fn file(path: &Path) -> Result<Input, Failure> {
        let opened = File::open(path)
            .inspect(streams::enlarge_pipe)
            .and_then(|file| Ok((file.metadata()?, file)));
        let name = shown(path);
        match opened {
            Ok((metadata, file)) => {
                Input { file, name, path: Some(path.to_owned()), metadata }.reject_directory()
            }
            // Some systems refuse to open a directory.
            Err(_) if path.is_dir() => Err(is_a_directory(&name)),
            Err(e) => Err(Failure::io(name, &e)),
        }
    }

    fn reject_directory(self) -> Result<Input, Failure> {
        if self.metadata.is_dir() { Err(is_a_directory(&self.name)) } else { Ok(self) }
    }

    /// Returns the length of a regular file in bytes. Files in `/proc` report 0 and contain more,
    /// so 0 counts as unknown.
    pub(crate) fn len(&self) -> Option<u64> {
        Some(self.metadata.len()).filter(|len| self.metadata.is_file() && *len > 0)
    }

    /// Returns the length if the file can be read at any offset and is positioned at its start.
    /// If standard input is a file, another process may already have read part of it.
    pub(crate) fn positional_len(&self) -> Option<u64> {
        let is_at_start = (&self.file).stream_position().is_ok_and(|position| position == 0);
        self.len().filter(|_| is_at_start)
    }

    pub(crate) fn identity(&self) -> Option<Identity> {
        Identity::new(&self.metadata, self.path.as_deref())
    }
}

fn is_a_directory(name: &str) -> Failure {
    Failure::usage(name, "is a directory; use `bulla backup`")
}

/// The identity of a regular file, independent of its path.
#[derive(PartialEq, Eq)]
pub(crate) struct Identity(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

impl Identity {
    /// Returns `None` if `path` is not a regular file or cannot be accessed.
    pub(crate) fn of(path: &Path) -> Option<Identity> {
        Identity::new(&fs::metadata(path).ok()?, Some(path))
    }

    #[cfg(unix)]
    pub(crate) fn new(metadata: &Metadata, _: Option<&Path>) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        metadata.is_file().then(|| Identity((metadata.dev(), metadata.ino())))
    }

    #[cfg(not(unix))]
    pub(crate) fn new(metadata: &Metadata, path: Option<&Path>) -> Option<Identity> {
        let path = path.filter(|_| metadata.is_file())?;
        fs::canonicalize(path).ok().map(Identity)
    }
}
