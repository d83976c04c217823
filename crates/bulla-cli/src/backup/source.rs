//! The paths on the command line, and the files below them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bulla_archive::Source;

use crate::error::Failure;
use crate::io::path::{DASH, archive_bytes, is_dash};
use crate::terminal::display::shown;

/// A file or directory that the command line names.
pub(crate) struct Root {
    /// The path from the command line.
    pub(crate) path: PathBuf,
    /// The path in the archive: the last component of `path`. Empty for `.`, `..` and `/`, whose
    /// contents are stored without a prefix.
    pub(crate) entry: Vec<u8>,
    pub(crate) metadata: Metadata,
}

impl Root {
    pub(crate) fn new(path: &Path) -> Result<Root, Failure> {
        if is_dash(path) {
            let problem = "cannot back up standard input; use `bulla seal`, or ./- for a file with \
                           this name";
            return Err(Failure::usage(DASH, problem));
        }
        let metadata = fs::symlink_metadata(path).map_err(|e| Failure::io(shown(path), &e))?;
        let entry = match path.file_name() {
            None => Vec::new(),
            Some(name) => archive_bytes(name).ok_or_else(|| {
                Failure::usage(shown(path), "file name is not valid Unicode; rename it")
            })?,
        };
        Ok(Root { path: path.to_owned(), entry, metadata })
    }

    /// Returns the archive path of `path`, which is the root itself or below it.
    ///
    /// Returns `None` if the path is not valid Unicode and the system is not Unix.
    pub(crate) fn entry_path(&self, path: &Path) -> Option<Vec<u8>> {
        let below = path.strip_prefix(&self.path).unwrap_or(Path::new(""));
        let below = archive_bytes(below.as_os_str())?;
        let mut entry = Vec::with_capacity(self.entry.len() + 1 + below.len());
        entry.extend(&self.entry);
        if !entry.is_empty() && !below.is_empty() {
            entry.push(b'/');
        }
        entry.extend(below);
        Some(entry)
    }

    /// Returns the system path of an entry.
    fn system_path(&self, entry: &[u8]) -> io::Result<PathBuf> {
        let below = entry.strip_prefix(&self.entry[..]).unwrap_or(entry);
        let below = below.strip_prefix(b"/").unwrap_or(below);
        if below.is_empty() {
            return Ok(self.path.clone());
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            Ok(self.path.join(std::ffi::OsStr::from_bytes(below)))
        }
        #[cfg(not(unix))]
        {
            Ok(self.path.join(std::str::from_utf8(below).map_err(io::Error::other)?))
        }
    }
}

/// The source of a file's bytes.
///
/// Every entry has a source, so the type is only as large as a pointer. The system path is computed
/// when the file is opened.
#[derive(Clone)]
pub(crate) struct FileSource(Arc<Root>);

impl FileSource {
    pub(crate) fn new(root: &Arc<Root>) -> FileSource {
        FileSource(root.clone())
    }
}

impl Source for FileSource {
    type Content = File;

    fn open(&self, entry: &[u8]) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use rustix::fs::OFlags;
            use std::os::unix::fs::OpenOptionsExt;
            // The walk saw a regular file. A link that replaced it could point anywhere, and
            // opening a FIFO could block forever.
            options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
        }
        let file = options.open(self.0.system_path(entry)?)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("no longer a regular file")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(path: &str) -> Root {
        Root::new(Path::new(path)).unwrap()
    }

    #[test]
    fn converts_between_entries_and_paths() {
        for (path, below, entry) in [
            ("src", "", "src"),
            ("src/", "error.rs", "src/error.rs"),
            ("src/.", "error.rs", "src/error.rs"),
            ("./src/commands", "list.rs", "commands/list.rs"),
            (".", "src/error.rs", "src/error.rs"),
            ("src/..", "src/error.rs", "src/error.rs"),
            ("src/error.rs", "", "error.rs"),
        ] {
            let root = root(path);
            let below = if below.is_empty() { root.path.clone() } else { root.path.join(below) };
            assert_eq!(root.entry_path(&below).as_deref(), Some(entry.as_bytes()), "{path}");
            assert_eq!(root.system_path(entry.as_bytes()).unwrap(), below, "{path}");
        }
        assert_eq!(root("/").entry, b"");
        assert_eq!(root("/").entry_path(Path::new("/a/b")).as_deref(), Some(&b"a/b"[..]));
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn source_is_as_small_as_a_pointer() {
        assert_eq!(size_of::<Option<FileSource>>(), 8);
    }

    #[test]
    #[cfg(unix)]
    fn opens_regular_files_only() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "x").unwrap();
        std::os::unix::fs::symlink("file", directory.path().join("link")).unwrap();
        fs::create_dir(directory.path().join("directory")).unwrap();
        let root = Root::new(directory.path()).unwrap();
        let source = FileSource::new(&Arc::new(root));
        let entry = |name: &str| [&source.0.entry[..], b"/", name.as_bytes()].concat();
        source.open(&entry("file")).unwrap();
        assert!(source.open(&entry("link")).is_err());
        assert!(source.open(&entry("directory")).is_err());
        assert!(source.open(&entry("nothing")).is_err());
    }
}
