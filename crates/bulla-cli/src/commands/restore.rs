//! `bulla restore`

use bulla::Options;
use bulla_archive::{ArchiveReader, Entry, Error, Kind};

use super::archive::Archive;
use super::first_of;
use crate::args::Restore;
use crate::error::{Exit, Failure};
use crate::process::workers::Team;
use crate::restore::conflicts;
use crate::restore::directories::Place;
use crate::restore::restorer::{Durability, Restoring};
use crate::restore::writer::Contents;
use crate::terminal::display::{bytes, entries, shown, shown_name, typed_name};
use crate::terminal::progress::watch;
use crate::terminal::streams::{note, say};

/// Names that are listed before the rest is counted.
const LISTED: usize = 20;

pub(super) fn run(args: &Restore) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let archive = Archive::open(&args.archive, &args.key)?;
    let target = shown(&args.directory);
    let options = Options::new().workers(team.workers());
    let reader = archive.reader(&options)?;
    let selected = select(&reader, args).map_err(|e| match e {
        Unselected::Unread(error) => archive.failure(&error, &target).and("nothing was restored"),
        Unselected::Unknown(failure) => failure,
    })?;
    let (selected, skipped) = readable(&reader, selected);
    let spared: Vec<_> =
        [archive.input.identity(), archive.source.identity()].into_iter().flatten().collect();
    conflicts::refuse(&args.directory, &selected, args.writing.force, &spared)?;

    let plan = Plan::new(selected);
    let durability = Durability::choose(!args.writing.no_sync, plan.files.len());
    let mut restoring = Restoring::new(&args.directory, args.writing.force, durability)?;
    let restored = watch(Some(plan.len), args.working.quiet, |progress| {
        let reader = archive.reader(&options.progress(progress))?;
        restore(&plan, &reader, &mut restoring, |e| archive.failure(e, &target))
    });
    // Also after a failure: what is whole stays.
    let completed = restoring.complete();
    restored.and(completed).map_err(|failure| {
        let count = plan.files.len() + plan.links.len();
        failure.and(&format!(
            "{} of {count} files and links were restored whole",
            restoring.restored()
        ))
    })?;

    if !args.working.quiet {
        let count = entries(plan.count());
        say(&format!(
            "{target}: restored {count}, {}, from {}",
            bytes(plan.len),
            archive.input.name
        ));
    }
    let exits = [
        archive.warn(reader.opened().header_state),
        warn(&skipped, |(name, why)| format!("{}: warning: not restored: {why}", shown_name(name))),
        warn(&plan.faulty(), |entry| {
            let state = entry.state().describe();
            let name = shown_name(entry.path());
            format!(
                "{name}: warning: when it was backed up, it {state}; what was there is restored"
            )
        }),
        warn_of_attributes(&target, restoring.without_attributes()),
    ];
    Ok(first_of(exits))
}

/// Restores everything of a plan.
fn restore<S: bulla::ReadAt>(
    plan: &Plan,
    reader: &ArchiveReader<'_, S>,
    restoring: &mut Restoring,
    failure_of_reading: impl Fn(&Error) -> Failure,
) -> Result<(), Failure> {
    plan.directories.iter().try_for_each(|directory| {
        restoring.directory(directory).map_err(|e| restoring.failure(directory.path(), &e))
    })?;
    let place = |restoring: &mut Restoring, entry: &Entry| {
        restoring.place(entry).map_err(|e| restoring.failure(entry.path(), &e))
    };
    let places: Vec<Place> =
        plan.files.iter().map(|file| place(restoring, file)).collect::<Result<_, _>>()?;
    let contents = Contents::new(restoring, &plan.files, &places);
    contents.take_empty()?;
    let read =
        reader.read_all(&plan.files, |number, offset, bytes| contents.take(number, offset, bytes));
    match (contents.failure(), read) {
        (Some(failure), _) => return Err(failure),
        (None, Err(error)) => return Err(failure_of_reading(&error)),
        (None, Ok(())) => {}
    }
    // Not earlier: nothing is written behind a link of the archive's.
    plan.links.iter().try_for_each(|link| {
        let place = place(restoring, link)?;
        restoring.link(place, link).map_err(|e| restoring.failure(link.path(), &e))
    })
}

