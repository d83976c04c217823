//! What is in the way of restored entries, before the first is restored.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use bulla_archive::{Entry, Kind};

use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::restore::directory::{Directory, Found, split, system_name};
use crate::restore::restorer::shown_below;
use crate::terminal::display::shown;
use crate::terminal::streams::note;

/// Names that are listed before the rest is counted.
const LISTED: usize = 10;

/// Fails if anything in `directory` is in the way of `entries`, which come in the order of their
/// names. With `replace`, files and links are not; but those in `spared`, which the command itself
/// reads, always are.
pub(crate) fn refuse(
    directory: &Path,
    entries: &[Entry],
    replace: bool,
    spared: &[Identity],
) -> Result<(), Failure> {
    let target = match Directory::target(directory) {
        Ok(target) => target,
        // Nothing is in a directory that is yet to be made.
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Failure::io(shown(directory), &e)),
    };
    let mut walk = Walk { target, stack: Vec::new(), wrong_kind: BTreeMap::new() };
    let mut taken = Vec::new();
    for entry in entries {
        let failure = |e| Failure::io(shown_below(directory, entry.path()), &e);
        if !walk.is_taken(entry).map_err(failure)? {
            continue;
        }
        if !replace {
            taken.push(entry.path());
        } else if let Some(identity) = identity(directory, entry.path())
            && spared.contains(&identity)
        {
            let text =
                "the archive and its key cannot be replaced while they are read; use another -C";
            return Err(Failure::usage(shown_below(directory, entry.path()), text));
        }
    }
    let wrong_kind = walk.wrong_kind;
    for (name, found) in wrong_kind.iter().take(LISTED) {
        let text = match found {
            Found::Directory => "this is a directory, where a file or link is to be restored",
            Found::Other => "this is no directory, where one is to be restored",
        };
        note(&format!("{}: {text}", shown_below(directory, name)));
    }
    for name in taken.iter().take(LISTED.saturating_sub(wrong_kind.len())) {
        note(&format!("{}: already exists", shown_below(directory, name)));
    }
    let advice = match (taken.len(), wrong_kind.len()) {
        (0, 0) => return Ok(()),
        (_, 0) => "use --force to replace what exists, or -C to restore into another directory",
        _ => {
            "use -C to restore into another directory; --force replaces files and links, never a directory"
        }
    };
    let count = match taken.len() + wrong_kind.len() {
        1 => "1 entry is".to_owned(),
        count => format!("{count} entries are"),
    };
    let text =
        format!("something is in the way, so nothing was restored ({count} concerned); {advice}");
    Err(Failure::new(Exit::Environment, shown(directory), text))
}

fn identity(directory: &Path, name: &[u8]) -> Option<Identity> {
    let path: Option<_> =
        name.split(|byte| *byte == b'/').map(|component| system_name(component).ok()).collect();
    Identity::of(&directory.join::<std::path::PathBuf>(path?))
}

/// Looks for entries in the order of their names, with the directories on the way kept open.
struct Walk {
    target: Directory,
    /// The directories above the entry that was looked for last; none where there is no such
    /// directory.
    stack: Vec<(Vec<u8>, Option<Directory>)>,
    /// What is a directory, and should not be, or the other way round.
    wrong_kind: BTreeMap<Vec<u8>, Found>,
}

impl Walk {
    /// Whether a file or a link has the name of this one.
    fn is_taken(&mut self, entry: &Entry) -> std::io::Result<bool> {
        let (parent, last) = split(entry.path());
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
                        self.wrong_kind.insert(path, Found::Other);
                        None
                    }
                },
            };
            self.stack.push((component.to_vec(), found));
        }
        let Some(directory) = self.top() else { return Ok(false) };
        match (directory.find(system_name(last)?)?, entry.kind()) {
            (None, _) | (Some(Found::Directory), Kind::Directory) => Ok(false),
            (Some(Found::Other), Kind::File | Kind::Symlink) => Ok(true),
            (Some(found @ Found::Other), Kind::Directory) | (Some(found @ Found::Directory), _) => {
                self.wrong_kind.insert(entry.path().to_vec(), found);
                Ok(false)
            }
        }
    }

    fn top(&self) -> Option<&Directory> {
        self.stack.last().map_or(Some(&self.target), |(_, directory)| directory.as_ref())
    }
}
