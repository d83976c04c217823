//! Directories to restore into. No path or link in an archive can reach outside the target (A-6.5).
//!
//! cap-std opens directories below the target and follows no link out of it. All other operations
//! are relative to an open directory, use single-component names, and follow no links.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use bulla_archive::Time;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, OpenOptions};

/// An open directory.
pub(crate) struct Directory(Dir);

/// The type of an existing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Directory,
    /// A regular file, a link or a special file.
    Other,
}

impl Directory {
    /// Opens the directory that the user named, which may be a link.
    pub(crate) fn target(path: &Path) -> io::Result<Directory> {
        Dir::open_ambient_dir(path, ambient_authority()).map(Directory)
    }

    /// Opens a directory below this one.
    pub(crate) fn open(&self, below: &Path) -> io::Result<Directory> {
        self.0.open_dir(below).map(Directory)
    }

    /// Returns the type of the file `name`, or `None` if it does not exist.
    pub(crate) fn find(&self, name: &OsStr) -> io::Result<Option<Found>> {
        match self.0.symlink_metadata(name) {
            Ok(metadata) if metadata.is_dir() => Ok(Some(Found::Directory)),
            Ok(_) => Ok(Some(Found::Other)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Creates a directory, accessible to its owner only if `for_owner` is set.
    pub(crate) fn create_directory(&self, name: &OsStr, for_owner: bool) -> io::Result<()> {
        #[allow(unused_mut, reason = "mutable on Unix only")]
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        if for_owner {
            use cap_std::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        #[cfg(not(unix))]
        let _ = for_owner;
        self.0.create_dir_with(name, &builder)
    }

    /// Gives the owner write access to the directory `name`, whose permissions are set later.
    #[cfg(unix)]
    pub(crate) fn allow_owner(&self, name: &OsStr) -> io::Result<()> {
        use cap_std::fs::{MetadataExt, Permissions, PermissionsExt};
        let mode = self.0.symlink_metadata(name)?.mode() & 0o777;
        if mode & 0o700 != 0o700 {
            self.0.set_permissions(name, Permissions::from_mode(mode | 0o700))?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(crate) fn allow_owner(&self, _name: &OsStr) -> io::Result<()> {
        Ok(())
    }

    /// Creates a file that is accessible to its owner only.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        self.0.open_with(name, &options).map(cap_std::fs::File::into_std)
    }

    /// Reopens a file that this process created.
    pub(crate) fn reopen(&self, name: &OsStr) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
        }
        self.0.open_with(name, &options).map(cap_std::fs::File::into_std)
    }

    /// Renames a file or a link. An existing file or link is replaced if `replace` is set, and is
    /// an error otherwise.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr, replace: bool) -> io::Result<()> {
        if replace { self.0.rename(from, &self.0, to) } else { self.rename_new(from, to) }
    }

    fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::{RenameFlags, renameat_with};
            use rustix::io::Errno;
            match renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
                // Not supported by every kernel and file system.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                renamed => return Ok(renamed?),
            }
        }
        match self.0.hard_link(from, &self.0, to) {
            Ok(()) => self.0.remove_file(from),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(e),
            Err(_) if self.find(to)?.is_some() => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => self.0.rename(from, &self.0, to),
        }
    }

    /// Removes a file or a link below this directory.
    pub(crate) fn remove(&self, below: &Path) -> io::Result<()> {
        self.0.remove_file(below)
    }

    /// Creates a symbolic link. The target is not checked, because no link is followed here.
    #[cfg(unix)]
    pub(crate) fn link(&self, name: &OsStr, target: &[u8]) -> io::Result<()> {
        self.0.symlink_contents(system_name(target)?, name)
    }

    #[cfg(not(unix))]
    pub(crate) fn link(&self, _name: &OsStr, _target: &[u8]) -> io::Result<()> {
        Err(io::Error::new(
            ErrorKind::Unsupported,
            "symbolic links are not supported on this system",
        ))
    }

    /// Sets the modification time of a link itself.
    #[cfg(unix)]
    pub(crate) fn set_link_mtime(&self, name: &OsStr, mtime: Time) -> io::Result<()> {
        use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT, utimensat};
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec {
                tv_sec: mtime.seconds,
                tv_nsec: mtime.nanoseconds.into(),
            },
        };
        Ok(utimensat(&self.0, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    #[cfg(not(unix))]
    pub(crate) fn set_link_mtime(&self, _name: &OsStr, _mtime: Time) -> io::Result<()> {
        Ok(())
    }

    /// Returns the device number of the file system.
    #[cfg(unix)]
    pub(crate) fn file_system(&self) -> io::Result<u64> {
        use cap_std::fs::MetadataExt;
        Ok(self.0.dir_metadata()?.dev())
    }

    #[cfg(not(unix))]
    pub(crate) fn file_system(&self) -> io::Result<u64> {
        Ok(0)
    }

    /// Opens the directory as a file, to set its attributes and to sync it. The handle in `self`
    /// may not permit this (`O_PATH`).
    #[cfg(unix)]
    pub(crate) fn as_file(&self) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, openat};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.0, ".", flags, Mode::empty())?.into())
    }

    #[cfg(not(unix))]
    pub(crate) fn as_file(&self) -> io::Result<File> {
        Ok(self.0.try_clone()?.into_std_file())
    }
}

