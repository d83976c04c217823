//! Walks the paths to back up, and plans an entry for each file found.

use std::fs::{self, FileType, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bulla_archive::{ArchiveBuilder, Error, Metadata as EntryMetadata};
use walkdir::{DirEntry, WalkDir};

use crate::backup::filter::Filter;
use crate::backup::source::{FileSource, Root};
use crate::error::describe;
use crate::io::input::Identity;
use crate::io::path::archive_bytes;

/// Files that are excluded wherever they are found.
pub(crate) struct Excluded {
    /// The archive being written, and the one it replaces.
    pub(crate) output: Vec<Identity>,
    /// The key files. A key file that is sealed under its own key is useless.
    pub(crate) keys: Vec<Identity>,
}

/// The result of a walk.
pub(crate) struct Tree {
    pub(crate) writer: ArchiveBuilder<FileSource>,
    /// The total size of the files, in bytes.
    pub(crate) content_len: u64,
    /// The first skipped paths, with the reasons. The archive lists all skipped paths.
    pub(crate) skipped: Vec<(Vec<u8>, String)>,
    pub(crate) skipped_count: u64,
    /// The paths at which a key file was found.
    pub(crate) keys: Vec<Vec<u8>>,
}

/// The maximum number of reasons that are kept and printed.
pub(crate) const MAX_REASONS: usize = 20;

/// Walks the roots in order, and each root in file name order. Counts the files in `found`.
///
/// # Errors
///
/// Returns [`Error::TooLarge`] if the archive would exceed a format limit. An unreadable file is
/// skipped and is not an error.
pub(crate) fn walk(
    roots: &[Arc<Root>],
    filter: &Filter,
    excluded: &Excluded,
    found: &AtomicU64,
) -> Result<Tree, Error> {
    let tree = Tree {
        writer: ArchiveBuilder::new(),
        content_len: 0,
        skipped: Vec::new(),
        skipped_count: 0,
        keys: Vec::new(),
    };
    let mut walk = Walk { filter, excluded, checks_access: checks_access(), tree };
    for root in roots {
        walk.root(root, found)?;
    }
    Ok(walk.tree)
}

struct Walk<'w> {
    filter: &'w Filter,
    excluded: &'w Excluded,
    checks_access: bool,
    tree: Tree,
}

/// Whether to descend into a directory.
#[derive(PartialEq, Eq)]
enum Descend {
    Yes,
    No,
}

