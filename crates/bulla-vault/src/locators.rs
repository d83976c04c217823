//! Storage for locators, and the locator file (V-6.1).

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bulla_key::Locator;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Storage for the locator in use and, during a registration, for a staged one.
///
/// The staged locator replaces the one in use only after a login has proven it. If the client stops
/// before that, both locators are stored, and one of them leads to the key (V-6.2).
pub trait LocatorStore {
    /// Returns the stored locators: the one in use, then the staged one.
    ///
    /// # Errors
    ///
    /// Returns an error if a stored locator cannot be read.
    fn load(&self) -> io::Result<Vec<Locator>>;

    /// Stores a new locator durably without replacing the one in use, and reads the new one back.
    /// Replaces the locator that is currently staged, if any.
    ///
    /// # Errors
    ///
    /// Returns an error if the new locator may not survive a crash.
    fn stage(&mut self, new: &Locator) -> io::Result<()>;

    /// Makes the staged locator the one in use, and deletes the previous one.
    ///
    /// # Errors
    ///
    /// Returns an error if the change may not be durable. Both locators may then still be stored.
    fn promote(&mut self) -> io::Result<()>;
}

/// Stores locators in files: the one in use at a given path, and the staged one at the same path
/// with `.new` appended.
#[derive(Clone, Debug)]
pub struct LocatorFiles {
    path: PathBuf,
}

impl LocatorFiles {
    /// Creates a store with the locator in use at `path`. This does not access the file system.
    pub fn new(path: impl Into<PathBuf>) -> LocatorFiles {
        LocatorFiles { path: path.into() }
    }

    /// Returns the path of the locator in use.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of the staged locator.
    pub fn staged_path(&self) -> PathBuf {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(".new");
        PathBuf::from(name)
    }

    /// Reads the locators whose files exist: the one in use, then the staged one.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be read, or if it is not a locator file
    /// ([`io::ErrorKind::InvalidData`]).
    pub fn read(&self) -> io::Result<Vec<Locator>> {
        let mut found = Vec::new();
        for path in [&self.path, &self.staged_path()] {
            match File::open(path) {
                Ok(file) => found.push(read_locator(file)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Deletes both files. It is not an error if a file does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be deleted.
    pub fn remove(&self) -> io::Result<()> {
        remove_if_exists(&self.path)?;
        remove_if_exists(&self.staged_path())?;
        sync_directory(&self.path)
    }
}

impl LocatorStore for LocatorFiles {
    fn load(&self) -> io::Result<Vec<Locator>> {
        self.read()
    }

    fn stage(&mut self, new: &Locator) -> io::Result<()> {
        let path = self.staged_path();
        // An abandoned registration may have left a staged locator. Remove it first, because a
        // crash while overwriting it could leave a mixture of the two.
        remove_if_exists(&path)?;
        let bytes = locator_file(new);
        let mut file = create_private(&path)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        drop(file);
        sync_directory(&path)?;
        let read = Zeroizing::new(fs::read(&path)?);
        if *read == *bytes {
            Ok(())
        } else {
            Err(io::Error::other("locator file reads back with different bytes"))
        }
    }

    fn promote(&mut self) -> io::Result<()> {
        fs::rename(self.staged_path(), &self.path)?;
        sync_directory(&self.path)
    }
}

/// First bytes of a locator file (V-6.1). They reveal whether line endings were converted.
const MAGIC: [u8; 8] = *b"\x96BULLA\r\n";
/// Bytes before the locator: the magic, the version, reserved bytes and the length (V-6.1).
const HEAD_LEN: usize = 16;
/// Bytes in the checksum at the end (V-6.1).
const CHECK_LEN: usize = 8;
/// Maximum length of a locator file, in bytes. A locator consists of a registration, a pepper and
/// hints (E-3.4).
const MAX_FILE_LEN: usize = HEAD_LEN + 64 + Locator::MAX_HINTS_LEN + CHECK_LEN;

/// Encodes a locator as a locator file (V-6.1).
pub fn locator_file(locator: &Locator) -> Zeroizing<Vec<u8>> {
    let content = Zeroizing::new(locator.to_bytes());
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN));
    bytes.extend(MAGIC);
    bytes.extend([1, 0, 0, 0]);
    // The cast is lossless, because a locator has at most 64 + MAX_HINTS_LEN bytes.
    bytes.extend((content.len() as u32).to_be_bytes());
    bytes.extend(content.iter());
    let check = Sha256::digest(&bytes[..]);
    bytes.extend(&check[..CHECK_LEN]);
    bytes
}

/// Decodes a locator file (V-6.1). Returns `None` if the bytes are not exactly one valid file.
pub fn parse_locator_file(bytes: &[u8]) -> Option<Locator> {
    let (body, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_LEN)?)?;
    let (head, content) = body.split_first_chunk::<HEAD_LEN>()?;
    let length = u32::from_be_bytes(*head[12..].first_chunk()?);
    let valid = head[..8] == MAGIC
        && head[8] == 1
        && usize::try_from(length) == Ok(content.len())
        && Sha256::digest(body)[..CHECK_LEN] == *check;
    if valid { Locator::from_bytes(content) } else { None }
}

/// Reads a locator file. From an overlong file, it reads only one byte more than the maximum
/// length.
///
/// # Errors
///
/// Returns any error from the reader, and [`io::ErrorKind::InvalidData`] if the bytes are not an
/// intact locator file.
pub fn read_locator(file: impl Read) -> io::Result<Locator> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN + 1));
    file.take(MAX_FILE_LEN as u64 + 1).read_to_end(&mut bytes)?;
    parse_locator_file(&bytes).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "not a locator file, or corrupted")
    })
}

