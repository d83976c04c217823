//! Conversions between system paths and the paths of archive entries.

use std::ffi::OsStr;
use std::path::Path;

/// The argument that denotes standard input or output.
pub(crate) const DASH: &str = "-";

/// Returns whether `path` denotes standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == DASH
}

/// Converts an entry path from the command line, and removes leading `./` and trailing slashes.
///
/// Returns `None` if the argument is not valid Unicode and the system is not Unix.
pub(crate) fn entry_path(argument: &OsStr) -> Option<Vec<u8>> {
    let bytes = archive_bytes(argument)?;
    let mut path = bytes.as_slice();
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    Some(path.to_vec())
}

/// Converts a system path to the bytes that an archive stores, with `/` between components.
///
/// Returns `None` if the path is not valid Unicode and the system is not Unix.
pub(crate) fn archive_bytes(text: &OsStr) -> Option<Vec<u8>> {
    #[cfg(unix)]
    {
        Some(std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec())
    }
    #[cfg(not(unix))]
    {
        Some(text.to_str()?.replace(std::path::MAIN_SEPARATOR, "/").into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_paths_are_normalized() {
        for (argument, path) in
            [("a/b", "a/b"), ("a/", "a"), ("./a//", "a"), ("././a", "a"), (".a", ".a"), ("./", "")]
        {
            assert_eq!(
                entry_path(argument.as_ref()).as_deref(),
                Some(path.as_bytes()),
                "{argument}"
            );
        }
    }
}
