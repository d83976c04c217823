//! `bulla list`

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::path::Path;

use bulla::{Options, Workers};
use bulla_archive::{ArchiveReader, Entry, Error, Kind, Note, State, Time};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::shared::archive::Archive;
use super::shared::warnings::describe_state;
use crate::args::archives::ListArgs;
use crate::error::{Exit, Failure};
use crate::io::path::entry_path;
use crate::process::workers::WorkerPool;
use crate::terminal::display::{shown, shown_entry};
use crate::terminal::message::note;

pub(super) fn run(args: &ListArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(None)?;
    let archive = Archive::open(&args.archive, &args.key, &pool)?;
    // The index is read block by block, so more threads would not help.
    let reader = archive.reader(&Options::new().workers(Workers::Serial))?;
    let paths = entry_paths(args)?;
    let mut listing = Listing { reader: &reader, args, out: BufWriter::new(io::stdout().lock()) };
    match listing.write(&paths) {
        Ok(missing) if missing.is_empty() => Ok(archive.warn(reader.opened().header_state)),
        Ok(missing) => {
            for path in missing {
                note(&format!("{}: not found in {}", shown_entry(path), archive.input.name));
            }
            Ok(Exit::Environment)
        }
        // The reader, such as `head`, has seen enough.
        Err(ListError::Output(e)) if e.kind() == ErrorKind::BrokenPipe => Ok(Exit::Success),
        Err(ListError::Output(e)) => Err(Failure::io("standard output", &e)),
        Err(ListError::Archive(e)) => {
            // Print the entries before the error.
            let _ = listing.out.flush();
            Err(archive.failure(&e, &archive.input.name))
        }
    }
}

/// Returns the entry paths to list. An empty list selects all entries.
fn entry_paths(args: &ListArgs) -> Result<Vec<Vec<u8>>, Failure> {
    let convert = |argument: &OsString| {
        entry_path(argument)
            .filter(|path| !path.is_empty())
            .ok_or_else(|| Failure::usage(shown(Path::new(argument)), "not a valid archive path"))
    };
    args.paths.iter().map(convert).collect()
}

/// Why a listing ended early.
enum ListError {
    Archive(Error),
    Output(io::Error),
}

impl From<Error> for ListError {
    fn from(error: Error) -> ListError {
        ListError::Archive(error)
    }
}

impl From<io::Error> for ListError {
    fn from(error: io::Error) -> ListError {
        ListError::Output(error)
    }
}

struct Listing<'l, 'a> {
    reader: &'l ArchiveReader<'a, &'l File>,
    args: &'l ListArgs,
    out: BufWriter<StdoutLock<'static>>,
}

impl Listing<'_, '_> {
    /// Prints the selected entries, and returns the paths that were not found.
    fn write<'n>(&mut self, paths: &'n [Vec<u8>]) -> Result<Vec<&'n [u8]>, ListError> {
        let mut missing = Vec::new();
        if paths.is_empty() {
            for entry in self.reader.entries() {
                self.entry(&entry?)?;
            }
        }
        for path in paths {
            let mut found = false;
            for entry in self.reader.directory(path) {
                self.entry(&entry?)?;
                found = true;
            }
            if !found {
                missing.push(&path[..]);
            }
        }
        // Last, so that damaged notes do not prevent the listing.
        let notes = self.reader.notes()?;
        missing.retain(|path| !notes.iter().any(|note| is_at(&note.path, path)));
        let is_selected =
            |note: &&Note| paths.is_empty() || paths.iter().any(|path| is_at(&note.path, path));
        self.notes(notes.iter().filter(is_selected))?;
        self.out.flush()?;
        Ok(missing)
    }

    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        match self.args {
            ListArgs { json: true, .. } => writeln!(self.out, "{}", entry_json(entry)),
            ListArgs { long: true, .. } => writeln!(self.out, "{}", long_line(entry)),
            _ => writeln!(self.out, "{}", shown_entry(entry.path())),
        }
    }

    /// Prints skipped files after the entries, or counts them if the format has no state column.
    fn notes<'n>(&mut self, notes: impl Iterator<Item = &'n Note>) -> io::Result<()> {
        let (mut skipped, mut incomplete) = (0, 0);
        for note in notes {
            if !note.state.has(State::SKIPPED) {
                incomplete += 1;
                continue;
            }
            skipped += 1;
            match self.args {
                ListArgs { json: true, .. } => writeln!(self.out, "{}", skipped_json(note))?,
                ListArgs { long: true, .. } => writeln!(
                    self.out,
                    "{:10} {:>14} {:20} {}  [{}]",
                    "-",
                    "-",
                    "-",
                    shown_entry(&note.path),
                    describe_state(note.state)
                )?,
                _ => {}
            }
        }
        if self.args.json || self.args.long {
            return Ok(());
        }
        self.out.flush()?;
        if skipped + incomplete > 0 {
            note(&format!(
                "{}: {incomplete} incomplete, {skipped} skipped; use --long to see which",
                shown(&self.args.archive)
            ));
        }
        Ok(())
    }
}

/// Returns whether `path` is `directory` or below it. A note about the contents of a directory has
/// a trailing slash.
fn is_at(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|below| matches!(below.first(), None | Some(b'/')))
}

