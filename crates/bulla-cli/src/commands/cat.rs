//! `bulla cat`

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use bulla::{Options, ReadAt};
use bulla_archive::{ArchiveReader, Entry, EntryContent, Error, Kind};

use super::shared::archive::Archive;
use super::shared::warnings::describe_state;
use crate::args::archives::CatArgs;
use crate::args::values::ByteRange;
use crate::error::{Exit, Failure};
use crate::io::output::Target;
use crate::io::path::{DASH, entry_path};
use crate::io::staged::Access;
use crate::process::workers::WorkerPool;
use crate::terminal::display::{bytes, shown, shown_entry};
use crate::terminal::message::note;

/// The number of bytes that all threads decrypt before they are written.
const STEP: u64 = 8 << 20;

pub(super) fn run(args: &CatArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(None)?;
    let archive = Archive::open(&args.archive, &args.key, &pool)?;
    let reader = archive.reader(&Options::new().workers(pool.workers()))?;
    let target = Target::resolve(Path::new(DASH), false)?;
    if target.is(archive.input.identity().as_ref()) {
        let problem = "the output is the archive; choose another output";
        return Err(Failure::usage(target.name(), problem));
    }
    let failure = |e: &Error| archive.failure(e, &target.name());

    let name = shown(Path::new(&args.path));
    let entry = find(args, &name, &reader).map_err(|e| match e {
        FindError::Archive(e) => failure(&e),
        FindError::NotAFile(failure) => failure,
    })?;
    let content = reader.content(&entry).map_err(|e| failure(&e))?;
    let range = resolve_range(args.range, &name, entry.len())?;

    let output = target.create(Access::Owner)?;
    let written = output.file().map_err(Error::from).and_then(|file| write(&content, range, file));
    written.map_err(|e| {
        let failure = failure(&e);
        match failure.exit {
            Exit::Damaged if output.is_redirected() => failure.and("nothing was written"),
            Exit::Damaged => failure.and("the output is authentic but incomplete"),
            _ => failure,
        }
    })?;
    // Like `cat`, without syncing.
    output.commit(&target.name(), false)?;
    Ok(warn(&entry, archive.warn(reader.opened().header_state)))
}

/// Why no file was found.
enum FindError {
    Archive(Error),
    NotAFile(Failure),
}

fn find<S: ReadAt>(
    args: &CatArgs,
    name: &str,
    reader: &ArchiveReader<'_, S>,
) -> Result<Entry, FindError> {
    let path = entry_path(&args.path).unwrap_or_default();
    let reject = |exit, problem: &str| Err(FindError::NotAFile(Failure::new(exit, name, problem)));
    let directory = "is a directory; use `bulla list` or `bulla restore`";
    match reader.lookup(&path).map_err(FindError::Archive)? {
        Some(entry) if entry.kind() == Kind::Directory => reject(Exit::Usage, directory),
        Some(entry) if entry.kind() == Kind::Symlink => {
            let target = shown_entry(entry.target().unwrap_or_default());
            reject(
                Exit::Usage,
                &format!("is a symbolic link to {target}; name the file that it points to"),
            )
        }
        Some(entry) => Ok(entry),
        // A directory can exist without an entry.
        None => match reader.directory(&path).next().transpose().map_err(FindError::Archive)? {
            Some(_) => reject(Exit::Usage, directory),
            None => {
                let archive = shown(&args.archive);
                let problem = format!("not found in {archive}; use `bulla list` to see its files");
                reject(Exit::Environment, &problem)
            }
        },
    }
}

fn resolve_range(range: Option<ByteRange>, name: &str, len: u64) -> Result<Range<u64>, Failure> {
    let ByteRange { start, end } = range.unwrap_or(ByteRange { start: 0, end: None });
    let range = start..end.unwrap_or(len);
    if range.start > len || range.end > len {
        let problem =
            format!("the range extends past the end of the file, which has {}", bytes(len));
        return Err(Failure::usage(name, problem));
    }
    Ok(range)
}

fn write<S: ReadAt>(
    content: &EntryContent<'_, '_, S>,
    range: Range<u64>,
    mut out: impl Write,
) -> Result<(), Error> {
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at + STEP);
        out.write_all(&content.range(at..end)?)?;
        at = end;
    }
    Ok(())
}

fn warn(entry: &Entry, exit: Exit) -> Exit {
    if entry.state().is_whole() {
        return exit;
    }
    let state = describe_state(entry.state());
    note(&format!("{}: warning: during the backup, it {state}", shown_entry(entry.path())));
    Exit::Warnings
}
