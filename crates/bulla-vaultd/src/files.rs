//! Files that hold what must not be lost, and that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Puts these bytes under this name: all of them or what was there before, whatever happens, and
/// only its owner can read them.
///
/// # Errors
///
/// Those of the file system.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let written = owned(OpenOptions::new().write(true).create(true).truncate(true))
        .open(beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        _ = fs::remove_file(beside);
    }
    written?;
    sync_directory_of(path)
}

/// Makes the name of a file outlive a power cut.
///
/// # Errors
///
/// Those of the file system.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// The same options for a file that only its owner can read.
pub(crate) fn owned(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}
