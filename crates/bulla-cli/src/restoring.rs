//! Restores entries below a target folder: a file gets its name when its bytes are there, whole and authenticated, and, unless the
//! user says otherwise, on the disk.

use std::collections::{HashMap, hash_map};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bulla_archive::{Entry, Metadata};

use crate::failure::Failure;
use crate::folder::{Folder, Found, system_name};
use crate::names::shown;
use crate::staging::{cannot_sync, sync_folder};
use crate::unfinished::{Temporary, Unfinished};

/// Folders that are kept open at once.
const OPEN_FOLDERS: usize = 64;
/// Files that are synced together at most, and bytes in them, about. More would be lost by a signal.
const TOGETHER: (usize, u64) = (8192, 1 << 30);
/// Up to so many files are synced one by one, which spares the rest of the file system.
const ONE_BY_ONE: usize = 16;

/// How restored files get to the disk before they get their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The system will do it some time.
    System,
    /// Each by itself.
    EachFile,
    /// Many at once, by syncing their file system.
    Together,
}

impl Durability {
    /// The best for so many files.
    pub(crate) fn choose(sync: bool, files: usize) -> Durability {
        match sync {
            false => Durability::System,
            true if files > ONE_BY_ONE && CAN_SYNC_FILE_SYSTEM => Durability::Together,
            true => Durability::EachFile,
        }
    }
}

/// The number of a folder that is restored into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place(u32);

/// A restoring in progress. Whatever is unfinished when it is dropped is removed.
pub(crate) struct Restoring {
    /// As the user named it.
    directory: PathBuf,
    /// Folders on the way to the target that had to be made.
    made: Vec<PathBuf>,
    replace: bool,
    durability: Durability,
    /// In the order in which they were first seen: each behind the one that it lies in.
    folders: Vec<FolderNode>,
    unfinished: Unfinished,
    target: Arc<OpenFolder>,
    open: Mutex<HashMap<Place, Arc<OpenFolder>>>,
    /// A handle to sync each file system with, by its number.
    file_systems: Mutex<HashMap<u64, File>>,
    pending: Mutex<Pending>,
    restored: AtomicU64,
    without_attributes: AtomicU64,
}

/// A folder below the target. Names are kept component by component: whole ones would take memory with the square of the depth.
struct FolderNode {
    parent: Place,
    name: Box<[u8]>,
    children: HashMap<Box<[u8]>, Place>,
    /// None unless it is to be set.
    metadata: Option<Metadata>,
    /// Whether we made it.
    is_new: bool,
}

struct OpenFolder {
    folder: Arc<Folder>,
    /// Below the target.
    path: PathBuf,
}

/// Files that are whole, but not yet on the disk.
#[derive(Default)]
struct Pending {
    files: Vec<Whole>,
    bytes: u64,
}

struct Whole {
    place: Place,
    temporary: Temporary,
    name: Vec<u8>,
}

/// A file that is being written.
#[derive(Clone)]
pub(crate) struct Begun {
    place: Place,
    temporary: Temporary,
}

impl Restoring {
    /// Makes the target if it does not exist.
    pub(crate) fn new(directory: &Path, replace: bool, durability: Durability) -> Result<Restoring, Failure> {
        let failure = |e: io::Error| Failure::io(shown(directory), &e);
        // Of `a/b/c` the first that exists is found on the way up.
        let missing = |path: &&Path| !path.as_os_str().is_empty() && fs::symlink_metadata(path).is_err();
        let made = directory.ancestors().take_while(missing).map(PathBuf::from).collect();
        fs::create_dir_all(directory).map_err(failure)?;
        let folder = Arc::new(Folder::target(directory).map_err(failure)?);
        let unfinished = Unfinished::new(folder.clone());
        let root = FolderNode {
            parent: Place(0),
            name: Box::default(),
            children: HashMap::new(),
            metadata: None,
            is_new: false,
        };
        let restoring = Restoring {
            directory: directory.to_owned(),
            made,
            replace,
            durability,
            folders: vec![root],
            unfinished,
            target: Arc::new(OpenFolder { folder, path: PathBuf::new() }),
            open: Mutex::default(),
            file_systems: Mutex::default(),
            pending: Mutex::default(),
            restored: AtomicU64::new(0),
            without_attributes: AtomicU64::new(0),
        };
        restoring.note_file_system(&restoring.target).map_err(failure)?;
        Ok(restoring)
    }

    /// The folder that an entry lies in, which is made if need be.
    pub(crate) fn place(&mut self, entry: &Entry) -> io::Result<Place> {
        self.ensure(split(entry.name()).0, false)
    }

    /// Restores a folder. Its attributes come last.
    pub(crate) fn folder(&mut self, entry: &Entry) -> io::Result<()> {
        let place = self.ensure(entry.name(), true)?;
        let node = &mut self.folders[place.0 as usize];
        // What is there already stays as it is, unless it is to be replaced.
        if node.is_new || self.replace {
            node.metadata = Some(entry.metadata());
        }
        if node.is_new || !self.replace {
            return Ok(());
        }
        let (parent, name) = (node.parent, node.name.clone());
        self.open(parent)?.folder.let_owner_in(system_name(&name)?)
    }

