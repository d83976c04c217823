//! `bulla cat`

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use bulla::{Options, ReadAt};
use bulla_archive::{ArchiveReader, Entry, EntryContent, Error, Kind};

use super::archive::Archive;
use crate::args::{ByteRange, Cat};
use crate::error::{Exit, Failure};
use crate::io::output::Target;
use crate::io::staged::Access;
use crate::process::workers::Team;
use crate::terminal::display::{DASH, bytes, shown, shown_name, typed_name};
use crate::terminal::streams::note;

/// Bytes that are opened at once, on all threads, and then written.
const STEP: u64 = 8 << 20;

pub(super) fn run(args: &Cat) -> Result<Exit, Failure> {
    let team = Team::new(None)?;
    let archive = Archive::open(&args.archive, &args.key)?;
    let reader = archive.reader(&Options::new().workers(team.workers()))?;
    let target = Target::resolve(Path::new(DASH), false)?;
    if target.is(archive.input.identity().as_ref()) {
        return Err(Failure::usage(
            target.name(),
            "the output is the archive; write to another file",
        ));
    }
    let failure = |e: &Error| archive.failure(e, &target.name());

    let name = shown(Path::new(&args.name));
    let entry = find(args, &name, &reader).map_err(|found| match found {
        Found::Other(failure) => failure,
        Found::Error(e) => failure(&e),
    })?;
    let content = reader.content(&entry).map_err(|e| failure(&e))?;
    let range = range(args.range, &name, entry.len())?;

    let output = target.create(Access::Owner)?;
    let written = output.file().map_err(Error::from).and_then(|file| write(&content, range, file));
    written.map_err(|e| {
        let failure = failure(&e);
        match failure.exit {
            Exit::Damaged if output.is_redirected() => failure.and("nothing was written"),
            Exit::Damaged => {
                failure.and("what was written up to there is verified, but it is not all")
            }
            _ => failure,
        }
    })?;
    // As of `cat`, whoever writes to a file sees to its durability.
    output.commit(&target.name(), None, false)?;
    Ok(warn(&entry, archive.warn(reader.opened().header_state)))
}

/// Why there is no file to read.
enum Found {
    Error(Error),
    Other(Failure),
}

fn find<S: ReadAt>(args: &Cat, shown: &str, reader: &ArchiveReader<'_, S>) -> Result<Entry, Found> {
    let name = typed_name(&args.name).unwrap_or_default();
    let other = |exit, text: String| Err(Found::Other(Failure::new(exit, shown, text)));
    let directory =
        "this is a directory; `bulla list` shows what is in it, `bulla restore` restores it"
            .to_owned();
    match reader.lookup(&name).map_err(Found::Error)? {
        Some(entry) if entry.kind() == Kind::Directory => other(Exit::Usage, directory),
        Some(entry) if entry.kind() == Kind::Symlink => {
            let target = shown_name(entry.target().unwrap_or_default());
            other(
                Exit::Usage,
                format!("this is a symbolic link to {target}; name the file that it points to"),
            )
        }
        Some(entry) => Ok(entry),
        // Directories need not be entries.
        None => match reader.directory(&name).next().transpose().map_err(Found::Error)? {
            Some(_) => other(Exit::Usage, directory),
            None => {
                let archive = self::shown(&args.archive);
                let text = format!(
                    "there is no file of this name in {archive}; `bulla list` shows what is there"
                );
                other(Exit::Environment, text)
            }
        },
    }
}

fn range(asked: Option<ByteRange>, name: &str, len: u64) -> Result<Range<u64>, Failure> {
    let ByteRange { start, end } = asked.unwrap_or(ByteRange { start: 0, end: None });
    let range = start..end.unwrap_or(len);
    if range.start > len || range.end > len {
        let text = format!("the range reaches behind the end; the file has {}", bytes(len));
        return Err(Failure::usage(name, text));
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
    let what = entry.state().describe();
    note(&format!("{}: warning: when it was backed up, it {what}", shown_name(entry.path())));
    Exit::Warnings
}