/// What is to be restored.
struct Plan {
    directories: Vec<Entry>,
    files: Vec<Entry>,
    links: Vec<Entry>,
    /// Bytes in all files.
    len: u64,
}

impl Plan {
    fn new(selected: Vec<Entry>) -> Plan {
        let mut plan =
            Plan { directories: Vec::new(), files: Vec::new(), links: Vec::new(), len: 0 };
        for entry in selected {
            plan.len = plan.len.saturating_add(entry.len());
            match entry.kind() {
                Kind::Directory => plan.directories.push(entry),
                Kind::File => plan.files.push(entry),
                Kind::Symlink => plan.links.push(entry),
            }
        }
        plan
    }

    fn count(&self) -> u64 {
        (self.directories.len() + self.files.len() + self.links.len()) as u64
    }

    fn faulty(&self) -> Vec<&Entry> {
        let all = self.directories.iter().chain(&self.files).chain(&self.links);
        all.filter(|entry| !entry.state().is_whole()).collect()
    }
}

/// Why there is nothing to restore.
enum Unselected {
    Unread(Error),
    Unknown(Failure),
}

impl From<Error> for Unselected {
    fn from(error: Error) -> Unselected {
        Unselected::Unread(error)
    }
}

/// What the command line names, in the order of names.
fn select<S: bulla::ReadAt>(
    reader: &ArchiveReader<'_, S>,
    args: &Restore,
) -> Result<Vec<Entry>, Unselected> {
    if args.names.is_empty() {
        return Ok(reader.entries().collect::<Result<_, _>>()?);
    }
    let (mut selected, mut missing) = (Vec::new(), Vec::new());
    for typed in &args.names {
        let before = selected.len();
        if let Some(name) = typed_name(typed).filter(|_| !typed.is_empty()) {
            for entry in reader.directory(&name) {
                selected.push(entry?);
            }
        }
        if selected.len() == before {
            missing.push(shown(typed.as_ref()));
        }
    }
    if !missing.is_empty() {
        let archive = shown(&args.archive);
        missing
            .iter()
            .for_each(|name| note(&format!("{name}: there is nothing of this name in {archive}")));
        let text = "nothing was restored; `bulla list` shows what is there";
        return Err(Unselected::Unknown(Failure::new(Exit::Environment, archive, text)));
    }
    // One that was named twice, or together with its directory.
    selected.sort_unstable_by(|a, b| a.path().cmp(b.path()));
    selected.dedup_by(|a, b| a.path() == b.path());
    refuse_below_files(&selected)?;
    Ok(selected)
}

/// Of a whole archive, its reader has checked this.
fn refuse_below_files(selected: &[Entry]) -> Result<(), Error> {
    for entry in selected.iter().filter(|entry| entry.kind() != Kind::Directory) {
        let below = [entry.path(), b"/"].concat();
        let first = selected.partition_point(|other| other.path() < below.as_slice());
        if let Some(other) = selected.get(first).filter(|other| other.path().starts_with(&below)) {
            return Err(Error::ParentNotDirectory { path: other.path().to_vec() });
        }
    }
    Ok(())
}

/// Sorts out the entries whose contents cannot be read, and why.
fn readable<S: bulla::ReadAt>(
    reader: &ArchiveReader<'_, S>,
    selected: Vec<Entry>,
) -> (Vec<Entry>, Vec<(Vec<u8>, String)>) {
    let mut skipped = Vec::new();
    let mut readable = selected;
    readable.retain(|entry| match reader.content(entry) {
        Err(error) if entry.kind() == Kind::File => {
            skipped.push((entry.path().to_vec(), error.to_string()));
            false
        }
        _ => true,
    });
    (readable, skipped)
}

/// Warns of each of `faults`, up to some number.
pub(super) fn warn<T>(faults: &[T], text: impl Fn(&T) -> String) -> Exit {
    for fault in faults.iter().take(LISTED) {
        note(&text(fault));
    }
    match faults.len() {
        0 => return Exit::Done,
        count if count > LISTED => note(&format!("warning: and so with {} more", count - LISTED)),
        _ => {}
    }
    Exit::Warnings
}

pub(super) fn warn_of_attributes(target: &str, count: u64) -> Exit {
    if count == 0 {
        return Exit::Done;
    }
    note(&format!(
        "{target}: warning: modes or times of {} could not be set; the bytes are there",
        entries(count)
    ));
    Exit::Warnings
}