impl Walk<'_> {
    fn root(&mut self, root: &Arc<Root>, count: &AtomicU64) -> Result<(), Error> {
        let walk = WalkDir::new(&root.path).follow_links(false).follow_root_links(false);
        let mut walk = walk.sort_by_file_name().into_iter();
        // Errors without a path come from listing this directory, before any of its entries.
        let mut directory = root.entry.clone();
        while let Some(found) = walk.next() {
            count.fetch_add(1, Ordering::Relaxed);
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    let entry = error.path().map(|path| self.entry_path(root, path).0);
                    self.skip_contents(entry.as_ref().unwrap_or(&directory), error.into());
                    continue;
                }
            };
            let (entry, is_valid) = self.entry_path(root, found.path());
            let descend = match is_valid {
                true => self.visit(root, &found, &entry)?,
                false => {
                    self.skip(&entry, "file name is not valid Unicode".to_owned());
                    Descend::No
                }
            };
            if found.file_type().is_dir() {
                match descend {
                    Descend::Yes => directory = entry,
                    Descend::No => walk.skip_current_dir(),
                }
            }
        }
        Ok(())
    }

    fn visit(
        &mut self,
        root: &Arc<Root>,
        found: &DirEntry,
        entry: &[u8],
    ) -> Result<Descend, Error> {
        let is_directory = found.file_type().is_dir();
        if entry.is_empty() && is_directory {
            return Ok(Descend::Yes);
        }
        let is_included = is_directory || self.filter.includes(entry);
        if self.filter.excludes(entry, is_directory) || !is_included {
            return Ok(Descend::No);
        }
        let metadata = match found.metadata() {
            Ok(metadata) => metadata,
            Err(e) => {
                self.skip(entry, reason(&e.into()));
                return Ok(Descend::No);
            }
        };
        match self.plan(root, found.path(), entry, &metadata) {
            Ok(()) => Ok(Descend::Yes),
            Err(Error::InvalidPath { why, .. }) => {
                self.skip(entry, why.to_owned());
                Ok(Descend::No)
            }
            Err(error) => Err(error),
        }
    }

    fn plan(
        &mut self,
        root: &Arc<Root>,
        path: &Path,
        entry: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Error> {
        let file_type = metadata.file_type();
        if file_type.is_dir() {
            return self.tree.writer.directory(entry, &entry_metadata(metadata));
        }
        if file_type.is_symlink() {
            return self.plan_link(path, entry, metadata);
        }
        if !file_type.is_file() {
            self.skip(entry, special(file_type).to_owned());
            return Ok(());
        }
        if let Some(identity) = Identity::new(metadata, Some(path)) {
            if self.excluded.output.contains(&identity) {
                return Ok(());
            }
            if self.excluded.keys.contains(&identity) {
                self.tree.keys.push(entry.to_vec());
                return Ok(());
            }
        }
        if let Some(error) = self.checks_access.then(|| check_readable(path).err()).flatten() {
            self.skip(entry, reason(&error));
            return Ok(());
        }
        let source = FileSource::new(root);
        self.tree.writer.file(entry, &entry_metadata(metadata), metadata.len(), source)?;
        self.tree.content_len += metadata.len();
        Ok(())
    }

    fn plan_link(&mut self, path: &Path, entry: &[u8], metadata: &Metadata) -> Result<(), Error> {
        match fs::read_link(path).map(|target| archive_bytes(target.as_os_str())) {
            Ok(Some(target)) => {
                self.tree.writer.symlink(entry, &entry_metadata(metadata), &target)?;
            }
            Ok(None) => self.skip(entry, "link target is not valid Unicode".to_owned()),
            Err(e) => self.skip(entry, reason(&e)),
        }
        Ok(())
    }

    /// Returns the entry path of `path`, and whether it is valid. An invalid path is only
    /// used in messages.
    fn entry_path(&self, root: &Root, path: &Path) -> (Vec<u8>, bool) {
        match root.entry_path(path) {
            Some(entry) => (entry, true),
            None => (path.to_string_lossy().into_owned().into_bytes(), false),
        }
    }

    /// Skips the contents of a directory that could not be listed.
    ///
    /// The directory itself is an entry already. A skipped path must differ from all entries
    /// so a slash is appended.
    fn skip_contents(&mut self, directory: &[u8], error: io::Error) {
        let directory = if directory.is_empty() { b"." } else { directory };
        self.skip(&[directory, b"/"].concat(), reason(&error));
    }

    fn skip(&mut self, entry: &[u8], reason: String) {
        self.tree.writer.skip(entry);
        self.tree.skipped_count += 1;
        if self.tree.skipped.len() < MAX_REASONS {
            self.tree.skipped.push((entry.to_vec(), reason));
        }
    }
}

/// Returns the metadata that an archive keeps.
fn entry_metadata(metadata: &Metadata) -> EntryMetadata {
    let mut kept = EntryMetadata::new();
    // Some systems do not record the mtime.
    if let Ok(mtime) = metadata.modified() {
        kept = kept.mtime(mtime);
    }
    #[cfg(unix)]
    {
        kept = kept.mode(std::os::unix::fs::MetadataExt::mode(metadata));
    }
    kept
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        // The file existed when its directory was listed.
        ErrorKind::NotFound => "removed during the backup".to_owned(),
        _ => describe(error),
    }
}

/// Describes a file that is not a regular file, a directory or a link.
fn special(file_type: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        match file_type {
            kind if kind.is_socket() => return "socket",
            kind if kind.is_fifo() => return "named pipe",
            kind if kind.is_block_device() || kind.is_char_device() => return "device",
            _ => {}
        }
    }
    let _ = file_type;
    "unsupported file type"
}

/// Returns whether [`check_readable`] gives a useful answer.
///
/// The superuser can read everything, and `access` checks the real user, which is the wrong one
/// in a set-user-ID process.
fn checks_access() -> bool {
    #[cfg(unix)]
    {
        let user = rustix::process::geteuid();
        !user.is_root() && user == rustix::process::getuid()
    }
    #[cfg(not(unix))]
    false
}

/// Checks that a file is readable. An unreadable file is skipped, because the archive would contain
/// zeros in its place if it were planned.
fn check_readable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    rustix::fs::access(path, rustix::fs::Access::READ_OK)?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