/// Creates a file that only its owner can read, because a locator contains the pepper.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Syncs the directory that contains `path`, so that creating, renaming or deleting the file is
/// durable. Does nothing on platforms that cannot sync a directory.
fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locator(byte: u8) -> Locator {
        Locator::new([byte; 32], &[byte; 32])
            .with_hint(Locator::ADDRESS, b"https://vault.example")
            .unwrap()
    }

    /// V-6.1
    #[test]
    fn encodes_a_locator_and_rejects_damage() {
        let bytes = locator(7).to_bytes();
        let file = locator_file(&locator(7));
        assert_eq!(file[..12], *b"\x96BULLA\r\n\x01\0\0\0");
        assert_eq!(file[12..16], (bytes.len() as u32).to_be_bytes());
        assert_eq!(file[16..file.len() - 8], bytes);
        assert_eq!(parse_locator_file(&file).unwrap().to_bytes(), bytes);
        for len in 0..file.len() {
            assert!(parse_locator_file(&file[..len]).is_none(), "{len} bytes");
        }
        for at in (0..file.len()).filter(|at| !(9..12).contains(at)) {
            let mut flipped = file.to_vec();
            flipped[at] ^= 1;
            assert!(parse_locator_file(&flipped).is_none(), "byte {at}");
        }
        let long = [&file[..], &[0; MAX_FILE_LEN]].concat();
        assert_eq!(read_locator(&long[..]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    /// V-6.2: both files exist until the staged locator is promoted.
    #[test]
    fn stages_and_promotes() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = LocatorFiles::new(directory.path().join("key.locator"));
        let ids = |files: &LocatorFiles| -> Vec<u8> {
            files.read().unwrap().iter().map(|locator| locator.registration()[0]).collect()
        };
        assert!(ids(&files).is_empty());
        files.stage(&locator(1)).unwrap();
        assert_eq!(ids(&files), [1]);
        files.promote().unwrap();
        files.stage(&locator(2)).unwrap();
        files.stage(&locator(3)).unwrap();
        assert_eq!(ids(&files), [1, 3]);
        files.promote().unwrap();
        assert_eq!(ids(&files), [3]);
        assert!(files.promote().is_err(), "nothing is staged");
        assert_eq!(ids(&files), [3]);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(files.path()).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
        files.remove().unwrap();
        assert!(ids(&files).is_empty());
        fs::write(files.path(), "not a locator").unwrap();
        assert_eq!(files.read().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
