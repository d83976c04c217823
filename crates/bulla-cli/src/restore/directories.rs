//! The tree of directories below the target, created and opened on demand.

use std::collections::{HashMap, hash_map};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla_archive::Metadata;

use crate::restore::directory::{Directory, Found, system_name};

/// The maximum number of cached open directories.
const OPEN_DIRECTORIES: usize = 64;

/// The index of a directory in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DirectoryId(u32);

impl DirectoryId {
    const TARGET: DirectoryId = DirectoryId(0);
}

/// The target, and the directories below it that were used so far.
pub(crate) struct Directories {
    /// In the order of first use, so every directory comes after its parent.
    nodes: Vec<Node>,
    target: Arc<OpenDirectory>,
    open: Mutex<HashMap<DirectoryId, Arc<OpenDirectory>>>,
    /// A handle for syncing each file system, by device number. `None` if file systems are not
    /// synced.
    file_systems: Option<Mutex<HashMap<u64, File>>>,
}

/// A directory. It stores a single path component, because whole paths would take memory quadratic
/// in the depth.
struct Node {
    parent: DirectoryId,
    name: Box<[u8]>,
    children: HashMap<Box<[u8]>, DirectoryId>,
    /// The attributes to set when everything is restored.
    metadata: Option<Metadata>,
    /// Whether the restore created it.
    is_new: bool,
}

/// An open directory, and its path below the target.
pub(crate) struct OpenDirectory {
    pub(crate) directory: Arc<Directory>,
    pub(crate) path: PathBuf,
}

impl Directories {
    pub(crate) fn new(target: Arc<Directory>, sync_file_systems: bool) -> io::Result<Directories> {
        let (name, children) = Default::default();
        let directories = Directories {
            nodes: vec![Node {
                parent: DirectoryId::TARGET,
                name,
                children,
                metadata: None,
                is_new: false,
            }],
            target: Arc::new(OpenDirectory { directory: target, path: PathBuf::new() }),
            open: Mutex::default(),
            file_systems: sync_file_systems.then(Mutex::default),
        };
        directories.note_file_system(&directories.target)?;
        Ok(directories)
    }

    /// Returns the directory at `path`, and creates it and its parents if necessary. A directory
    /// that is an entry is accessible only to its owner until its attributes are set.
    pub(crate) fn ensure(&mut self, path: &[u8], is_entry: bool) -> io::Result<DirectoryId> {
        let mut id = DirectoryId::TARGET;
        let mut open = None;
        let mut components =
            path.split(|byte| *byte == b'/').filter(|component| !component.is_empty()).peekable();
        while let Some(component) = components.next() {
            if let Some(child) = self.nodes[id.0 as usize].children.get(component) {
                (id, open) = (*child, None);
                continue;
            }
            let parent = match open {
                Some(parent) => parent,
                None => self.open(id)?,
            };
            let for_owner = is_entry && components.peek().is_none();
            let (child, child_open) = self.create(id, &parent, component, for_owner)?;
            (id, open) = (child, Some(child_open));
        }
        Ok(id)
    }

    fn create(
        &mut self,
        parent: DirectoryId,
        open: &OpenDirectory,
        component: &[u8],
        for_owner: bool,
    ) -> io::Result<(DirectoryId, Arc<OpenDirectory>)> {
        let name = system_name(component)?;
        let is_new = match open.directory.create_directory(name, for_owner) {
            Ok(()) => true,
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            // A link to a directory is rejected, because it could point outside the target.
            Err(_) if open.directory.find(name)? == Some(Found::Directory) => false,
            Err(_) => return Err(ErrorKind::NotADirectory.into()),
        };
        let directory = Arc::new(open.directory.open(name.as_ref())?);
        let child = Arc::new(OpenDirectory { directory, path: open.path.join(name) });
        self.note_file_system(&child)?;
        let id = DirectoryId(u32::try_from(self.nodes.len()).map_err(io::Error::other)?);
        let metadata = None;
        let node =
            Node { parent, name: component.into(), children: HashMap::new(), metadata, is_new };
        self.nodes.push(node);
        self.nodes[parent.0 as usize].children.insert(component.into(), id);
        self.keep_open(id, &child);
        Ok((id, child))
    }

