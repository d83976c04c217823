//! Where the client keeps its locators, and the file that holds one (V-6.1).

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bulla_key::Locator;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Where a client keeps its locators while it registers. The locator in use and a new one lie
/// beside each other until the new one has been proven: whatever stops the client, one of the two
/// leads to the key (V-6.2).
pub trait LocatorStore {
    /// The locators that are there: the one in use, and behind it a new one.
    ///
    /// # Errors
    ///
    /// One of them cannot be read.
    fn load(&self) -> io::Result<Vec<Locator>>;

    /// Writes a new locator beside the one in use, so that it will be there after a crash, and
    /// reads it back. Another new one, that was there before, goes.
    ///
    /// # Errors
    ///
    /// It is not certain that it will be there.
    fn stage(&mut self, new: &Locator) -> io::Result<()>;

    /// Makes the new locator the one in use. The old one goes last.
    ///
    /// # Errors
    ///
    /// Both may still be there.
    fn promote(&mut self) -> io::Result<()>;
}

/// LocatorStore in files: the one in use, and while registering anew a second one beside it, whose name
/// ends in `.new`.
#[derive(Clone, Debug)]
pub struct LocatorFiles {
    path: PathBuf,
}

impl LocatorFiles {
    /// The locator in use lies, or is to lie, at this path.
    pub fn new(path: impl Into<PathBuf>) -> LocatorFiles {
        LocatorFiles { path: path.into() }
    }

    /// Where the locator in use lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a new one lies until it is proven.
    pub fn staged_path(&self) -> PathBuf {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(".new");
        PathBuf::from(name)
    }

    /// The locators that are there, the one in use first.
    ///
    /// # Errors
    ///
    /// One of the files cannot be read or, with [`io::ErrorKind::InvalidData`], holds no locator.
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

    /// Removes the locators that are there.
    ///
    /// # Errors
    ///
    /// One of the files cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        for path in [&self.path, &self.staged_path()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        sync_directory(&self.path)
    }
}

impl LocatorStore for LocatorFiles {
    fn load(&self) -> io::Result<Vec<Locator>> {
        self.read()
    }

    fn stage(&mut self, new: &Locator) -> io::Result<()> {
        let path = self.staged_path();
        // A registration that was given up may have left one, whose record this one's replaces. A
        // file that is written over in place could end as neither.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
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
            Err(io::Error::other("what was written reads back differently"))
        }
    }

    fn promote(&mut self) -> io::Result<()> {
        fs::rename(self.staged_path(), &self.path)?;
        sync_directory(&self.path)
    }
}

/// `\x96BULLA\r\n`, so that a text editor or transfer that changes line ends is noticed.
const MAGIC: [u8; 8] = *b"\x96BULLA\r\n";
/// Magic, version, reserved, length of the locator.
const HEAD_LEN: usize = 16;
/// Bytes of the check at the end.
const CHECK_LEN: usize = 8;
/// The most bytes of a locator file: 64 and the hints.
const MAX_FILE_LEN: usize = HEAD_LEN + 64 + Locator::MAX_HINTS_LEN + CHECK_LEN;

/// The bytes of a locator's file (V-6.1).
pub fn locator_file(locator: &Locator) -> Zeroizing<Vec<u8>> {
    let content = Zeroizing::new(locator.to_bytes());
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN));
    bytes.extend(MAGIC);
    bytes.extend([1, 0, 0, 0]);
    // At most MAX_FILE_LEN.
    bytes.extend((content.len() as u32).to_be_bytes());
    bytes.extend(content.iter());
    let check = Sha256::digest(&bytes[..]);
    bytes.extend(&check[..CHECK_LEN]);
    bytes
}

/// The locator in the bytes of a file (V-6.1).
pub fn parse_locator_file(bytes: &[u8]) -> Option<Locator> {
    let (body, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_LEN)?)?;
    let (head, content) = body.split_first_chunk::<HEAD_LEN>()?;
    let length = u32::from_be_bytes(*head[12..].first_chunk()?);
    let sound = head[..8] == MAGIC
        && head[8] == 1
        && usize::try_from(length) == Ok(content.len())
        && Sha256::digest(body)[..CHECK_LEN] == *check;
    if sound { Locator::from_bytes(content) } else { None }
}

/// Reads a locator's file. One byte more than the longest is read at most.
///
/// # Errors
///
/// Those of reading; [`io::ErrorKind::InvalidData`] if it is no locator's file, or a damaged one.
pub fn read_locator(file: impl Read) -> io::Result<Locator> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_LEN + 1));
    file.take(MAX_FILE_LEN as u64 + 1).read_to_end(&mut bytes)?;
    parse_locator_file(&bytes).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "this is no locator's file, or a damaged one")
    })
}

/// A new file, for its owner only: the pepper is worth hiding.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes names in the directory of a path durable, where the platform can.
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
    fn file() {
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

    /// V-6.2: two files until the old one is replaced.
    #[test]
    fn files() {
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
        assert!(files.promote().is_err(), "there is no new one");
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
        fs::write(files.path(), "no locator").unwrap();
        assert_eq!(files.read().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
