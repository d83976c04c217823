//! Walks what is to be backed up, and plans an entry for each thing that is found.

use std::fs::{self, FileType, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bulla_archive::{ArchiveWriter, Error, Metadata as Kept};
use walkdir::{DirEntry, WalkDir};

use crate::backup::filter::Filter;
use crate::backup::source::{InRoot, Root};
use crate::error::describe;
use crate::io::input::Identity;
use crate::terminal::display::system_bytes;

/// What is not backed up, wherever it is found.
pub(crate) struct Spared {
    /// The archive in the making, and the one that it replaces: a backup is no part of itself.
    pub(crate) output: Vec<Identity>,
    /// A key that is sealed under itself opens nothing.
    pub(crate) keys: Vec<Identity>,
}

/// What the walk has found.
pub(crate) struct Tree {
    pub(crate) writer: ArchiveWriter<InRoot>,
    /// Bytes in all files.
    pub(crate) content_len: u64,
    /// The first names that are left out, and why. The archive knows all of them.
    pub(crate) left_out: Vec<(Vec<u8>, String)>,
    pub(crate) left_out_count: u64,
    /// Where the key file was found.
    pub(crate) keys: Vec<Vec<u8>>,
}

/// Reasons that are kept: there may be a million of them, and nobody reads so many.
pub(crate) const KEPT_REASONS: usize = 20;

/// Walks the roots, in their order, and within each in the order of names. Counts in `found` what
/// it comes by.
///
/// # Errors
///
/// [`Error::TooLarge`]. What cannot be read stops nothing, and is left out.
pub(crate) fn walk(
    roots: &[Arc<Root>],
    filter: &Filter,
    spared: &Spared,
    found: &AtomicU64,
) -> Result<Tree, Error> {
    let tree = Tree {
        writer: ArchiveWriter::new(),
        content_len: 0,
        left_out: Vec::new(),
        left_out_count: 0,
        keys: Vec::new(),
    };
    let mut walk = Walk { filter, spared, checks_access: checks_access(), tree };
    for root in roots {
        walk.root(root, found)?;
    }
    Ok(walk.tree)
}

struct Walk<'w> {
    filter: &'w Filter,
    spared: &'w Spared,
    checks_access: bool,
    tree: Tree,
}

/// Whether to go on into what was found, if it is a directory.
#[derive(PartialEq, Eq)]
enum Descend {
    Yes,
    No,
}

