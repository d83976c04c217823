//! `bulla salvage`

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::atomic::Ordering;

use bulla::{Key, Options, Preamble, SalvageReader};
use bulla_archive::{Entry, IndexState, Kind, Recovered, Summary};

use super::restore::{warn, warn_of_attributes};
use crate::args::Salvage;
use crate::error::{Exit, Failure, describe};
use crate::io::input::Input;
use crate::keys::source::{KeySource, read_key};
use crate::keys::unlock::unlock;
use crate::process::workers::Team;
use crate::restore::directories::Place;
use crate::restore::directory::split;
use crate::restore::restorer::{Begun, Durability, Restoring};
use crate::restore::writer::write_all_at;
use crate::terminal::display::{bytes, entries, shown, shown_name};
use crate::terminal::progress::watch_count;
use crate::terminal::streams::{note, say};

/// Ends the name of a file that is not whole.
const DAMAGED: &[u8] = b".damaged";
/// Bytes in the longest name of one component, on most file systems.
const LONGEST: usize = 255;

pub(super) fn run(args: &Salvage) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let input = Input::open(Some(&args.archive))?;
    if !input.file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        let text = "an archive is read here and there, which a pipe does not allow; put it into a file first";
        return Err(Failure::usage(input.name, text));
    }
    let source = KeySource::of_opening(&args.key)?;
    let key = key(&input, &source, args)?;
    let target = shown(&args.directory);
    let options = Options::new().workers(team.workers());
    let salvage = bulla_archive::Salvage::new(&key, &input.file, &options);
    let mut salvage = salvage.map_err(|e| Failure::of_archive(&e, &input.name, &target))?;

    // How many files there are shows only at the end.
    let durability = Durability::choose(!args.writing.no_sync, usize::MAX);
    let mut restoring = Restoring::new(&args.directory, args.writing.force, durability)?;
    let mut tally = Tally::default();
    let salvaged = watch_count(args.working.quiet, |found| {
        let mut current = None;
        for recovered in salvage.by_ref() {
            if matches!(recovered, Recovered::Entry(_)) {
                found.fetch_add(1, Ordering::Relaxed);
            }
            take(recovered, &mut current, &mut restoring, &mut tally)?;
        }
        end(current, &restoring, &mut tally)
    });
    // Also after a failure: what is whole stays.
    let completed = restoring.complete();
    salvaged.and(completed)?;

    let summary = salvage.summary();
    let done = restoring.restored() + tally.directories;
    if done == 0 && (summary.lost > 0 || summary.unnamed) {
        let text = "nothing is left of it that could be restored";
        return Err(Failure::new(Exit::Damaged, &input.name, text));
    }
    let exits = [
        warn_of_losses(&input.name, &summary, &tally),
        warn_of_attributes(&target, restoring.without_attributes()),
    ];
    let exit = exits.into_iter().find(|exit| *exit != Exit::Done).unwrap_or(Exit::Done);
    if exit != Exit::Done || !args.working.quiet {
        let whole = entries(done - tally.damaged);
        let damaged = match tally.damaged {
            0 => String::new(),
            count => format!(", and {count} in part, under NAME.damaged"),
        };
        let lost = bytes(summary.lost);
        say(&format!(
            "{target}: salvaged {whole} whole{damaged}, from {}; {lost} are lost",
            input.name
        ));
    }
    Ok(exit)
}

/// The archive's key. An envelope is of use only if it can be told which; but whatever of header
/// and footer is left may fit a key that is given as it is.
fn key(input: &Input, source: &KeySource, args: &Salvage) -> Result<Key, Failure> {
    let preamble = Preamble::read_at(&input.file);
    let unlocked = match &preamble {
        Ok(preamble) => unlock(preamble, &input.name, source, &args.key)
            .map(|unlocked| Key::from_bytes(unlocked.key().expose())),
        Err(e) => Err(Failure::of_work(e, &input.name, &input.name)),
    };
    unlocked.or_else(|failure| {
        let KeySource::KeyFile(path, _) = source else { return Err(failure) };
        match read_key(path) {
            Ok(key) if SalvageReader::new(&key, &input.file, &Options::new()).is_ok() => Ok(key),
            _ => Err(failure),
        }
    })
}

/// What came of the entries.
#[derive(Default)]
struct Tally {
    directories: u64,
    damaged: u64,
    /// Named, and not restored.
    missing: u64,
}

impl Tally {
    fn miss(&mut self, name: &[u8], why: &str) {
        self.missing += 1;
        note(&format!("{}: not restored: {why}", shown_name(name)));
    }
}

/// A file of which pieces and holes come.
struct Current {
    entry: Entry,
    place: Place,
    /// None until the first piece.
    begun: Option<(Begun, File)>,
    holes: Vec<Range<u64>>,
}