    /// Opens a directory.
    pub(crate) fn open(&self, id: DirectoryId) -> io::Result<Arc<OpenDirectory>> {
        if id == DirectoryId::TARGET {
            return Ok(self.target.clone());
        }
        if let Some(open) = lock(&self.open).get(&id) {
            return Ok(open.clone());
        }
        let path = self.path(id)?;
        let open = Arc::new(OpenDirectory {
            directory: Arc::new(self.target.directory.open(&path)?),
            path,
        });
        self.keep_open(id, &open);
        Ok(open)
    }

    fn keep_open(&self, id: DirectoryId, directory: &Arc<OpenDirectory>) {
        let mut open = lock(&self.open);
        if open.len() >= OPEN_DIRECTORIES {
            // The entries of a directory are adjacent, so few directories are reopened.
            open.clear();
        }
        open.insert(id, directory.clone());
    }

    /// Returns the path of a directory below the target.
    fn path(&self, id: DirectoryId) -> io::Result<PathBuf> {
        let components = self.components(id);
        components.iter().map(|component| system_name(component)).collect()
    }

    fn components(&self, id: DirectoryId) -> Vec<&[u8]> {
        let mut components = Vec::new();
        let mut id = id;
        while id != DirectoryId::TARGET {
            let node = &self.nodes[id.0 as usize];
            components.push(&*node.name);
            id = node.parent;
        }
        components.reverse();
        components
    }

    /// Remembers the attributes to set at the end. The attributes of an existing directory are only
    /// changed with `replace`.
    pub(crate) fn set_metadata_later(
        &mut self,
        id: DirectoryId,
        metadata: Metadata,
        replace: bool,
    ) -> io::Result<()> {
        let node = &mut self.nodes[id.0 as usize];
        if node.is_new || replace {
            node.metadata = Some(metadata);
        }
        if node.is_new || !replace {
            return Ok(());
        }
        let (parent, name) = (node.parent, node.name.clone());
        self.open(parent)?.directory.allow_owner(system_name(&name)?)
    }

    /// Returns all directories, children before parents, with the attributes to set.
    pub(crate) fn deepest_first(&self) -> impl Iterator<Item = (DirectoryId, Option<&Metadata>)> {
        self.nodes
            .iter()
            .enumerate()
            .rev()
            .map(|(number, node)| (DirectoryId(number as u32), node.metadata.as_ref()))
    }

    /// Syncs the file systems that contain the directories.
    pub(crate) fn sync_file_systems(&self) -> io::Result<()> {
        match &self.file_systems {
            Some(file_systems) => lock(file_systems).values().try_for_each(sync_file_system),
            None => Ok(()),
        }
    }

    fn note_file_system(&self, open: &OpenDirectory) -> io::Result<()> {
        let Some(file_systems) = &self.file_systems else { return Ok(()) };
        let number = open.directory.file_system()?;
        if let hash_map::Entry::Vacant(unknown) = lock(file_systems).entry(number) {
            // Opened before the first write, so that the sync reports all write errors since then
            // (Linux 5.8 and later).
            unknown.insert(open.directory.as_file()?);
        }
        Ok(())
    }
}

/// Whether the system can sync a file system and report errors.
#[cfg(target_os = "linux")]
pub(crate) const CAN_SYNC_FILE_SYSTEM: bool = true;
#[cfg(not(target_os = "linux"))]
pub(crate) const CAN_SYNC_FILE_SYSTEM: bool = false;

#[cfg(target_os = "linux")]
fn sync_file_system(directory: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(directory)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(directory: &File) -> io::Result<()> {
    directory.sync_all()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every step leaves the data consistent, so a poisoned lock is usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
