//! The file of a recovery sheet. It holds a key, and is treated as a key file is: its owner's
//! alone, never overwritten, and on the disk before anybody relies on it.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bulla::{Header, Key};
use bulla_key::sheet::{self, Paper, SheetInfo};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::args;
use crate::error::{Exit, Failure};
use crate::io::staged::{Access, Staged, sync_directory};
use crate::keys::new_key::NewKey;
use crate::process::cleanup::leftovers;
use crate::terminal::display::{DASH, shown};

/// Fails if the sheet cannot be made in this file.
pub(crate) fn refuse(path: &Path) -> Result<(), Failure> {
    if path.as_os_str() == DASH {
        let text = "a sheet holds a key, and goes to a file of its own, never to standard output; name one";
        return Err(Failure::usage("-", text));
    }
    // Not `exists`: a link to nothing is something.
    if path.symlink_metadata().is_ok() { Err(exists(path)) } else { Ok(()) }
}

/// The sheet of today. `container` is a name, and the header of what it names.
pub(crate) fn draw(
    key: &Key,
    paper: args::Paper,
    container: Option<(&str, &Header)>,
) -> Zeroizing<String> {
    let paper = match paper {
        args::Paper::A4 => Paper::A4,
        args::Paper::Letter => Paper::Letter,
    };
    let today = day(SystemTime::now());
    let mut info = SheetInfo::new().paper(paper);
    if let Some(today) = &today {
        info = info.date(today);
    }
    if let Some((name, header)) = container {
        info = info.container(name, header.salt());
    }
    sheet::svg(key, &info)
}

/// Writes a sheet to a file that must not exist. When this returns, the file is on the disk. A key
/// file that was made with it is kept from then on, not a moment earlier or later.
pub(crate) fn write(path: &Path, svg: &str, new_key: Option<&mut NewKey>) -> Result<(), Failure> {
    refuse(path)?;
    match try_write(path, svg, new_key) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(exists(path)),
        written => written.map_err(|e| Failure::io(shown(path), &e)),
    }
}

/// What to do with the file.
pub(crate) fn advice(path: &Path) -> String {
    format!(
        "{}: a recovery sheet that holds the key: print it, then delete it, or keep it as you keep the key file.",
        shown(path)
    )
}

fn exists(path: &Path) -> Failure {
    let text = "already exists; a sheet never overwrites anything, name another file";
    Failure::new(Exit::Environment, shown(path), text)
}

fn try_write(path: &Path, svg: &str, new_key: Option<&mut NewKey>) -> io::Result<()> {
    let mut staged = Staged::new(path, Access::Owner)?;
    let mut file = staged.file()?;
    file.write_all(svg.as_bytes())?;
    file.sync_all()?;
    {
        let mut leftovers = leftovers();
        staged.persist(&mut leftovers, false)?;
        if let Some(new_key) = new_key {
            new_key.keep(&mut leftovers);
        }
    }
    sync_directory(path)
}

/// `2026-11-25`, of the universal time. None if the clock is set before 1970.
fn day(now: SystemTime) -> Option<String> {
    let seconds = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let timestamp = Timestamp::from_second(seconds.try_into().ok()?).ok()?;
    timestamp.to_string().split('T').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days() {
        let at = |seconds| day(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0).as_deref(), Some("1970-01-01"));
        assert_eq!(at(951_782_400).as_deref(), Some("2000-02-29"));
        assert_eq!(day(UNIX_EPOCH - Duration::from_secs(1)), None);
    }
}