/// Takes the next part of what is left. An error ends it all; what concerns a single entry does
/// not.
fn take(
    recovered: Recovered,
    current: &mut Option<Current>,
    restoring: &mut Restoring,
    tally: &mut Tally,
) -> Result<(), Failure> {
    match (recovered, current) {
        (Recovered::Entry(entry), current) => {
            end(current.take(), restoring, tally)?;
            *current = match begin(&entry, restoring, tally) {
                Ok(begun) => begun,
                Err(e) => {
                    forgive(e, entry.path(), restoring, tally)?;
                    None
                }
            };
        }
        (Recovered::Piece { offset, bytes }, Some(current)) => {
            write(current, offset, &bytes, restoring)
                .map_err(|e| restoring.failure(current.entry.path(), &e))?;
        }
        (Recovered::Hole { range }, Some(current)) => current.holes.push(range),
        // Of an entry that is missed already.
        _ => {}
    }
    Ok(())
}

/// Restores directories and links at once. Of a file, the pieces are to come.
fn begin(
    entry: &Entry,
    restoring: &mut Restoring,
    tally: &mut Tally,
) -> io::Result<Option<Current>> {
    if entry.kind() == Kind::Directory {
        restoring.directory(entry)?;
        tally.directories += 1;
        return Ok(None);
    }
    let place = restoring.place(entry)?;
    if restoring.is_blocked(place, entry.path())? {
        return Err(ErrorKind::AlreadyExists.into());
    }
    if entry.kind() == Kind::Symlink {
        restoring.link(place, entry)?;
        return Ok(None);
    }
    Ok(Some(Current { entry: entry.clone(), place, begun: None, holes: Vec::new() }))
}

fn write(
    current: &mut Current,
    offset: u64,
    bytes: &[u8],
    restoring: &Restoring,
) -> io::Result<()> {
    let (_, file) = match &mut current.begun {
        Some(begun) => begun,
        begun => begun.insert(restoring.begin(current.place, &current.entry)?),
    };
    write_all_at(file, bytes, offset)
}

/// All of a file has come. It gets its name if it is whole.
fn end(current: Option<Current>, restoring: &Restoring, tally: &mut Tally) -> Result<(), Failure> {
    let Some(Current { entry, place, begun, holes }) = current else { return Ok(()) };
    let name = entry.path();
    for hole in &holes {
        note(&format!("{}: bytes {}..{} are lost", shown_name(name), hole.start, hole.end));
    }
    let (begun, file) = match begun {
        Some(begun) => begun,
        None if entry.len() == 0 => {
            restoring.begin(place, &entry).map_err(|e| restoring.failure(name, &e))?
        }
        None if holes.is_empty() => {
            tally.miss(
                name,
                "its content lies in another container, or is encoded in an unknown way",
            );
            return Ok(());
        }
        None => {
            tally.miss(name, "nothing of it is left");
            return Ok(());
        }
    };
    if holes.is_empty() {
        return restoring.finish(begun, &file, name, &entry.metadata());
    }
    // A hole at the end is one of zeros too. What is longer than any file can be, was never there.
    let _ = file.set_len(entry.len());
    let (_, last) = split(name);
    let damaged =
        [&name[..name.len() - last.len().saturating_sub(LONGEST - DAMAGED.len())], DAMAGED]
            .concat();
    if restoring.is_blocked(place, &damaged).map_err(|e| restoring.failure(&damaged, &e))? {
        tally.miss(&damaged, BLOCKED);
        return Ok(());
    }
    tally.damaged += 1;
    restoring.finish(begun, &file, &damaged, &entry.metadata())
}

const BLOCKED: &str = "something is in the way; use --force to replace files, or another -C";

/// Goes on after an error that concerns one entry alone.
fn forgive(
    error: io::Error,
    name: &[u8],
    restoring: &Restoring,
    tally: &mut Tally,
) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            tally.miss(name, BLOCKED);
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename | ErrorKind::Unsupported => {
            tally.miss(name, &describe(&error));
        }
        _ => return Err(restoring.failure(name, &error)),
    }
    Ok(())
}

fn warn_of_losses(archive: &str, summary: &Summary, tally: &Tally) -> Exit {
    let index = match summary.index {
        IndexState::Whole => None,
        IndexState::Partly => Some("a part of its index is lost"),
        IndexState::Lost => Some("its index is lost"),
    };
    if let Some(index) = index {
        let more = match summary.unnamed {
            true => "there may have been more entries than can be named",
            false => "every entry was found all the same",
        };
        note(&format!("{archive}: warning: {index}; {more}"));
    }
    if summary.notes.is_none() {
        let text =
            "its notes are lost; a file that became shorter while it was backed up ends in zeros";
        note(&format!("{archive}: warning: {text}"));
    }
    let notes = summary.notes.as_deref().unwrap_or_default();
    let noted = warn(notes, |note| {
        format!(
            "{}: warning: when it was backed up, it {}",
            shown_name(&note.path),
            note.state.describe()
        )
    });
    let lost = summary.lost > 0 || summary.unnamed || summary.notes.is_none();
    if index.is_some() || lost || tally.missing > 0 { Exit::Warnings } else { noted }
}
