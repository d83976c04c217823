//! The source of a key or passphrase: a file that an option or the environment names, or the
//! terminal. It is never the command line, which other users of the machine can read.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bulla::Key;
use bulla_key::key_text::{self, MAX_TEXT_LEN};
use bulla_key::{MAX_PASSPHRASE_LEN, Passphrase};
use zeroize::Zeroizing;

use crate::args::options::KeyArgs;
use crate::error::Failure;
use crate::io::input::Identity;
use crate::io::path::is_dash;
use crate::terminal::display::{shell_word, shown};
use crate::terminal::message::note;
use crate::terminal::prompt;

/// The environment variable that names the key file if `-k` is not given.
const VARIABLE: &str = "BULLA_KEY_FILE";

/// The start of a container (F-3).
const CONTAINER_MAGIC: &[u8] = b"\x93BULLA\r\n";

/// The source of the secret that unlocks a container, or of the key that seals one.
pub(crate) enum KeySource {
    /// A key file, and whether the environment names it rather than an option.
    KeyFile(PathBuf, bool),
    PassphraseFile(PathBuf),
    /// A vault that an option names.
    Vault,
    Terminal,
}

impl KeySource {
    /// Returns the source of a key, given the value of `-k`.
    pub(crate) fn for_key(file: Option<&Path>) -> Result<KeySource, Failure> {
        let variable = || env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        match (file, variable()) {
            (Some(path), _) => {
                reject_dash("-k", path)?;
                Ok(KeySource::KeyFile(path.to_owned(), false))
            }
            (None, Some(path)) => Ok(KeySource::KeyFile(path, true)),
            (None, None) => Ok(KeySource::Terminal),
        }
    }

    /// Returns the source of the secret that unlocks a container.
    pub(crate) fn for_unlocking(args: &KeyArgs) -> Result<KeySource, Failure> {
        match &args.passphrase_file {
            Some(path) => {
                reject_dash("--passphrase-file", path)?;
                Ok(KeySource::PassphraseFile(path.clone()))
            }
            None if args.file.is_none() && args.vault.vault.is_some() => Ok(KeySource::Vault),
            None => KeySource::for_key(args.file.as_deref()),
        }
    }

    /// Returns the identity of the file, if it is a regular file.
    pub(crate) fn identity(&self) -> Option<Identity> {
        Identity::of(self.path()?)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            KeySource::KeyFile(path, _) | KeySource::PassphraseFile(path) => Some(path),
            KeySource::Vault | KeySource::Terminal => None,
        }
    }

    /// Formats the source as options, for a command that the user can copy.
    pub(crate) fn options(&self) -> String {
        match self {
            KeySource::KeyFile(path, _) => format!(" -k {}", shell_word(path)),
            KeySource::PassphraseFile(path) => format!(" --passphrase-file {}", shell_word(path)),
            // The configuration may name the vault.
            KeySource::Vault | KeySource::Terminal => String::new(),
        }
    }

    /// Reads the key for a new container.
    ///
    /// A key from the terminal must be typed twice, because a typing error would create a container
    /// that nobody can open.
    pub(crate) fn read_for_sealing(&self) -> Result<Key, Failure> {
        let Some(path) = self.path() else {
            let key = prompt_for_key("Key (64 hex digits, not shown): ")?;
            let again = prompt_for_key("Repeat the key: ")?;
            if again.expose() != key.expose() {
                let problem = "the two keys do not match; try again";
                return Err(Failure::usage("key", problem));
            }
            return Ok(key);
        };
        read_key(path)
    }
}

/// Reads a key file.
pub(crate) fn read_key(path: &Path) -> Result<Key, Failure> {
    key_text::parse(&read_key_text(path)?).map_err(|e| not_a_key_file(path, &e.to_string()))
}

/// Creates the failure for a file that does not contain a key.
pub(crate) fn not_a_key_file(path: &Path, why: &str) -> Failure {
    Failure::usage(shown(path), format!("not a key file: {why}"))
}

/// Reads a file that contains a passphrase and, optionally, a trailing line break.
pub(crate) fn read_passphrase(path: &Path) -> Result<Passphrase, Failure> {
    let reject = |why: &str| Failure::usage(shown(path), format!("not a passphrase file: {why}"));
    // Leaves room for a byte order mark and a line break.
    let bytes = read_secret(path, MAX_PASSPHRASE_LEN + 8, "expected a passphrase file", reject)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| reject("not UTF-8 text"))?;
    Passphrase::new(without_line_break(text)).map_err(|e| reject(&e.to_string()))
}

/// Strips the line break from a line.
pub(crate) fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Creates the failure for a secret that was not given and cannot be prompted for.
pub(crate) fn no_terminal(secret: &str, options: &str) -> Failure {
    let problem = format!("none given, and no terminal to prompt on; {options}");
    Failure::usage(secret, problem)
}

/// The remedy for a missing key.
pub(crate) const KEY_OPTIONS: &str =
    "use -k FILE or the environment variable BULLA_KEY_FILE, or run bulla on a terminal";

fn prompt_for_key(question: &str) -> Result<Key, Failure> {
    let text = prompt::read_key(question).map_err(|_| no_terminal("key", KEY_OPTIONS))?;
    key_text::parse(&text).map_err(|e| Failure::usage("key", e.to_string()))
}

/// Rejects `-` as the name of a file that contains a secret.
pub(crate) fn reject_dash(option: &str, path: &Path) -> Result<(), Failure> {
    if !is_dash(path) {
        return Ok(());
    }
    let secret = if option == "-k" { "key" } else { "secret" };
    let problem = format!("expected a file; for a {secret} from a pipe, use /dev/stdin or <(...)");
    Err(Failure::usage(format!("{option} -"), problem))
}

/// Reads the text of a key file without parsing it.
pub(crate) fn read_key_text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let reject = |why: &str| not_a_key_file(path, why);
    let bytes = read_secret(path, MAX_TEXT_LEN, "expected the key file", reject)?;
    if bytes.starts_with(CONTAINER_MAGIC) {
        return Err(reject(
            "it is a container; name the key file after -k, and the container without an option",
        ));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| reject("not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads a small secret file of at most `max_len` bytes. If the file is a container, only its start
/// is read, so that the caller can recognize it.
fn read_secret(
    path: &Path,
    max_len: usize,
    expected: &str,
    reject: impl Fn(&str) -> Failure,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failure = |e: &io::Error| Failure::io(shown(path), e).and(expected);
    if path.is_dir() {
        return Err(reject("it is a directory"));
    }
    let file = File::open(path).map_err(|e| failure(&e))?;
    // One byte longer than allowed, to detect a longer file. Allocated in full, because
    // reallocating would leave a copy in memory.
    let mut bytes = Zeroizing::new(vec![0; max_len + 1]);
    let len = read_full(&file, &mut bytes[..]).map_err(|e| failure(&e))?;
    if len > max_len && !bytes.starts_with(CONTAINER_MAGIC) {
        return Err(reject(&format!("longer than {max_len} bytes")));
    }
    bytes.truncate(len);
    warn_if_shared(path, &file);
    Ok(bytes)
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

/// Warns if the group or other users have access to a secret file.
fn warn_if_shared(path: &Path, file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let is_shared = file
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o077 != 0);
        if is_shared {
            note(&format!(
                "{}: warning: other users can access this file; use `chmod 600 {}`",
                shown(path),
                shell_word(path)
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
}
