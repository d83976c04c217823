//! `bulla salvage`

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::atomic::Ordering;

use bulla::{Key, Options, Preamble, SalvageReader, write_all_at};
use bulla_archive::{Entry, IndexState, Kind, Recovered, Salvage, Summary};

use super::shared::archive::NOT_SEEKABLE;
use super::shared::warnings::{describe_state, first_of, warn_of_attributes, warn_of_each};
use crate::args::archives::SalvageArgs;
use crate::error::{Exit, Failure, describe};
use crate::io::input::Input;
use crate::keys::source::{KeySource, read_key};
use crate::keys::unlock::unlock;
use crate::process::workers::WorkerPool;
use crate::restore::directories::DirectoryId;
use crate::restore::directory::split;
use crate::restore::restorer::{Durability, IncompleteFile, Restorer};
use crate::terminal::display::{bytes, entries, shown, shown_entry};
use crate::terminal::message::{note, say};
use crate::terminal::progress;

/// The suffix of an incomplete file.
const DAMAGED: &[u8] = b".damaged";
/// The longest file name on most file systems, in bytes.
const MAX_NAME_LEN: usize = 255;

pub(super) fn run(args: &SalvageArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(args.threads.threads)?;
    let input = Input::open(Some(&args.archive))?;
    if !input.file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(Failure::usage(input.name, NOT_SEEKABLE));
    }
    let source = KeySource::for_unlocking(&args.key)?;
    let key = archive_key(&input, &source, args, &pool)?;
    let target = shown(&args.directory);
    let options = Options::new().workers(pool.workers());
    let salvage = Salvage::new(&key, &input.file, &options);
    let mut salvage = salvage.map_err(|e| Failure::archive(&e, &input.name, &target))?;

    // The number of files is not known in advance.
    let durability = Durability::choose(!args.write.no_sync, usize::MAX);
    let restorer = Restorer::new(&args.directory, args.write.force, durability)?;
    let mut salvager = Salvager { restorer, tally: Tally::default(), current: None };
    let salvaged = progress::with_count(args.quiet.quiet, |found| {
        for recovered in salvage.by_ref() {
            if matches!(recovered, Recovered::Entry(_)) {
                found.fetch_add(1, Ordering::Relaxed);
            }
            salvager.take(recovered)?;
        }
        salvager.finish_file()
    });
    // Even after a failure, because complete files are published.
    let Salvager { restorer, tally, .. } = salvager;
    let completed = restorer.complete();
    salvaged.and(completed)?;

    let summary = salvage.summary();
    let restored = restorer.restored() + tally.directories;
    if restored == 0 && (summary.lost > 0 || summary.unnamed) {
        let problem = "nothing could be salvaged";
        return Err(Failure::new(Exit::Damaged, &input.name, problem));
    }
    let exit = first_of([
        warn_of_losses(&input.name, &summary, &tally),
        warn_of_attributes(&target, restorer.attribute_errors()),
    ]);
    if exit != Exit::Success || !args.quiet.quiet {
        let complete = entries(restored - tally.damaged);
        let damaged = match tally.damaged {
            0 => String::new(),
            count => format!(" and {count} damaged (PATH.damaged)"),
        };
        let (lost, archive) = (bytes(summary.lost), &input.name);
        say(&format!("{target}: salvaged {complete}{damaged} from {archive}; {lost} lost"));
    }
    Ok(exit)
}

/// Returns the archive's key.
///
/// An envelope can only be used if the header or the footer is valid. Otherwise, the given key may
/// still match what is left of them.
fn archive_key(
    input: &Input,
    source: &KeySource,
    args: &SalvageArgs,
    pool: &WorkerPool,
) -> Result<Key, Failure> {
    let preamble = Preamble::read_at(&input.file);
    let unlocked = match &preamble {
        Ok(preamble) => unlock(preamble, &input.name, source, &args.key, pool)
            .map(|unlocked| Key::from_bytes(unlocked.key().expose())),
        Err(e) => Err(Failure::container(e, &input.name, &input.name)),
    };
    unlocked.or_else(|failure| {
        let KeySource::KeyFile(path, _) = source else { return Err(failure) };
        match read_key(path) {
            Ok(key) if SalvageReader::new(&key, &input.file, &Options::new()).is_ok() => Ok(key),
            _ => Err(failure),
        }
    })
}

/// Restores the parts of an archive as they are recovered.
struct Salvager {
    restorer: Restorer,
    tally: Tally,
    current: Option<CurrentFile>,
}

#[derive(Default)]
struct Tally {
    directories: u64,
    damaged: u64,
    /// Entries whose path is known but that were not restored.
    missing: u64,
}

/// The file whose pieces and holes are being recovered.
struct CurrentFile {
    entry: Entry,
    directory: DirectoryId,
    /// `None` before the first piece.
    file: Option<(IncompleteFile, File)>,
    holes: Vec<Range<u64>>,
}