/// Formats an entry like `ls -l`, without the columns that an archive does not keep.
fn long_line(entry: &Entry) -> String {
    let metadata = entry.metadata();
    let kind = match entry.kind() {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
    };
    let mode = metadata.mode.map_or_else(|| "?????????".to_owned(), permissions);
    let len = if entry.kind() == Kind::File { entry.len().to_string() } else { "-".to_owned() };
    let time = metadata.mtime.map_or("-".to_owned(), |time| match timestamp(time.seconds, 0) {
        Some(time) => time.to_string(),
        None => format!("@{}", time.seconds),
    });
    let mut line = format!("{kind}{mode} {len:>14} {time:20} {}", shown_entry(entry.path()));
    if let Some(target) = entry.target() {
        line.push_str(&format!(" -> {}", shown_entry(target)));
    }
    if !entry.state().is_whole() {
        line.push_str(&format!("  [{}]", describe_state(entry.state())));
    }
    line
}

/// Formats permissions like `ls`: `rwxr-xr-x`, with `s`, `S`, `t` and `T`.
fn permissions(mode: u32) -> String {
    let special = [(0o4000, 0o100, 's'), (0o2000, 0o010, 's'), (0o1000, 0o001, 't')];
    let mut text = String::with_capacity(9);
    for bit in (0..9).rev() {
        let (bit, letter) = (1 << bit, ['x', 'w', 'r'][bit % 3]);
        let is_set = mode & bit != 0;
        text.push(
            match special.iter().find(|(special, of, _)| *of == bit && mode & special != 0) {
                Some((.., letter)) if is_set => *letter,
                Some((.., letter)) => letter.to_ascii_uppercase(),
                None if is_set => letter,
                None => '-',
            },
        );
    }
    text
}

fn entry_json(entry: &Entry) -> Value {
    let metadata = entry.metadata();
    let kind = match entry.kind() {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
    };
    let modified =
        metadata.mtime.and_then(|Time { seconds, nanoseconds }| timestamp(seconds, nanoseconds));
    let mut object = json!({
        "name": String::from_utf8_lossy(entry.path()),
        "kind": kind,
        "len": entry.len(),
        "mode": metadata.mode.map(|mode| format!("{mode:04o}")),
        "modified": modified.map(|time| time.to_string()),
        "target": entry.target().map(String::from_utf8_lossy),
        "state": states(entry.state()),
    });
    add_hex(&mut object, "name_hex", entry.path());
    add_hex(&mut object, "target_hex", entry.target().unwrap_or_default());
    object
}

/// Returns the JSON for a skipped file, of which only the path is known.
fn skipped_json(note: &Note) -> Value {
    let mut object = json!({
        "name": String::from_utf8_lossy(&note.path),
        "kind": null,
        "len": null,
        "mode": null,
        "modified": null,
        "target": null,
        "state": states(note.state),
    });
    add_hex(&mut object, "name_hex", &note.path);
    object
}

/// Adds a path as hex digits if it is not UTF-8, because JSON cannot represent it.
fn add_hex(object: &mut Value, field: &str, bytes: &[u8]) {
    if std::str::from_utf8(bytes).is_err() {
        object[field] = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    }
}

fn states(state: State) -> Vec<&'static str> {
    let words = [
        (State::SHORT, "short"),
        (State::GREW, "grew"),
        (State::CHANGED, "changed"),
        (State::UNREADABLE, "unreadable"),
        (State::SKIPPED, "left_out"),
    ];
    words.into_iter().filter(|(other, _)| state.has(*other)).map(|(_, word)| word).collect()
}

/// Converts a time. Returns `None` outside the years -9999 to 9999.
fn timestamp(seconds: i64, nanoseconds: u32) -> Option<Timestamp> {
    // Passed as one number, which avoids the sign conventions of `Timestamp::new`.
    let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    Timestamp::from_nanosecond(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_permissions() {
        for (mode, text) in [
            (0o755, "rwxr-xr-x"),
            (0o600, "rw-------"),
            (0o4755, "rwsr-xr-x"),
            (0o6644, "rwSr-Sr--"),
            (0o1777, "rwxrwxrwt"),
            (0o1000, "--------T"),
            (0, "---------"),
        ] {
            assert_eq!(permissions(mode), text, "{mode:o}");
        }
    }

    #[test]
    fn formats_times() {
        let text =
            |seconds, nanoseconds| timestamp(seconds, nanoseconds).map(|time| time.to_string());
        for (seconds, nanoseconds, shown) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (1_700_000_000, 5, "2023-11-14T22:13:20.000000005Z"),
            (-2, 500_000_000, "1969-12-31T23:59:58.5Z"),
        ] {
            assert_eq!(text(seconds, nanoseconds).as_deref(), Some(shown));
        }
        assert_eq!(text(i64::MAX, 999_999_999), None);
        assert_eq!(text(i64::MIN, 0), None);
    }

    #[test]
    fn is_at_matches_whole_components() {
        assert!(is_at(b"a", b"a") && is_at(b"a/b", b"a") && is_at(b"a/", b"a"));
        assert!(!is_at(b"ab", b"a") && !is_at(b"", b"a"));
    }
}
