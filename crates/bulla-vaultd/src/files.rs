//! Files that only their owner can read, written atomically and durably.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Replaces the contents of `path` atomically and durably. Only its owner can read the file.
///
/// # Errors
///
/// Returns an I/O error if the file system fails. The file then has either its old or its new
/// contents.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let temporary = Path::new(&temporary);
    let written = private(OpenOptions::new().write(true).create(true).truncate(true))
        .open(temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(temporary, path));
    if written.is_err() {
        _ = fs::remove_file(temporary);
    }
    written?;
    sync_directory_of(path)
}

/// Syncs the directory that contains `path`, so that the file's directory entry survives a power
/// failure.
///
/// # Errors
///
/// Returns an I/O error if the file system fails.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// Makes files created with these options readable only by their owner.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}
