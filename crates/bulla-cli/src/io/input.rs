//! What a command reads.

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal, Seek};
use std::path::{Path, PathBuf};

use crate::error::Failure;
use crate::terminal::display::{DASH, shown};
use crate::terminal::streams;

/// A file or stream, open for reading.
pub(crate) struct Input {
    pub(crate) file: File,
    /// For messages.
    pub(crate) name: String,
    /// None for standard input.
    pub(crate) path: Option<PathBuf>,
    metadata: Metadata,
}

impl Input {
    /// Opens what the command line names. `None` means standard input, unless that is a terminal:
    /// then the name was forgotten.
    pub(crate) fn open(path: Option<&Path>) -> Result<Input, Failure> {
        match path {
            None if io::stdin().is_terminal() => {
                let text =
                    "no input; name a file, or give the input by a pipe (or name - to type it in)";
                Err(Failure::usage("standard input", text))
            }
            None => Input::stdin(),
            Some(path) if path == Path::new(DASH) => Input::stdin(),
            Some(path) => Input::file(path),
        }
    }

    fn stdin() -> Result<Input, Failure> {
        let name = "standard input".to_owned();
        let opened = streams::stdin().and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = opened.map_err(|e| Failure::io(&name, &e))?;
        Input { file, name, path: None, metadata }.no_directory()
    }

    fn file(path: &Path) -> Result<Input, Failure> {
        let opened =
            File::open(path).inspect(streams::widen).and_then(|file| Ok((file.metadata()?, file)));
        let name = shown(path);
        match opened {
            Ok((metadata, file)) => {
                Input { file, name, path: Some(path.to_owned()), metadata }.no_directory()
            }
            // Not every system opens directories.
            Err(_) if path.is_dir() => Err(is_a_directory(&name)),
            Err(e) => Err(Failure::io(name, &e)),
        }
    }

    fn no_directory(self) -> Result<Input, Failure> {
        if self.metadata.is_dir() { Err(is_a_directory(&self.name)) } else { Ok(self) }
    }

    /// The length of a regular file that states one. Files in `/proc` state 0 and hold more, so 0
    /// counts as unknown.
    pub(crate) fn len(&self) -> Option<u64> {
        Some(self.metadata.len()).filter(|len| self.metadata.is_file() && *len > 0)
    }

    /// The length, if the file can be read at any offset and is to be read from its first byte on.
    /// Of a standard input that is a file, someone may have read a part already.
    pub(crate) fn positional_len(&self) -> Option<u64> {
        let starts = (&self.file).stream_position().is_ok_and(|position| position == 0);
        self.len().filter(|_| starts)
    }

    pub(crate) fn identity(&self) -> Option<Identity> {
        Identity::new(&self.metadata, self.path.as_deref())
    }
}

fn is_a_directory(name: &str) -> Failure {
    let text = "this is a directory; `bulla backup` makes one archive of it";
    Failure::usage(name, text)
}

/// What makes two regular files one and the same, whatever their names.
#[derive(PartialEq, Eq)]
pub(crate) struct Identity(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

impl Identity {
    /// None for what is no regular file, or cannot be told.
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