impl Walk<'_> {
    fn root(&mut self, root: &Arc<Root>, count: &AtomicU64) -> Result<(), Error> {
        let walk = WalkDir::new(&root.path).follow_links(false).follow_root_links(false);
        let mut walk = walk.sort_by_file_name().into_iter();
        // The directory that errors without a path come from: they come first of what is in it.
        let mut directory = root.name.clone();
        while let Some(found) = walk.next() {
            count.fetch_add(1, Ordering::Relaxed);
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    let name = error.path().map(|path| self.name_of(root, path).0);
                    self.leave_out_content(name.as_ref().unwrap_or(&directory), error.into());
                    continue;
                }
            };
            let (name, is_text) = self.name_of(root, found.path());
            let descend = match is_text {
                true => self.found(root, &found, &name)?,
                false => {
                    self.leave_out(&name, "its name is no text".to_owned());
                    Descend::No
                }
            };
            if found.file_type().is_dir() {
                match descend {
                    Descend::Yes => directory = name,
                    Descend::No => walk.skip_current_dir(),
                }
            }
        }
        Ok(())
    }

    fn found(&mut self, root: &Arc<Root>, found: &DirEntry, name: &[u8]) -> Result<Descend, Error> {
        let is_directory = found.file_type().is_dir();
        if name.is_empty() && is_directory {
            return Ok(Descend::Yes);
        }
        if self.filter.excludes(name, is_directory) || !(is_directory || self.filter.includes(name))
        {
            return Ok(Descend::No);
        }
        let metadata = match found.metadata() {
            Ok(metadata) => metadata,
            Err(e) => {
                self.leave_out(name, reason(&e.into()));
                return Ok(Descend::No);
            }
        };
        let planned = self.plan(root, found.path(), name, &metadata);
        match planned {
            Ok(()) => Ok(Descend::Yes),
            Err(Error::InvalidPath { path: bad, why }) => {
                let what = if bad == name { "its name " } else { "" };
                self.leave_out(name, format!("{what}{why}"));
                Ok(Descend::No)
            }
            Err(error) => Err(error),
        }
    }

    fn plan(
        &mut self,
        root: &Arc<Root>,
        path: &Path,
        name: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Error> {
        let kind = metadata.file_type();
        if kind.is_dir() {
            return self.tree.writer.directory(name, &kept(metadata));
        }
        if kind.is_symlink() {
            return self.plan_link(path, name, metadata);
        }
        if !kind.is_file() {
            self.leave_out(name, format!("this is {}", special(kind)));
            return Ok(());
        }
        if let Some(identity) = Identity::new(metadata, Some(path)) {
            if self.spared.output.contains(&identity) {
                return Ok(());
            }
            if self.spared.keys.contains(&identity) {
                self.tree.keys.push(name.to_vec());
                return Ok(());
            }
        }
        if let Some(error) = self.checks_access.then(|| access(path).err()).flatten() {
            self.leave_out(name, reason(&error));
            return Ok(());
        }
        self.tree.writer.file(name, &kept(metadata), metadata.len(), InRoot::new(root))?;
        self.tree.content_len += metadata.len();
        Ok(())
    }

    fn plan_link(&mut self, path: &Path, name: &[u8], metadata: &Metadata) -> Result<(), Error> {
        match fs::read_link(path).map(|target| system_bytes(target.as_os_str())) {
            Ok(Some(target)) => self.tree.writer.symlink(name, &kept(metadata), &target)?,
            Ok(None) => self.leave_out(name, "the link's target is no text".to_owned()),
            Err(e) => self.leave_out(name, reason(&e)),
        }
        Ok(())
    }

    /// The name of what lies at `path`, and whether it is one: if not, it is for messages.
    fn name_of(&self, root: &Root, path: &Path) -> (Vec<u8>, bool) {
        match root.name_of(path) {
            Some(name) => (name, true),
            None => (path.to_string_lossy().into_owned().into_bytes(), false),
        }
    }

    /// The content of a directory could not be listed. The directory itself is an entry already,
    /// and what is left out must not have an entry's name, so a slash is put behind it.
    fn leave_out_content(&mut self, directory: &[u8], error: io::Error) {
        let directory = if directory.is_empty() { b"." } else { directory };
        self.leave_out(&[directory, b"/"].concat(), reason(&error));
    }

    fn leave_out(&mut self, name: &[u8], why: String) {
        self.tree.writer.skip(name);
        self.tree.left_out_count += 1;
        if self.tree.left_out.len() < KEPT_REASONS {
            self.tree.left_out.push((name.to_vec(), why));
        }
    }
}

/// What is kept of a file besides its bytes.
fn kept(metadata: &Metadata) -> Kept {
    let mut kept = Kept::new();
    // Not every system knows.
    if let Ok(modified) = metadata.modified() {
        kept = kept.mtime(modified);
    }
    #[cfg(unix)]
    {
        kept = kept.mode(std::os::unix::fs::MetadataExt::mode(metadata));
    }
    kept
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        // It was there when its directory was listed.
        ErrorKind::NotFound => "it is gone since it was found".to_owned(),
        _ => describe(error),
    }
}

/// What is neither a file nor a directory nor a link, in words.
fn special(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        match kind {
            kind if kind.is_socket() => return "a socket",
            kind if kind.is_fifo() => return "a named pipe",
            kind if kind.is_block_device() || kind.is_char_device() => return "a device",
            _ => {}
        }
    }
    let _ = kind;
    "nothing that can be backed up"
}

/// Whether it is worth asking who may read what. The superuser may read everything; and the
/// question is about the user who started the process, which is the wrong one if it runs as
/// another.
fn checks_access() -> bool {
    #[cfg(unix)]
    {
        let user = rustix::process::geteuid();
        !user.is_root() && user == rustix::process::getuid()
    }
    #[cfg(not(unix))]
    false
}

/// Whether the file may be read: what may not is left out from the start, rather than planned, and
/// filled with zeros.
fn access(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    rustix::fs::access(path, rustix::fs::Access::READ_OK)?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