impl Salvager {
    /// Takes the next part. A problem with an individual entry is not an error.
    fn take(&mut self, recovered: Recovered) -> Result<(), Failure> {
        match (recovered, &mut self.current) {
            (Recovered::Entry(entry), _) => {
                self.finish_file()?;
                match self.start(&entry) {
                    Ok(file) => self.current = file,
                    Err(e) => self.skip_or_fail(&e, entry.path())?,
                }
            }
            (Recovered::Piece { offset, bytes }, Some(current)) => {
                write(current, offset, &bytes, &self.restorer)
                    .map_err(|e| self.restorer.failure(current.entry.path(), &e))?;
            }
            (Recovered::Hole { range }, Some(current)) => current.holes.push(range),
            // The entry was skipped.
            _ => {}
        }
        Ok(())
    }

    /// Restores a directory or a link, or returns a file whose pieces follow.
    fn start(&mut self, entry: &Entry) -> io::Result<Option<CurrentFile>> {
        if entry.kind() == Kind::Directory {
            self.restorer.create_directory(entry)?;
            self.tally.directories += 1;
            return Ok(None);
        }
        let directory = self.restorer.parent_of(entry)?;
        if self.restorer.has_conflict(directory, entry.path())? {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if entry.kind() == Kind::Symlink {
            self.restorer.create_link(directory, entry)?;
            return Ok(None);
        }
        Ok(Some(CurrentFile { entry: entry.clone(), directory, file: None, holes: Vec::new() }))
    }

    /// Publishes the current file: under its own name if it is complete, as `.damaged` if not.
    fn finish_file(&mut self) -> Result<(), Failure> {
        let Some(CurrentFile { entry, directory, file, holes }) = self.current.take() else {
            return Ok(());
        };
        let path = entry.path();
        for hole in &holes {
            note(&format!("{}: lost bytes {}..{}", shown_entry(path), hole.start, hole.end));
        }
        let (incomplete, file) = match file {
            Some(file) => file,
            None if entry.len() == 0 => self
                .restorer
                .create_file(directory, &entry)
                .map_err(|e| self.restorer.failure(path, &e))?,
            None if holes.is_empty() => {
                self.tally
                    .skip(path, "its content is in another container or has an unknown encoding");
                return Ok(());
            }
            None => {
                self.tally.skip(path, "all of its content is lost");
                return Ok(());
            }
        };
        if holes.is_empty() {
            return self.restorer.complete_file(incomplete, &file, path, &entry.metadata());
        }
        // Extends the file over a hole at its end. This fails if the damaged index gives an
        // impossible length, which is ignored.
        let _ = file.set_len(entry.len());
        let (_, name) = split(path);
        let cut = name.len().saturating_sub(MAX_NAME_LEN - DAMAGED.len());
        let damaged = [&path[..path.len() - cut], DAMAGED].concat();
        let has_conflict = self.restorer.has_conflict(directory, &damaged);
        if has_conflict.map_err(|e| self.restorer.failure(&damaged, &e))? {
            self.tally.skip(&damaged, CONFLICT);
            return Ok(());
        }
        self.tally.damaged += 1;
        self.restorer.complete_file(incomplete, &file, &damaged, &entry.metadata())
    }

    /// Skips an entry if the error concerns it alone.
    fn skip_or_fail(&mut self, error: &io::Error, path: &[u8]) -> Result<(), Failure> {
        match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
                self.tally.skip(path, CONFLICT);
            }
            ErrorKind::InvalidInput | ErrorKind::InvalidFilename | ErrorKind::Unsupported => {
                self.tally.skip(path, &describe(error));
            }
            _ => return Err(self.restorer.failure(path, error)),
        }
        Ok(())
    }
}

const CONFLICT: &str =
    "conflicts with an existing file; use --force to replace it, or another directory with -C";

impl Tally {
    fn skip(&mut self, path: &[u8], reason: &str) {
        self.missing += 1;
        note(&format!("{}: not restored: {reason}", shown_entry(path)));
    }
}

fn write(
    current: &mut CurrentFile,
    offset: u64,
    bytes: &[u8],
    restorer: &Restorer,
) -> io::Result<()> {
    let (_, file) = match &mut current.file {
        Some(file) => file,
        file => file.insert(restorer.create_file(current.directory, &current.entry)?),
    };
    write_all_at(file, bytes, offset)
}

fn warn_of_losses(archive: &str, summary: &Summary, tally: &Tally) -> Exit {
    let index = match summary.index {
        IndexState::Whole => None,
        IndexState::Partial => Some("part of the index is lost"),
        IndexState::Lost => Some("the index is lost"),
    };
    if let Some(index) = index {
        let entries = match summary.unnamed {
            true => "the archive may have contained more entries",
            false => "all entries were still found",
        };
        note(&format!("{archive}: warning: {index}; {entries}"));
    }
    if summary.notes.is_none() {
        let problem = "the notes are lost; files that shrank during the backup end with zeros";
        note(&format!("{archive}: warning: {problem}"));
    }
    let notes = summary.notes.as_deref().unwrap_or_default();
    let noted = warn_of_each(notes, |note| {
        let (path, state) = (shown_entry(&note.path), describe_state(note.state));
        format!("{path}: warning: during the backup, it {state}")
    });
    let is_lost = summary.lost > 0 || summary.unnamed || summary.notes.is_none();
    if index.is_some() || is_lost || tally.missing > 0 { Exit::Warnings } else { noted }
}
