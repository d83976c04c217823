//! Names of entries: bytes, relative, without a way out.

use crate::error::{Error, Result};

/// Bytes in the longest path.
pub(crate) const MAX_NAME_LEN: usize = 4096;

/// Why a path is none; `None` if it is one.
pub(crate) fn fault(path: &[u8]) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.len() > MAX_NAME_LEN {
        return Some("is longer than 4096 bytes");
    }
    if path.contains(&0) {
        return Some("has a NUL byte in it");
    }
    path.split(|byte| *byte == b'/').find_map(|component| match component {
        b"" => Some("begins or ends with a slash, or has two in a row"),
        b"." | b".." => Some("has a component . or .. in it"),
        _ => None,
    })
}

/// The error of a path that is none.
pub(crate) fn check(path: &[u8]) -> Result<()> {
    match fault(path) {
        Some(why) => Err(Error::InvalidPath { path: path.to_vec(), why }),
        None => Ok(()),
    }
}

/// Whether `path` lies in the directory `directory`, at any depth. The empty directory is that of
/// all.
pub(crate) fn is_below(path: &[u8], directory: &[u8]) -> bool {
    directory.is_empty()
        || (path.starts_with(directory) && path.get(directory.len()) == Some(&b'/'))
}

/// Checks paths in ascending order for: no path twice, nothing below what is no directory.
///
/// All paths below `a` begin with `a`, and so lie together; what lies between, `a-b` say, begins
/// with it as well. So it takes only the paths that the current one begins with.
#[derive(Default)]
pub(crate) struct Ascending {
    prefixes: Vec<(Vec<u8>, bool)>,
}

impl Ascending {
    /// The next path, and whether it is a directory's.
    pub(crate) fn next(&mut self, path: &[u8], is_directory: bool) -> Result<()> {
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
    fn paths() {
        for good in [&b"a"[..], b"a/b", b"...", b".hidden", b"\xff\xfe", b" ", b"a\nb", b"..a/b.."]
        {
            assert_eq!(fault(good), None, "{good:?}");
        }
        for bad in
            [&b""[..], b"/a", b"a/", b"a//b", b".", b"..", b"a/..", b"../a", b"a/./b", b"a\0b"]
        {
            assert!(fault(bad).is_some(), "{bad:?}");
        }
        assert_eq!(fault(&[b'n'; 4096]), None);
        assert!(fault(&[b'n'; 4097]).is_some());
    }

    ///
    #[test]
    fn ascending_names() {
        let check = |paths: &[(&[u8], bool)]| {
            let mut ascending = Ascending::default();
            paths.iter().try_for_each(|(path, directory)| ascending.next(path, *directory))
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
