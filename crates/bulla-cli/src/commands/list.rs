//! `bulla list`

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::path::Path;

use bulla::{Options, Workers};
use bulla_archive::{ArchiveReader, Entry, Error, Kind, Note, State, Time};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::archive::Archive;
use crate::args::List;
use crate::error::{Exit, Failure};
use crate::terminal::display::{shown, shown_name, typed_name};
use crate::terminal::streams::note;

pub(super) fn run(args: &List) -> Result<Exit, Failure> {
    let archive = Archive::open(&args.archive, &args.key)?;
    // A listing reads the index block by block, and has no use for more threads.
    let reader = archive.reader(&Options::new().workers(Workers::Serial))?;
    let names = names(args)?;
    let mut listing = Listing { reader: &reader, args, out: BufWriter::new(io::stdout().lock()) };
    match listing.write(&names) {
        Ok(missing) if missing.is_empty() => Ok(archive.warn(reader.opened().header_state)),
        Ok(missing) => {
            for name in missing {
                note(&format!(
                    "{}: there is nothing of this name in {}",
                    shown_name(name),
                    archive.input.name
                ));
            }
            Ok(Exit::Environment)
        }
        // `bulla list | head` has what it wanted.
        Err(Unlisted::Output(e)) if e.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(Unlisted::Output(e)) => Err(Failure::io("standard output", &e)),
        Err(Unlisted::Archive(e)) => {
            // What comes before is listed.
            let _ = listing.out.flush();
            Err(archive.failure(&e, &archive.input.name))
        }
    }
}

/// Names as the archive has them. None means all of it.
fn names(args: &List) -> Result<Vec<Vec<u8>>, Failure> {
    let name = |typed: &std::ffi::OsString| {
        typed_name(typed).filter(|name| !name.is_empty()).ok_or_else(|| {
            Failure::usage(shown(Path::new(typed)), "this is the name of nothing in an archive")
        })
    };
    args.names.iter().map(name).collect()
}

/// Why a listing ended.
enum Unlisted {
    Archive(Error),
    Output(io::Error),
}

impl From<Error> for Unlisted {
    fn from(error: Error) -> Unlisted {
        Unlisted::Archive(error)
    }
}

impl From<io::Error> for Unlisted {
    fn from(error: io::Error) -> Unlisted {
        Unlisted::Output(error)
    }
}

struct Listing<'l, 'a> {
    reader: &'l ArchiveReader<'a, &'l File>,
    args: &'l List,
    out: BufWriter<StdoutLock<'static>>,
}

impl Listing<'_, '_> {
    /// Writes what is asked for, and returns the names of which there is nothing.
    fn write<'n>(&mut self, names: &'n [Vec<u8>]) -> Result<Vec<&'n [u8]>, Unlisted> {
        let mut missing = Vec::new();
        if names.is_empty() {
            for entry in self.reader.entries() {
                self.entry(&entry?)?;
            }
        }
        for name in names {
            let mut found = false;
            for entry in self.reader.directory(name) {
                self.entry(&entry?)?;
                found = true;
            }
            if !found {
                missing.push(&name[..]);
            }
        }
        // Last: if they are damaged, the entries are listed all the same.
        let notes = self.reader.notes()?;
        missing.retain(|name| !notes.iter().any(|note| is_at(&note.path, name)));
        let asked =
            |note: &&Note| names.is_empty() || names.iter().any(|name| is_at(&note.path, name));
        self.notes(notes.iter().filter(asked))?;
        self.out.flush()?;
        Ok(missing)
    }

    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        match self.args {
            List { json: true, .. } => writeln!(self.out, "{}", json_of(entry)),
            List { long: true, .. } => writeln!(self.out, "{}", long(entry)),
            _ => writeln!(self.out, "{}", shown_name(entry.path())),
        }
    }

    /// What is no entry stands at the end of the list, where it has room for that; else it is
    /// counted.
    fn notes<'n>(&mut self, notes: impl Iterator<Item = &'n Note>) -> io::Result<()> {
        let (mut left_out, mut of_entries) = (0, 0);
        for note in notes {
            if !note.state.has(State::SKIPPED) {
                of_entries += 1;
                continue;
            }
            left_out += 1;
            match self.args {
                List { json: true, .. } => writeln!(self.out, "{}", json_of_left_out(note))?,
                List { long: true, .. } => writeln!(
                    self.out,
                    "{:10} {:>14} {:20} {}  [{}]",
                    "-",
                    "-",
                    "-",
                    shown_name(&note.path),
                    note.state.describe()
                )?,
                _ => {}
            }
        }
        if self.args.json || self.args.long {
            return Ok(());
        }
        self.out.flush()?;
        if left_out + of_entries > 0 {
            let text = format!(
                "changed or incomplete: {of_entries}, left out: {left_out}; --long shows which"
            );
            note(&format!("{}: {text}", shown(&self.args.archive)));
        }
        Ok(())
    }
}

/// Whether `name` is `directory`, or lies in it, or is what a note calls the content of it.
fn is_at(name: &[u8], directory: &[u8]) -> bool {
    name.strip_prefix(directory).is_some_and(|below| matches!(below.first(), None | Some(b'/')))
}

/// As `ls -l`, without what an archive does not keep.
fn long(entry: &Entry) -> String {
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
    let mut line = format!("{kind}{mode} {len:>14} {time:20} {}", shown_name(entry.path()));
    if let Some(target) = entry.target() {
        line.push_str(&format!(" -> {}", shown_name(target)));
    }
    if !entry.state().is_whole() {
        line.push_str(&format!("  [{}]", entry.state().describe()));
    }
    line
}

/// `rwxr-xr-x`, with `s` and `t` as `ls` shows them.
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

fn json_of(entry: &Entry) -> Value {
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

/// It has a name, and is nothing.
fn json_of_left_out(note: &Note) -> Value {
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

/// JSON has no bytes. What is text needs none.
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

/// None outside the years -9999 to 9999.
fn timestamp(seconds: i64, nanoseconds: u32) -> Option<Timestamp> {
    // A negative second with nanoseconds behind it is what jiff counts towards zero, and takes as
    // such.
    let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    Timestamp::from_nanosecond(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
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
    fn times() {
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
    fn what_is_at_a_name() {
        assert!(is_at(b"a", b"a") && is_at(b"a/b", b"a") && is_at(b"a/", b"a"));
        assert!(!is_at(b"ab", b"a") && !is_at(b"", b"a"));
    }
}
