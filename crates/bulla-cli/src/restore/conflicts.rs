//! Detects existing files that conflict with the entries to restore, before anything is restored.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use bulla_archive::{Entry, Kind};

use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::restore::directory::{Directory, Found, split, system_name};
use crate::terminal::display::{shown, shown_below};
use crate::terminal::message::note;

/// The maximum number of conflicts that are printed one by one.
const MAX_PRINTED: usize = 10;

/// Fails if existing files in `directory` conflict with `entries`, which are sorted by path.
///
/// With `replace`, existing files and links are not conflicts, except for `inputs`, which the
/// command itself reads.
pub(crate) fn reject_conflicts(
    directory: &Path,
    entries: &[Entry],
    replace: bool,
    inputs: &[Identity],
) -> Result<(), Failure> {
    let target = match Directory::target(directory) {
        Ok(target) => target,
        // A directory that does not exist yet has no conflicts.
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Failure::io(shown(directory), &e)),
    };
    let mut walk = Walk { target, stack: Vec::new(), type_conflicts: BTreeMap::new() };
    let mut existing = Vec::new();
    for entry in entries {
        let failure = |e| Failure::io(shown_below(directory, entry.path()), &e);
        if !walk.exists(entry).map_err(failure)? {
            continue;
        }
        if !replace {
            existing.push(entry.path());
        } else if let Some(identity) = identity(directory, entry.path())
            && inputs.contains(&identity)
        {
            let problem = "cannot replace the archive or key file being read; use another \
                           directory with -C";
            return Err(Failure::usage(shown_below(directory, entry.path()), problem));
        }
    }
    let type_conflicts = walk.type_conflicts;
    for (path, found) in type_conflicts.iter().take(MAX_PRINTED) {
        let problem = match found {
            Found::Directory => "is a directory, but the archive has a file or link here",
            Found::Other => "is not a directory, but the archive has one here",
        };
        note(&format!("{}: {problem}", shown_below(directory, path)));
    }
    for path in existing.iter().take(MAX_PRINTED.saturating_sub(type_conflicts.len())) {
        note(&format!("{}: already exists", shown_below(directory, path)));
    }
    let remedy = match (existing.len(), type_conflicts.len()) {
        (0, 0) => return Ok(()),
        (_, 0) => "use --force to replace existing files, or another directory with -C",
        _ => "use another directory with -C, because --force does not replace directories",
    };
    let conflicts = match existing.len() + type_conflicts.len() {
        1 => "1 conflicting entry".to_owned(),
        count => format!("{count} conflicting entries"),
    };
    let problem = format!("{conflicts}; nothing was restored; {remedy}");
    Err(Failure::new(Exit::Environment, shown(directory), problem))
}

fn identity(directory: &Path, entry: &[u8]) -> Option<Identity> {
    let below: Option<PathBuf> =
        entry.split(|byte| *byte == b'/').map(|component| system_name(component).ok()).collect();
    Identity::of(&directory.join(below?))
}

/// Looks up entries in the order of their paths, and keeps the directories above the current one
/// open.
struct Walk {
    target: Directory,
    /// The directories above the last entry, by name. `None` if one does not exist.
    stack: Vec<(Vec<u8>, Option<Directory>)>,
    /// Directories that exist where the archive has a file or link, and the reverse.
    type_conflicts: BTreeMap<Vec<u8>, Found>,
}

impl Walk {
    /// Returns whether a file or link exists at the path of a file or link entry.
    fn exists(&mut self, entry: &Entry) -> io::Result<bool> {
        let (parent, name) = split(entry.path());
        let components: Vec<&[u8]> = match parent {
            b"" => Vec::new(),
            parent => parent.split(|byte| *byte == b'/').collect(),
        };
        let common = components
            .iter()
            .zip(&self.stack)
            .take_while(|(component, (known, _))| component == &known);
        self.stack.truncate(common.count());
        for component in &components[self.stack.len()..] {
            let found = match self.top() {
                None => None,
                Some(directory) => match directory.find(system_name(component)?)? {
                    None => None,
                    Some(Found::Directory) => {
                        Some(directory.open(system_name(component)?.as_ref())?)
                    }
                    Some(Found::Other) => {
                        let path = components[..=self.stack.len()].join(&b'/');
                        self.type_conflicts.insert(path, Found::Other);
                        None
                    }
                },
            };
            self.stack.push((component.to_vec(), found));
        }
        let Some(directory) = self.top() else { return Ok(false) };
        match (directory.find(system_name(name)?)?, entry.kind()) {
            (None, _) | (Some(Found::Directory), Kind::Directory) => Ok(false),
            (Some(Found::Other), Kind::File | Kind::Symlink) => Ok(true),
            (Some(found @ Found::Other), Kind::Directory) | (Some(found @ Found::Directory), _) => {
                self.type_conflicts.insert(entry.path().to_vec(), found);
                Ok(false)
            }
        }
    }

    fn top(&self) -> Option<&Directory> {
        self.stack.last().map_or(Some(&self.target), |(_, directory)| directory.as_ref())
    }
}
