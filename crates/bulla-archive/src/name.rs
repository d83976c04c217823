//! Names of entries: bytes, relative, without a way out.

use crate::error::{Error, Result};

/// Bytes in the longest name.
pub(crate) const MAX_NAME_LEN: usize = 4096;

/// Why a name is none; `None` if it is one.
pub(crate) fn fault(name: &[u8]) -> Option<&'static str> {
    if name.is_empty() {
        return Some("is empty");
    }
    if name.len() > MAX_NAME_LEN {
        return Some("is longer than 4096 bytes");
    }
    if name.contains(&0) {
        return Some("has a NUL byte in it");
    }
    name.split(|byte| *byte == b'/').find_map(|component| match component {
        b"" => Some("begins or ends with a slash, or has two in a row"),
        b"." | b".." => Some("has a component . or .. in it"),
        _ => None,
    })
}

/// The error of a name that is none.
pub(crate) fn check(name: &[u8]) -> Result<()> {
    match fault(name) {
        Some(why) => Err(Error::BadName { name: name.to_vec(), why }),
        None => Ok(()),
    }
}

/// Whether `name` lies in the folder `folder`, at any depth. The empty folder is that of all.
pub(crate) fn is_below(name: &[u8], folder: &[u8]) -> bool {
    folder.is_empty() || (name.starts_with(folder) && name.get(folder.len()) == Some(&b'/'))
}

/// Checks names in ascending order for: no name twice, nothing below what is no folder.
///
/// All names below `a` begin with `a`, and so lie together; what lies between, `a-b` say, begins with it as well. So it
/// takes only the names that the current one begins with.
#[derive(Default)]
pub(crate) struct Ascending {
    prefixes: Vec<(Vec<u8>, bool)>,
}

impl Ascending {
    /// The next name, and whether it is a folder's.
    pub(crate) fn next(&mut self, name: &[u8], is_folder: bool) -> Result<()> {
        while self.prefixes.last().is_some_and(|(prefix, _)| !name.starts_with(prefix)) {
            self.prefixes.pop();
        }
        for (prefix, prefix_is_folder) in &self.prefixes {
            if prefix == name {
                return Err(Error::Duplicate { name: name.to_vec() });
            }
            if !prefix_is_folder && is_below(name, prefix) {
                return Err(Error::ParentIsNoFolder { name: name.to_vec() });
            }
        }
        self.prefixes.push((name.to_vec(), is_folder));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn names() {
        for good in [&b"a"[..], b"a/b", b"...", b".hidden", b"\xff\xfe", b" ", b"a\nb", b"..a/b.."] {
            assert_eq!(fault(good), None, "{good:?}");
        }
        for bad in [&b""[..], b"/a", b"a/", b"a//b", b".", b"..", b"a/..", b"../a", b"a/./b", b"a\0b"] {
            assert!(fault(bad).is_some(), "{bad:?}");
        }
        assert_eq!(fault(&[b'n'; 4096]), None);
        assert!(fault(&[b'n'; 4097]).is_some());
    }

    ///
    #[test]
    fn ascending_names() {
        let check = |names: &[(&[u8], bool)]| {
            let mut ascending = Ascending::default();
            names.iter().try_for_each(|(name, folder)| ascending.next(name, *folder))
        };
        check(&[(b"a", true), (b"a-b", false), (b"a/b", false), (b"a/b-c", true), (b"ab", false)]).unwrap();
        check(&[(b"a/b", false), (b"a/c/d", false), (b"b", false)]).unwrap();
        assert!(matches!(check(&[(b"a", false), (b"a", false)]), Err(Error::Duplicate { .. })));
        let below_a_file = check(&[(b"a", false), (b"a-b", true), (b"a-b/c", false), (b"a/b", false)]);
        assert!(matches!(below_a_file, Err(Error::ParentIsNoFolder { .. })));
    }
}
