//! A directory that is restored into, and those below it. Whatever names and links say, nothing
//! outside is reached (A-6.5).
//!
//! A directory below is opened through cap-std, which follows no link out of the target. All the
//! rest happens in one open directory, under names of one component, and follows no link at all.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use bulla_archive::Time;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, OpenOptions};

/// An open directory.
pub(crate) struct Directory(Dir);

/// What has a name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Directory,
    /// A file, a link, or anything else.
    Other,
}

impl Directory {
    /// Opens the directory that the user named. A link to one is as good.
    pub(crate) fn target(path: &Path) -> io::Result<Directory> {
        Dir::open_ambient_dir(path, ambient_authority()).map(Directory)
    }

    /// Opens a directory that lies below this one.
    pub(crate) fn open(&self, below: &Path) -> io::Result<Directory> {
        self.0.open_dir(below).map(Directory)
    }

    /// What is called `name`; none if nothing is.
    pub(crate) fn find(&self, name: &OsStr) -> io::Result<Option<Found>> {
        match self.0.symlink_metadata(name) {
            Ok(metadata) if metadata.is_dir() => Ok(Some(Found::Directory)),
            Ok(_) => Ok(Some(Found::Other)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Makes a directory; one for the owner alone if its mode is still to come.
    pub(crate) fn make(&self, name: &OsStr, for_owner: bool) -> io::Result<()> {
        #[allow(unused_mut, reason = "other systems have no modes")]
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

    /// Lets the owner write to the directory `name`, whose mode is set anew later.
    #[cfg(unix)]
    pub(crate) fn let_owner_in(&self, name: &OsStr) -> io::Result<()> {
        use cap_std::fs::{MetadataExt, Permissions, PermissionsExt};
        let mode = self.0.symlink_metadata(name)?.mode() & 0o777;
        if mode & 0o700 != 0o700 {
            self.0.set_permissions(name, Permissions::from_mode(mode | 0o700))?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(crate) fn let_owner_in(&self, _name: &OsStr) -> io::Result<()> {
        Ok(())
    }

    /// Makes a file, for the owner alone.
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

    /// Opens a file of our own once more.
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

    /// Gives a file or a link another name, which a file or link that has it loses if `replace`
    /// says so; else it is an error.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr, replace: bool) -> io::Result<()> {
        if replace { self.0.rename(from, &self.0, to) } else { self.rename_new(from, to) }
    }

    fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::fs::{RenameFlags, renameat_with};
            use rustix::io::Errno;
            match renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
                // Not every file system can, and not every kernel.
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

    /// Removes a file or a link at a path below.
    pub(crate) fn remove(&self, below: &Path) -> io::Result<()> {
        self.0.remove_file(below)
    }

    /// Makes a symbolic link to whatever `target` says; nobody follows it here.
    #[cfg(unix)]
    pub(crate) fn link(&self, name: &OsStr, target: &[u8]) -> io::Result<()> {
        self.0.symlink_contents(system_name(target)?, name)
    }

    #[cfg(not(unix))]
    pub(crate) fn link(&self, _name: &OsStr, _target: &[u8]) -> io::Result<()> {
        Err(io::Error::new(
            ErrorKind::Unsupported,
            "symbolic links are not restored on this system",
        ))
    }

    /// Sets the time of a link itself.
    #[cfg(unix)]
    pub(crate) fn set_link_time(&self, name: &OsStr, modified: Time) -> io::Result<()> {
        use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT, utimensat};
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec {
                tv_sec: modified.seconds,
                tv_nsec: modified.nanoseconds.into(),
            },
        };
        Ok(utimensat(&self.0, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    #[cfg(not(unix))]
    pub(crate) fn set_link_time(&self, _name: &OsStr, _modified: Time) -> io::Result<()> {
        Ok(())
    }

    /// Which file system the directory is in.
    #[cfg(unix)]
    pub(crate) fn file_system(&self) -> io::Result<u64> {
        use cap_std::fs::MetadataExt;
        Ok(self.0.dir_metadata()?.dev())
    }

    #[cfg(not(unix))]
    pub(crate) fn file_system(&self) -> io::Result<u64> {
        Ok(0)
    }

    /// The directory as a file, whose attributes can be set, and which can be synced; what is open
    /// here may be good for names only.
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

/// A name as the system has it. On a system whose names are text, and where `\` and `:` lead
/// elsewhere, not every name is one.
#[cfg(unix)]
pub(crate) fn system_name(name: &[u8]) -> io::Result<&OsStr> {
    Ok(std::os::unix::ffi::OsStrExt::from_bytes(name))
}

#[cfg(not(unix))]
pub(crate) fn system_name(name: &[u8]) -> io::Result<&OsStr> {
    let leads_elsewhere = |c: char| c.is_control() || r#"\:*?"<>|"#.contains(c);
    match std::str::from_utf8(name) {
        Ok(name) if !name.contains(leads_elsewhere) && !name.ends_with([' ', '.']) => {
            Ok(name.as_ref())
        }
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "this system has no such names")),
    }
}

/// The directory and the last component of an entry's name.
pub(crate) fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&name[..slash], &name[slash + 1..]),
        None => (b"", name),
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
    fn no_way_out() {
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
    fn names_are_taken() {
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
