//! `bulla restore`

use bulla::{Options, ReadAt};
use bulla_archive::{ArchiveReader, Entry, Error, Kind};

use super::shared::archive::Archive;
use super::shared::warnings::{describe_state, first_of, warn_of_attributes, warn_of_each};
use crate::args::archives::RestoreArgs;
use crate::error::{Exit, Failure};
use crate::io::path::entry_path;
use crate::process::workers::WorkerPool;
use crate::restore::conflicts::reject_conflicts;
use crate::restore::directories::DirectoryId;
use crate::restore::restorer::{Durability, Restorer};
use crate::restore::writer::ContentWriter;
use crate::terminal::display::{bytes, entries, shown, shown_entry};
use crate::terminal::message::{note, say};
use crate::terminal::progress;

pub(super) fn run(args: &RestoreArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(args.threads.threads)?;
    let archive = Archive::open(&args.archive, &args.key, &pool)?;
    let target = shown(&args.directory);
    let options = Options::new().workers(pool.workers());
    let reader = archive.reader(&options)?;
    let selected = select(&reader, args).map_err(|e| match e {
        SelectError::Archive(error) => archive.failure(&error, &target).and("nothing was restored"),
        SelectError::NotFound(failure) => failure,
    })?;
    let (selected, unreadable) = split_readable(&reader, selected);
    let inputs: Vec<_> =
        [archive.input.identity(), archive.source.identity()].into_iter().flatten().collect();
    reject_conflicts(&args.directory, &selected, args.write.force, &inputs)?;

    let quiet = args.quiet.quiet;
    let selection = Selection::new(selected);
    let durability = Durability::choose(!args.write.no_sync, selection.files.len());
    let mut restorer = Restorer::new(&args.directory, args.write.force, durability)?;
    let restored = progress::with_bytes(Some(selection.len), quiet, |progress| {
        let reader = archive.reader(&options.progress(progress))?;
        restore(&selection, &reader, &mut restorer, |e| archive.failure(e, &target))
    });
    // Even after a failure, because complete files are published.
    let completed = restorer.complete();
    restored.and(completed).map_err(|failure| {
        let count = selection.files.len() + selection.links.len();
        failure.and(&format!("restored {} of {count} files and links", restorer.restored()))
    })?;

    if !quiet {
        let (count, size) = (entries(selection.count()), bytes(selection.len));
        say(&format!("{target}: restored {count}, {size}, from {}", archive.input.name));
    }
    let exits = [
        archive.warn(reader.opened().header_state),
        warn_of_each(&unreadable, |(path, reason)| {
            format!("{}: warning: not restored: {reason}", shown_entry(path))
        }),
        warn_of_each(&selection.incomplete(), |entry| {
            let (path, state) = (shown_entry(entry.path()), describe_state(entry.state()));
            format!(
                "{path}: warning: during the backup, it {state}; restored the part that was saved"
            )
        }),
        warn_of_attributes(&target, restorer.attribute_errors()),
    ];
    Ok(first_of(exits))
}

fn restore<S: ReadAt>(
    selection: &Selection,
    reader: &ArchiveReader<'_, S>,
    restorer: &mut Restorer,
    read_failure: impl Fn(&Error) -> Failure,
) -> Result<(), Failure> {
    selection.directories.iter().try_for_each(|directory| {
        restorer.create_directory(directory).map_err(|e| restorer.failure(directory.path(), &e))
    })?;
    let parent_of = |restorer: &mut Restorer, entry: &Entry| {
        restorer.parent_of(entry).map_err(|e| restorer.failure(entry.path(), &e))
    };
    let directories: Vec<DirectoryId> =
        selection.files.iter().map(|file| parent_of(restorer, file)).collect::<Result<_, _>>()?;
    let writer = ContentWriter::new(restorer, &selection.files, &directories);
    writer.write_empty_files()?;
    let read = reader.read_all(&selection.files, |number, offset, bytes| {
        writer.write_piece(number, offset, bytes)
    });
    match (writer.failure(), read) {
        (Some(failure), _) => return Err(failure),
        (None, Err(error)) => return Err(read_failure(&error)),
        (None, Ok(())) => {}
    }
    // Last, so that nothing is written through a link from the archive.
    selection.links.iter().try_for_each(|link| {
        let directory = parent_of(restorer, link)?;
        restorer.create_link(directory, link).map_err(|e| restorer.failure(link.path(), &e))
    })
}

