//! The directories that are restored into: made where there are none, and opened when they are
//! needed.

use std::collections::{HashMap, hash_map};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla_archive::Metadata;

use crate::restore::directory::{Directory, Found, system_name};

/// Directories that are kept open at once.
const OPEN_DIRECTORIES: usize = 64;

/// The number of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place(u32);

impl Place {
    const TARGET: Place = Place(0);
}

/// The target, and the directories below it that were needed so far.
pub(crate) struct Directories {
    /// In the order in which they were first seen: each behind the one that it lies in.
    nodes: Vec<Node>,
    target: Arc<OpenDirectory>,
    open: Mutex<HashMap<Place, Arc<OpenDirectory>>>,
    /// A handle to sync each file system with, by its number; none if that is not to be done.
    file_systems: Option<Mutex<HashMap<u64, File>>>,
}

/// Names are kept component by component: whole ones would take memory with the square of the
/// depth.
struct Node {
    parent: Place,
    name: Box<[u8]>,
    children: HashMap<Box<[u8]>, Place>,
    /// None unless it is to be set.
    metadata: Option<Metadata>,
    /// Whether we made it.
    is_new: bool,
}

/// A directory that is open, and where it lies below the target.
pub(crate) struct OpenDirectory {
    pub(crate) directory: Arc<Directory>,
    pub(crate) path: PathBuf,
}

impl Directories {
    pub(crate) fn new(target: Arc<Directory>, sync_file_systems: bool) -> io::Result<Directories> {
        let (name, children) = Default::default();
        let directories = Directories {
            nodes: vec![Node {
                parent: Place::TARGET,
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

    /// The directory of this name, and those above it, which are made if need be. If its attributes
    /// are to come, it is the owner's alone until then.
    pub(crate) fn ensure(&mut self, name: &[u8], is_entry: bool) -> io::Result<Place> {
        let mut place = Place::TARGET;
        let mut open = None;
        let mut components =
            name.split(|byte| *byte == b'/').filter(|component| !component.is_empty()).peekable();
        while let Some(component) = components.next() {
            if let Some(child) = self.nodes[place.0 as usize].children.get(component) {
                (place, open) = (*child, None);
                continue;
            }
            let parent = match open {
                Some(parent) => parent,
                None => self.open(place)?,
            };
            let for_owner = is_entry && components.peek().is_none();
            let (child, child_open) = self.make(place, &parent, component, for_owner)?;
            (place, open) = (child, Some(child_open));
        }
        Ok(place)
    }

    fn make(
        &mut self,
        parent: Place,
        open: &OpenDirectory,
        component: &[u8],
        for_owner: bool,
    ) -> io::Result<(Place, Arc<OpenDirectory>)> {
        let name = system_name(component)?;
        let is_new = match open.directory.make(name, for_owner) {
            Ok(()) => true,
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            // A link to a directory is none: it may lead out, today or tomorrow.
            Err(_) if open.directory.find(name)? == Some(Found::Directory) => false,
            Err(_) => return Err(ErrorKind::NotADirectory.into()),
        };
        let directory = Arc::new(open.directory.open(name.as_ref())?);
        let child = Arc::new(OpenDirectory { directory, path: open.path.join(name) });
        self.note_file_system(&child)?;
        let place = Place(u32::try_from(self.nodes.len()).map_err(io::Error::other)?);
        let metadata = None;
        let node =
            Node { parent, name: component.into(), children: HashMap::new(), metadata, is_new };
        self.nodes.push(node);
        self.nodes[parent.0 as usize].children.insert(component.into(), place);
        self.keep_open(place, &child);
        Ok((place, child))
    }

    /// A directory, open.
    pub(crate) fn open(&self, place: Place) -> io::Result<Arc<OpenDirectory>> {
        if place == Place::TARGET {
            return Ok(self.target.clone());
        }
        if let Some(open) = lock(&self.open).get(&place) {
            return Ok(open.clone());
        }
        let path = self.path(place)?;
        let open = Arc::new(OpenDirectory {
            directory: Arc::new(self.target.directory.open(&path)?),
            path,
        });
        self.keep_open(place, &open);
        Ok(open)
    }

    fn keep_open(&self, place: Place, directory: &Arc<OpenDirectory>) {
        let mut open = lock(&self.open);
        if open.len() >= OPEN_DIRECTORIES {
            // Entries of one directory come together, so hardly one is opened again.
            open.clear();
        }
        open.insert(place, directory.clone());
    }

    /// Where a directory lies below the target.
    fn path(&self, place: Place) -> io::Result<PathBuf> {
        let components = self.components(place);
        components.iter().map(|component| system_name(component)).collect()
    }

    fn components(&self, place: Place) -> Vec<&[u8]> {
        let mut components = Vec::new();
        let mut place = place;
        while place != Place::TARGET {
            let node = &self.nodes[place.0 as usize];
            components.push(&*node.name);
            place = node.parent;
        }
        components.reverse();
        components
    }

    /// The attributes are to be set in the end. If the directory was there already, only with
    /// `replace`: else it stays as it is.
    pub(crate) fn keep(
        &mut self,
        place: Place,
        metadata: Metadata,
        replace: bool,
    ) -> io::Result<()> {
        let node = &mut self.nodes[place.0 as usize];
        if node.is_new || replace {
            node.metadata = Some(metadata);
        }
        if node.is_new || !replace {
            return Ok(());
        }
        let (parent, name) = (node.parent, node.name.clone());
        self.open(parent)?.directory.let_owner_in(system_name(&name)?)
    }

    /// All of them, the deepest first, and the attributes that are to be set.
    pub(crate) fn deepest_first(&self) -> impl Iterator<Item = (Place, Option<&Metadata>)> {
        self.nodes
            .iter()
            .enumerate()
            .rev()
            .map(|(number, node)| (Place(number as u32), node.metadata.as_ref()))
    }

    /// Everything in the file systems that hold the directories gets to the disk.
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
            // Before the first byte is written: an error that comes between is told by the sync
            // (Linux 5.8 and later).
            unknown.insert(open.directory.as_file()?);
        }
        Ok(())
    }
}

/// Whether there is a call for it, which tells of errors too.
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
    // What is shared is whole at every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
