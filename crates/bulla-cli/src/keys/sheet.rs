//! Recovery sheet files. A sheet contains a key, so it is treated like a key file: accessible
//! to its owner only, never overwritten, and synced.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bulla::{Header, Key};
use bulla_key::sheet::{self, Paper, SheetInfo};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::args::values::PaperSize;
use crate::error::{Exit, Failure};
use crate::io::path::is_dash;
use crate::io::staged::{Access, StagedFile, sync_directory};
use crate::keys::new_key::NewKeyFile;
use crate::process::cleanup::Cleanup;
use crate::terminal::display::shown;

/// Fails if the sheet cannot be written to `path`.
pub(crate) fn reject_unusable(path: &Path) -> Result<(), Failure> {
    if is_dash(path) {
        let problem =
            "a sheet contains a key, so it is never written to standard output; name a file";
        return Err(Failure::usage("-", problem));
    }
    // Not `exists`, which is false for a dangling link.
    if path.symlink_metadata().is_ok() { Err(already_exists(path)) } else { Ok(()) }
}

/// Draws a sheet with today's date. `container` is a file name and its header.
pub(crate) fn draw(
    key: &Key,
    paper: PaperSize,
    container: Option<(&str, &Header)>,
) -> Zeroizing<String> {
    let paper = match paper {
        PaperSize::A4 => Paper::A4,
        PaperSize::Letter => Paper::Letter,
    };
    let today = date(SystemTime::now());
    let mut info = SheetInfo::new().paper(paper);
    if let Some(today) = &today {
        info = info.date(today);
    }
    if let Some((name, header)) = container {
        info = info.container(name, header.salt());
    }
    sheet::svg(key, &info)
}

/// Writes a sheet to a file that must not exist, and syncs it. Under the same cleanup lock, keeps a
/// key file that was created with it.
pub(crate) fn write(
    path: &Path,
    svg: &str,
    new_key: Option<&mut NewKeyFile>,
) -> Result<(), Failure> {
    reject_unusable(path)?;
    match try_write(path, svg, new_key) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(already_exists(path)),
        written => written.map_err(|e| Failure::io(shown(path), &e)),
    }
}

/// Returns a message that explains what to do with the sheet.
pub(crate) fn advice(path: &Path) -> String {
    format!(
        "{}: recovery sheet, which contains the key; print it, then delete it or protect it like \
         the key file",
        shown(path)
    )
}

fn already_exists(path: &Path) -> Failure {
    let problem = "already exists, and a sheet never overwrites a file; choose another name";
    Failure::new(Exit::Environment, shown(path), problem)
}

fn try_write(path: &Path, svg: &str, new_key: Option<&mut NewKeyFile>) -> io::Result<()> {
    let mut staged = StagedFile::new(path, Access::Owner)?;
    let mut file = staged.file()?;
    file.write_all(svg.as_bytes())?;
    file.sync_all()?;
    {
        let mut cleanup = Cleanup::lock();
        staged.publish(&mut cleanup, false)?;
        if let Some(new_key) = new_key {
            new_key.keep(&mut cleanup);
        }
    }
    sync_directory(path)
}

/// Formats a UTC date: `2026-11-25`. Returns `None` before 1970.
fn date(time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let timestamp = Timestamp::from_second(seconds.try_into().ok()?).ok()?;
    timestamp.to_string().split('T').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn formats_dates() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0).as_deref(), Some("1970-01-01"));
        assert_eq!(at(951_782_400).as_deref(), Some("2000-02-29"));
        assert_eq!(date(UNIX_EPOCH - Duration::from_secs(1)), None);
    }
}