    /// Whether something is in the way of a file or link of this name. What comes into being later is found when it gets its name.
    pub(crate) fn is_blocked(&self, place: Place, name: &[u8]) -> io::Result<bool> {
        let found = self.open(place)?.folder.find(system_name(split(name).1)?)?;
        Ok(found == Some(Found::Folder) || (found.is_some() && !self.replace))
    }

    /// Makes the file of an entry, under a temporary name.
    pub(crate) fn begin(&self, place: Place, entry: &Entry) -> io::Result<(Begun, File)> {
        let (_, last) = split(entry.name());
        let open = self.open(place)?;
        let (temporary, file) = self.unfinished.create(&open.folder, &open.path, system_name(last)?)?;
        Ok((Begun { place, temporary }, file))
    }

    /// Opens a file that was begun once more.
    pub(crate) fn reopen(&self, begun: &Begun) -> io::Result<File> {
        self.open(begun.place)?.folder.reopen(begun.temporary.name())
    }

    /// The file is whole, and is to be called `name`.
    pub(crate) fn finish(
        &self,
        begun: Begun,
        file: &File,
        name: &[u8],
        metadata: &Metadata,
    ) -> Result<(), Failure> {
        let len = self.set_and_sync(file, metadata).map_err(|e| self.failure(name, &e))?;
        let whole = Whole { place: begun.place, temporary: begun.temporary, name: name.to_vec() };
        if self.durability != Durability::Together {
            return self.settle(&whole);
        }
        let mut pending = self.pending();
        pending.files.push(whole);
        pending.bytes += len;
        let full = pending.files.len() >= TOGETHER.0 || pending.bytes >= TOGETHER.1;
        let full = full.then(|| mem::take(&mut *pending));
        drop(pending);
        full.map_or(Ok(()), |pending| self.settle_all(pending))
    }

