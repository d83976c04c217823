//! Where the key comes from: a file after -k, a file that the environment names, or the terminal. Never the command
//! line, which everybody on the machine can read.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bulla::Key;
use bulla_key::key_text::{self, MAX_TEXT_LEN};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input::Identity;
use crate::names::{DASH, shown};
use crate::prompt;
use crate::streams::note;

/// Names the key file if -k does not.
const VARIABLE: &str = "BULLA_KEY_FILE";

pub(crate) enum KeySource {
    File(PathBuf),
    Terminal,
}

impl KeySource {
    /// The source, given what stands after -k.
    pub(crate) fn new(file: Option<&Path>) -> Result<KeySource, Failure> {
        let named = || env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
        match file.map(Path::to_owned).or_else(named) {
            Some(path) if path == Path::new(DASH) => {
                let text =
                    "the key is read from a file; for a key from a pipe, name /dev/stdin, or use <(...)";
                Err(Failure::usage("-k -", text))
            }
            Some(path) => Ok(KeySource::File(path)),
            None => Ok(KeySource::Terminal),
        }
    }

    /// The key file, if it is a regular file.
    pub(crate) fn identity(&self) -> Option<Identity> {
        Identity::of(self.path()?)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            KeySource::File(path) => Some(path),
            KeySource::Terminal => None,
        }
    }

    /// Reads the key of a container that exists: a mistake shows.
    pub(crate) fn read(&self) -> Result<Key, Failure> {
        match self {
            KeySource::File(path) => read_file(path),
            KeySource::Terminal => ask("Key (64 hex digits, not shown): "),
        }
    }

    /// Reads the key for a new container. A typing error would make a container that nobody can open, so a typed key
    /// is typed twice.
    pub(crate) fn read_for_sealing(&self) -> Result<Key, Failure> {
        let key = self.read()?;
        if let KeySource::Terminal = self {
            let again = ask("The same once more: ")?;
            if again.expose() != key.expose() {
                return Err(Failure::usage("key", "the two are not the same; nothing was sealed, try again"));
            }
        }
        Ok(key)
    }
}

fn ask(question: &str) -> Result<Key, Failure> {
    let text = prompt::ask(question).map_err(|_| {
        let text = "none was given, and there is no terminal to type it on; \
                    name its file with -k FILE, or in the environment variable BULLA_KEY_FILE, \
                    or run this on a terminal";
        Failure::usage("key", text)
    })?;
    key_text::parse(&text).map_err(|e| Failure::usage("key", e.to_string()))
}

fn read_file(path: &Path) -> Result<Key, Failure> {
    let failure = |e: &io::Error| Failure::io(shown(path), e).and("this should be the key file");
    let no_key = |why: &str| Failure::usage(shown(path), format!("not a key file: {why}"));

    if path.is_dir() {
        return Err(no_key("this is a folder"));
    }
    let file = File::open(path).map_err(|e| failure(&e))?;
    // One byte more, to see that there is more.
    let mut bytes = Zeroizing::new([0; MAX_TEXT_LEN + 1]);
    let len = read_full(&file, &mut bytes[..]).map_err(|e| failure(&e))?;
    let bytes = &bytes[..len];
    if bytes.starts_with(b"\x93BULLA\r\n") {
        return Err(no_key("this is a container; the key file stands after -k, the container alone"));
    }
    if len > MAX_TEXT_LEN {
        return Err(no_key(&format!("it is longer than {MAX_TEXT_LEN} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| no_key("it does not hold text"))?;
    let key = key_text::parse(text).map_err(|e| no_key(&e.to_string()))?;
    warn_if_shared(path, &file);
    Ok(key)
}

fn read_full(mut file: impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match file.read(&mut buf[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

fn warn_if_shared(path: &Path, file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let shared = file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o077 != 0);
        if shared {
            let command = format!("chmod 600 {}", crate::names::word(path));
            note(&format!(
                "{}: warning: other users can get at this key file; keep it to yourself: {command}",
                shown(path)
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
}
