//! Entry paths: relative byte strings without `.` or `..` components.

use crate::error::{Error, Result};

/// Maximum bytes in a path.
pub(crate) const MAX_PATH_LEN: usize = 4096;

/// Returns [`Error::InvalidPath`] if `path` violates a rule of.
pub(crate) fn check(path: &[u8]) -> Result<()> {
    match violation(path) {
        Some(why) => Err(Error::InvalidPath { path: path.to_vec(), why }),
        None => Ok(()),
    }
}

/// Returns the rule of that `path` violates, or `None` if the path is valid.
pub(crate) fn violation(path: &[u8]) -> Option<&'static str> {
    if path.is_empty() {
        return Some("path is empty");
    }
    if path.len() > MAX_PATH_LEN {
        return Some("path is longer than 4096 bytes");
    }
    if path.contains(&0) {
        return Some("path contains a NUL byte");
    }
    path.split(|byte| *byte == b'/').find_map(|component| match component {
        b"" => Some("path starts or ends with a slash, or contains two in a row"),
        b"." | b".." => Some("path contains a '.' or '..' component"),
        _ => None,
    })
}

/// Returns whether `path` is below `directory`, at any depth. Every path is below the empty
/// directory.
pub(crate) fn is_below(path: &[u8], directory: &[u8]) -> bool {
    directory.is_empty()
        || (path.starts_with(directory) && path.get(directory.len()) == Some(&b'/'))
}

/// Checks paths in ascending order against: there are no duplicates, and no entry is below a
/// file or a link.
///
/// The paths below `a` need not follow `a` directly: `a-b` sorts before `a/b`. But every path in
/// between also starts with `a`, so it is enough to remember the paths that are prefixes of the
/// current one.
#[derive(Default)]
pub(crate) struct PathChecker {
    /// The paths that are prefixes of the last path, including the last path itself, and whether
    /// each is a directory.
    prefixes: Vec<(Vec<u8>, bool)>,
}

impl PathChecker {
    /// Checks the next path against those before it.
    pub(crate) fn add(&mut self, path: &[u8], is_directory: bool) -> Result<()> {
        while self.prefixes.last().is_some_and(|(prefix, _)| !path.starts_with(prefix)) {
            self.prefixes.pop();
        }
        for (prefix, prefix_is_directory) in &self.prefixes {
            if prefix == path {
                return Err(Error::Duplicate { path: path.to_vec() });
            }
            if !prefix_is_directory && is_below(path, prefix) {
                return Err(Error::ParentNotDirectory { path: path.to_vec() });
            }
        }
        self.prefixes.push((path.to_vec(), is_directory));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn valid_and_invalid_paths() {
        for valid in [&b"a"[..], b"a/b", b"...", b".hidden", b"\xff\xfe", b" ", b"a\nb", b"..a/b.."]
        {
            assert_eq!(violation(valid), None, "{valid:?}");
        }
        for invalid in
            [&b""[..], b"/a", b"a/", b"a//b", b".", b"..", b"a/..", b"../a", b"a/./b", b"a\0b"]
        {
            assert!(violation(invalid).is_some(), "{invalid:?}");
        }
        assert_eq!(violation(&[b'n'; 4096]), None);
        assert!(violation(&[b'n'; 4097]).is_some());
    }

    ///
    #[test]
    fn rejects_duplicates_and_entries_below_files() {
        let check = |paths: &[(&[u8], bool)]| {
            let mut checker = PathChecker::default();
            paths.iter().try_for_each(|(path, is_directory)| checker.add(path, *is_directory))
        };
        check(&[(b"a", true), (b"a-b", false), (b"a/b", false), (b"a/b-c", true), (b"ab", false)])
            .unwrap();
        check(&[(b"a/b", false), (b"a/c/d", false), (b"b", false)]).unwrap();
        assert!(matches!(check(&[(b"a", false), (b"a", false)]), Err(Error::Duplicate { .. })));
        let below_a_file =
            check(&[(b"a", false), (b"a-b", true), (b"a-b/c", false), (b"a/b", false)]);
        assert!(matches!(below_a_file, Err(Error::ParentNotDirectory { .. })));
    }
}