    /// Restores a symbolic link. Links come behind everything that could be led astray by them.
    pub(crate) fn link(&self, place: Place, entry: &Entry) -> io::Result<()> {
        let (_, last) = split(entry.name());
        let (open, name) = (self.open(place)?, system_name(last)?);
        let target = entry.target().unwrap_or_default();
        let temporary = self.unfinished.link(&open.folder, &open.path, name, target)?;
        if let Some(modified) = entry.metadata().modified {
            self.forgive(open.folder.set_link_time(temporary.name(), modified));
        }
        let finished = self.unfinished.finish(&open.folder, &temporary, name, self.replace);
        finished.inspect_err(|_| self.unfinished.discard(&temporary))?;
        self.restored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// What is whole gets its name, folders get their attributes, and all of it gets to the disk. Of several failures the first is
    /// returned; the others stop nothing.
    pub(crate) fn complete(&self) -> Result<(), Failure> {
        let pending = mem::take(&mut *self.pending());
        let settled = self.settle_all(pending);
        let attributes = self.set_attributes_of_folders();
        let synced = self.sync().map_err(|e| {
            let text = "it is complete, but a power cut may undo it: not all of it could be synced";
            Failure::io(shown(&self.directory), &e).and(text)
        });
        settled.and(attributes).and(synced)
    }

    /// Files and links that have their names.
    pub(crate) fn restored(&self) -> u64 {
        self.restored.load(Ordering::Relaxed)
    }

    /// Entries whose mode or time the file system did not take.
    pub(crate) fn without_attributes(&self) -> u64 {
        self.without_attributes.load(Ordering::Relaxed)
    }

    /// The name of an entry below the target, for messages.
    pub(crate) fn shown(&self, name: &[u8]) -> String {
        shown_below(&self.directory, name)
    }

    /// Restoring the entry `name` failed.
    pub(crate) fn failure(&self, name: &[u8], error: &io::Error) -> Failure {
        Failure::io(self.shown(name), error)
    }

    /// Returns the bytes that are still to be synced.
    fn set_and_sync(&self, file: &File, metadata: &Metadata) -> io::Result<u64> {
        self.forgive(set_attributes(file, metadata));
        match self.durability {
            Durability::System => Ok(0),
            Durability::EachFile => file.sync_all().map(|()| 0),
            Durability::Together => Ok(file.metadata()?.len()),
        }
    }

    fn settle(&self, whole: &Whole) -> Result<(), Failure> {
        let finish = || {
            let (_, last) = split(&whole.name);
            let open = self.open(whole.place)?;
            self.unfinished.finish(&open.folder, &whole.temporary, system_name(last)?, self.replace)
        };
        finish().map_err(|e| self.failure(&whole.name, &e))?;
        self.restored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn settle_all(&self, pending: Pending) -> Result<(), Failure> {
        if pending.files.is_empty() {
            return Ok(());
        }
        self.sync_file_systems().map_err(|e| Failure::io(shown(&self.directory), &e))?;
        let mut first = Ok(());
        for whole in &pending.files {
            first = first.and(self.settle(whole));
        }
        first
    }

    fn set_attributes_of_folders(&self) -> Result<(), Failure> {
        // The deepest first: one that nobody may enter is closed behind us.
        for (number, node) in self.folders.iter().enumerate().rev() {
            let Some(metadata) = &node.metadata else { continue };
            let set = |open: Arc<OpenFolder>| {
                self.forgive(set_attributes(&open.folder.as_file()?, metadata));
                Ok(())
            };
            let place = Place(number as u32);
            self.open(place).and_then(set).map_err(|e| Failure::io(self.shown_place(place), &e))?;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        match self.durability {
            Durability::System => return Ok(()),
            Durability::Together => self.sync_file_systems()?,
            Durability::EachFile => {
                for number in 0..self.folders.len() {
                    let synced =
                        self.open(Place(number as u32)).and_then(|open| open.folder.as_file()?.sync_all());
                    match synced {
                        // As of a single file: some folders cannot be opened, and some file systems cannot sync one.
                        Err(e) if cannot_sync(&e) || e.kind() == ErrorKind::PermissionDenied => {}
                        synced => synced?,
                    }
                }
            }
        }
        self.made.iter().try_for_each(|path| sync_folder(path))
    }

    fn sync_file_systems(&self) -> io::Result<()> {
        lock(&self.file_systems).values().try_for_each(sync_file_system)
    }

    /// The folder of this name, and those above it, which are made if need be. If its attributes are to come, it is the
    /// owner's alone until then.
    fn ensure(&mut self, name: &[u8], is_entry: bool) -> io::Result<Place> {
        let mut place = Place(0);
        let mut open = None;
        let mut components =
            name.split(|byte| *byte == b'/').filter(|component| !component.is_empty()).peekable();
        while let Some(component) = components.next() {
            if let Some(child) = self.folders[place.0 as usize].children.get(component) {
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
        let place = Place(u32::try_from(self.folders.len()).map_err(io::Error::other)?);
        let metadata = None;
        let node = FolderNode { parent, name: component.into(), children: HashMap::new(), metadata, is_new };
        self.folders.push(node);
        self.folders[parent.0 as usize].children.insert(component.into(), place);
        self.keep_open(place, &child);
        Ok((place, child))
    }

    fn open(&self, place: Place) -> io::Result<Arc<OpenFolder>> {
        if place == Place(0) {
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
        while place != Place(0) {
            let node = &self.folders[place.0 as usize];
            components.push(&*node.name);
            place = node.parent;
        }
        components.reverse();
        components
    }

    fn shown_place(&self, place: Place) -> String {
        self.shown(&self.components(place).join(&b'/'))
    }

    fn note_file_system(&self, open: &OpenFolder) -> io::Result<()> {
        if self.durability != Durability::Together {
            return Ok(());
        }
        let number = open.folder.file_system()?;
        if let hash_map::Entry::Vacant(unknown) = lock(&self.file_systems).entry(number) {
            // Before the first byte is written: an error that comes between is told by the sync (Linux 5.8 and later).
            unknown.insert(open.folder.as_file()?);
        }
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        lock(&self.pending)
    }

    /// A file system that takes no modes or times makes a restored file no worse: it is counted, and goes on.
    fn forgive(&self, set: io::Result<()>) {
        if set.is_err() {
            self.without_attributes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The name of an entry below `directory`, for messages.
pub(crate) fn shown_below(directory: &Path, name: &[u8]) -> String {
    let below = crate::names::shown_name(name);
    match shown(directory).as_str() {
        "" | "." => below,
        directory if name.is_empty() => directory.to_owned(),
        directory => format!("{}/{below}", directory.trim_end_matches('/')),
    }
}

/// The folder and the last component of a name.
pub(crate) fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&name[..slash], &name[slash + 1..]),
        None => (b"", name),
    }
}

/// The time first: a mode may take the right to set it.
fn set_attributes(file: &File, metadata: &Metadata) -> io::Result<()> {
    let time = match metadata.modified.map(|modified| modified.to_system_time()) {
        Some(Some(modified)) => file.set_modified(modified),
        Some(None) => Err(io::Error::other("the system counts time not so far")),
        None => Ok(()),
    };
    #[cfg(unix)]
    if let Some(mode) = metadata.mode {
        use std::os::unix::fs::PermissionsExt;
        // Neither set-user-id nor set-group-id, for whoever restores is another owner, and no sticky bit.
        file.set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
    }
    time
}

#[cfg(target_os = "linux")]
const CAN_SYNC_FILE_SYSTEM: bool = true;
#[cfg(not(target_os = "linux"))]
const CAN_SYNC_FILE_SYSTEM: bool = false;

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