/// Converts a name to the system's representation. Not every name is valid on a system where names
/// are text, and where `\` and `:` have a special meaning.
#[cfg(unix)]
pub(crate) fn system_name(name: &[u8]) -> io::Result<&OsStr> {
    Ok(std::os::unix::ffi::OsStrExt::from_bytes(name))
}

#[cfg(not(unix))]
pub(crate) fn system_name(name: &[u8]) -> io::Result<&OsStr> {
    let is_special = |c: char| c.is_control() || r#"\:*?"<>|"#.contains(c);
    match std::str::from_utf8(name) {
        Ok(name) if !name.contains(is_special) && !name.ends_with([' ', '.']) => Ok(name.as_ref()),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "invalid file name on this system")),
    }
}

/// Splits an entry path into its directory and its last component.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn name(name: &str) -> &OsStr {
        name.as_ref()
    }

    /// A-6.5
    #[test]
    fn does_not_leave_the_target() {
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir_all(outside.path().join("target/sub")).unwrap();
        symlink("..", outside.path().join("target/up")).unwrap();
        symlink(outside.path(), outside.path().join("target/absolute")).unwrap();
        let target = Directory::target(&outside.path().join("target")).unwrap();
        for link in ["up", "absolute", ".."] {
            assert!(target.open(Path::new(link)).is_err(), "{link}");
            assert!(target.create(name(&format!("{link}/x"))).is_err(), "{link}");
        }
        assert_eq!(target.find(name("up")).unwrap(), Some(Found::Other));
        assert_eq!(target.find(name("sub")).unwrap(), Some(Found::Directory));
        assert_eq!(target.find(name("nothing")).unwrap(), None);
        assert!(target.reopen(name("up")).is_err());
        assert!(target.create(name("up")).is_err());
    }

    #[test]
    fn rename_replaces_only_on_request() {
        let directory = tempfile::tempdir().unwrap();
        let target = Directory::target(directory.path()).unwrap();
        fs::write(directory.path().join("old"), "old").unwrap();
        fs::write(directory.path().join("new"), "new").unwrap();
        symlink("nowhere", directory.path().join("link")).unwrap();
        for taken in ["old", "link"] {
            let refused = target.rename(name("new"), name(taken), false).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
            target.rename(name("new"), name(taken), true).unwrap();
            assert_eq!(fs::read_to_string(directory.path().join(taken)).unwrap(), "new");
            assert!(!directory.path().join(taken).is_symlink());
            target.rename(name(taken), name("new"), false).unwrap();
        }
    }
}
