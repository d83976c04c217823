//! What the command line names to be backed up, and the files that lie in it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bulla_archive::Source;

use crate::error::Failure;
use crate::terminal::display::{DASH, shown, system_bytes};

/// A file or directory that is to be backed up.
pub(crate) struct Root {
    /// As it was given.
    pub(crate) path: PathBuf,
    /// What it is called in the archive: its last component. Empty where there is none, as of `.`,
    /// `..` and `/`; then what lies in it is called as if the backup were made there.
    pub(crate) name: Vec<u8>,
    pub(crate) metadata: Metadata,
}

impl Root {
    pub(crate) fn new(path: &Path) -> Result<Root, Failure> {
        if path == Path::new(DASH) {
            let text = "standard input is no file; `bulla seal` seals it, and ./- is the file of this name";
            return Err(Failure::usage(DASH, text));
        }
        let metadata = fs::symlink_metadata(path).map_err(|e| Failure::io(shown(path), &e))?;
        let name = match path.file_name() {
            None => Vec::new(),
            Some(name) => system_bytes(name).ok_or_else(|| {
                Failure::usage(shown(path), "its name is no text; rename it first")
            })?,
        };
        Ok(Root { path: path.to_owned(), name, metadata })
    }

    /// The name of `path`, which is the root's or lies below it; none if it is no text, on a system
    /// whose names are text.
    pub(crate) fn name_of(&self, path: &Path) -> Option<Vec<u8>> {
        let below = path.strip_prefix(&self.path).unwrap_or(Path::new(""));
        let below = system_bytes(below.as_os_str())?;
        let mut name = Vec::with_capacity(self.name.len() + 1 + below.len());
        name.extend(&self.name);
        if !name.is_empty() && !below.is_empty() {
            name.push(b'/');
        }
        name.extend(below);
        Some(name)
    }

    /// The path of what has this name.
    fn path_of(&self, name: &[u8]) -> io::Result<PathBuf> {
        let below = name.strip_prefix(&self.name[..]).unwrap_or(name);
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

/// Where the bytes of one file come from. There is one for each entry, so it is as small as a
/// pointer: the path is made anew when the file is opened.
#[derive(Clone)]
pub(crate) struct InRoot(Arc<Root>);

impl InRoot {
    pub(crate) fn new(root: &Arc<Root>) -> InRoot {
        InRoot(root.clone())
    }
}

impl Source for InRoot {
    type Content = File;

    fn open(&self, name: &[u8]) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use rustix::fs::OFlags;
            use std::os::unix::fs::OpenOptionsExt;
            // It was a file when the plan was made. If it is a link by now, what that points to is
            // not ours to read; if it is a FIFO, nobody may ever write to it.
            options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
        }
        let file = options.open(self.0.path_of(name)?)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("this is no file any more")),
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
    fn names_and_paths() {
        for (path, below, name) in [
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
            assert_eq!(root.name_of(&below).as_deref(), Some(name.as_bytes()), "{path}");
            assert_eq!(root.path_of(name.as_bytes()).unwrap(), below, "{path}");
        }
        assert_eq!(root("/").name, b"");
        assert_eq!(root("/").name_of(Path::new("/a/b")).as_deref(), Some(&b"a/b"[..]));
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn small() {
        assert_eq!(size_of::<Option<InRoot>>(), 8);
    }

    #[test]
    #[cfg(unix)]
    fn links_and_directories_are_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "x").unwrap();
        std::os::unix::fs::symlink("file", directory.path().join("link")).unwrap();
        fs::create_dir(directory.path().join("directory")).unwrap();
        let root = Root::new(directory.path()).unwrap();
        let source = InRoot::new(&Arc::new(root));
        let name = |last: &str| [&source.0.name[..], b"/", last.as_bytes()].concat();
        source.open(&name("file")).unwrap();
        assert!(source.open(&name("link")).is_err());
        assert!(source.open(&name("directory")).is_err());
        assert!(source.open(&name("nothing")).is_err());
    }
}