/// The entries to restore, by kind.
struct Selection {
    directories: Vec<Entry>,
    files: Vec<Entry>,
    links: Vec<Entry>,
    /// The total size of the files, in bytes.
    len: u64,
}

impl Selection {
    fn new(selected: Vec<Entry>) -> Selection {
        let (directories, files, links) = Default::default();
        let mut selection = Selection { directories, files, links, len: 0 };
        for entry in selected {
            selection.len = selection.len.saturating_add(entry.len());
            match entry.kind() {
                Kind::Directory => selection.directories.push(entry),
                Kind::File => selection.files.push(entry),
                Kind::Symlink => selection.links.push(entry),
            }
        }
        selection
    }

    fn count(&self) -> u64 {
        (self.directories.len() + self.files.len() + self.links.len()) as u64
    }

    /// Returns the entries that changed or could not be read during the backup.
    fn incomplete(&self) -> Vec<&Entry> {
        let all = self.directories.iter().chain(&self.files).chain(&self.links);
        all.filter(|entry| !entry.state().is_whole()).collect()
    }
}

/// Why no entries could be selected.
enum SelectError {
    Archive(Error),
    NotFound(Failure),
}

impl From<Error> for SelectError {
    fn from(error: Error) -> SelectError {
        SelectError::Archive(error)
    }
}

/// Returns the entries that the command line selects, sorted by path.
fn select<S: ReadAt>(
    reader: &ArchiveReader<'_, S>,
    args: &RestoreArgs,
) -> Result<Vec<Entry>, SelectError> {
    if args.paths.is_empty() {
        return Ok(reader.entries().collect::<Result<_, _>>()?);
    }
    let (mut selected, mut missing) = (Vec::new(), Vec::new());
    for argument in &args.paths {
        let before = selected.len();
        if let Some(path) = entry_path(argument).filter(|_| !argument.is_empty()) {
            for entry in reader.directory(&path) {
                selected.push(entry?);
            }
        }
        if selected.len() == before {
            missing.push(shown(argument.as_ref()));
        }
    }
    if !missing.is_empty() {
        let archive = shown(&args.archive);
        missing.iter().for_each(|path| note(&format!("{path}: not found in {archive}")));
        let problem = "nothing was restored; use `bulla list` to see what the archive contains";
        return Err(SelectError::NotFound(Failure::new(Exit::Environment, archive, problem)));
    }
    // A path may be given twice, or together with its directory.
    selected.sort_unstable_by(|a, b| a.path().cmp(b.path()));
    selected.dedup_by(|a, b| a.path() == b.path());
    reject_entries_below_files(&selected)?;
    Ok(selected)
}

/// Makes a check that the reader only makes when it reads the whole archive.
fn reject_entries_below_files(selected: &[Entry]) -> Result<(), Error> {
    for entry in selected.iter().filter(|entry| entry.kind() != Kind::Directory) {
        let below = [entry.path(), b"/"].concat();
        let first = selected.partition_point(|other| other.path() < below.as_slice());
        if let Some(other) = selected.get(first).filter(|other| other.path().starts_with(&below)) {
            return Err(Error::ParentNotDirectory { path: other.path().to_vec() });
        }
    }
    Ok(())
}

/// Separates the entries whose content cannot be read, with the reasons.
fn split_readable<S: ReadAt>(
    reader: &ArchiveReader<'_, S>,
    selected: Vec<Entry>,
) -> (Vec<Entry>, Vec<(Vec<u8>, String)>) {
    let mut unreadable = Vec::new();
    let mut readable = selected;
    readable.retain(|entry| match reader.content(entry) {
        Err(error) if entry.kind() == Kind::File => {
            unreadable.push((entry.path().to_vec(), error.to_string()));
            false
        }
        _ => true,
    });
    (readable, unreadable)
}
