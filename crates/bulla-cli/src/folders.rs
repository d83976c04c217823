//! The folders that are restored into: made where there are none, and opened when they are needed.

use std::collections::{HashMap, hash_map};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla_archive::Metadata;

use crate::folder::{Folder, Found, system_name};

/// Folders that are kept open at once.
const OPEN_FOLDERS: usize = 64;

/// The number of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place(u32);

impl Place {
    const TARGET: Place = Place(0);
}

/// The target, and the folders below it that were needed so far.
pub(crate) struct Folders {
    /// In the order in which they were first seen: each behind the one that it lies in.
    nodes: Vec<Node>,
    target: Arc<OpenFolder>,
    open: Mutex<HashMap<Place, Arc<OpenFolder>>>,
    /// A handle to sync each file system with, by its number; none if that is not to be done.
    file_systems: Option<Mutex<HashMap<u64, File>>>,
}

/// Names are kept component by component: whole ones would take memory with the square of the depth.
struct Node {
    parent: Place,
    name: Box<[u8]>,
    children: HashMap<Box<[u8]>, Place>,
    /// None unless it is to be set.
    metadata: Option<Metadata>,
    /// Whether we made it.
    is_new: bool,
}

/// A folder that is open, and where it lies below the target.
pub(crate) struct OpenFolder {
    pub(crate) folder: Arc<Folder>,
    pub(crate) path: PathBuf,
}

impl Folders {
    pub(crate) fn new(target: Arc<Folder>, sync_file_systems: bool) -> io::Result<Folders> {
        let (name, children) = Default::default();
        let folders = Folders {
            nodes: vec![Node { parent: Place::TARGET, name, children, metadata: None, is_new: false }],
            target: Arc::new(OpenFolder { folder: target, path: PathBuf::new() }),
            open: Mutex::default(),
            file_systems: sync_file_systems.then(Mutex::default),
        };
        folders.note_file_system(&folders.target)?;
        Ok(folders)
    }

    /// The folder of this name, and those above it, which are made if need be. If its attributes are to come, it is the
    /// owner's alone until then.
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
        open: &OpenFolder,
        component: &[u8],
        for_owner: bool,
    ) -> io::Result<(Place, Arc<OpenFolder>)> {
        let name = system_name(component)?;
        let is_new = match open.folder.make(name, for_owner) {
            Ok(()) => true,
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            // A link to a folder is none: it may lead out, today or tomorrow.
            Err(_) if open.folder.find(name)? == Some(Found::Folder) => false,
            Err(_) => return Err(ErrorKind::NotADirectory.into()),
        };
        let folder = Arc::new(open.folder.open(name.as_ref())?);
        let child = Arc::new(OpenFolder { folder, path: open.path.join(name) });
        self.note_file_system(&child)?;
        let place = Place(u32::try_from(self.nodes.len()).map_err(io::Error::other)?);
        let metadata = None;
        let node = Node { parent, name: component.into(), children: HashMap::new(), metadata, is_new };
        self.nodes.push(node);
        self.nodes[parent.0 as usize].children.insert(component.into(), place);
        self.keep_open(place, &child);
        Ok((place, child))
    }

    /// A folder, open.
    pub(crate) fn open(&self, place: Place) -> io::Result<Arc<OpenFolder>> {
        if place == Place::TARGET {
            return Ok(self.target.clone());
        }
        if let Some(open) = lock(&self.open).get(&place) {
            return Ok(open.clone());
        }
        let path = self.path(place)?;
        let open = Arc::new(OpenFolder { folder: Arc::new(self.target.folder.open(&path)?), path });
        self.keep_open(place, &open);
        Ok(open)
    }

    fn keep_open(&self, place: Place, folder: &Arc<OpenFolder>) {
        let mut open = lock(&self.open);
        if open.len() >= OPEN_FOLDERS {
            // Entries of one folder come together, so hardly one is opened again.
            open.clear();
        }
        open.insert(place, folder.clone());
    }

    /// Where a folder lies below the target.
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

    /// The attributes are to be set in the end. If the folder was there already, only with `replace`: else it stays as it is.
    pub(crate) fn keep(&mut self, place: Place, metadata: Metadata, replace: bool) -> io::Result<()> {
        let node = &mut self.nodes[place.0 as usize];
        if node.is_new || replace {
            node.metadata = Some(metadata);
        }
        if node.is_new || !replace {
            return Ok(());
        }
        let (parent, name) = (node.parent, node.name.clone());
        self.open(parent)?.folder.let_owner_in(system_name(&name)?)
    }

    /// All of them, the deepest first, and the attributes that are to be set.
    pub(crate) fn deepest_first(&self) -> impl Iterator<Item = (Place, Option<&Metadata>)> {
        self.nodes
            .iter()
            .enumerate()
            .rev()
            .map(|(number, node)| (Place(number as u32), node.metadata.as_ref()))
    }

    /// Everything in the file systems that hold the folders gets to the disk.
    pub(crate) fn sync_file_systems(&self) -> io::Result<()> {
        match &self.file_systems {
            Some(file_systems) => lock(file_systems).values().try_for_each(sync_file_system),
            None => Ok(()),
        }
    }

    fn note_file_system(&self, open: &OpenFolder) -> io::Result<()> {
        let Some(file_systems) = &self.file_systems else { return Ok(()) };
        let number = open.folder.file_system()?;
        if let hash_map::Entry::Vacant(unknown) = lock(file_systems).entry(number) {
            // Before the first byte is written: an error that comes between is told by the sync (Linux 5.8 and later).
            unknown.insert(open.folder.as_file()?);
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
fn sync_file_system(folder: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(folder: &File) -> io::Result<()> {
    folder.sync_all()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is shared is whole at every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
