//! Where a key or passphrase comes from: a file that an option or the environment names, or the
//! terminal. Never the command line, which everybody on the machine can read.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bulla::Key;
use bulla_key::key_text::{self, MAX_TEXT_LEN};
use bulla_key::{MAX_PASSPHRASE_LEN, Passphrase};
use zeroize::Zeroizing;

use crate::args;
use crate::error::Failure;
use crate::io::input::Identity;
use crate::terminal::display::{DASH, shown, word};
use crate::terminal::prompt;
use crate::terminal::streams::note;

/// Names the key file if -k does not.
const VARIABLE: &str = "BULLA_KEY_FILE";

/// Where the secret comes from that opens a container, or the key that seals one.
pub(crate) enum KeySource {
    /// A key file, and whether only the environment names it.
    KeyFile(PathBuf, bool),
    PassphraseFile(PathBuf),
    /// A vault that an option names.
    Vault,
    Terminal,
}

impl KeySource {
    /// The source, given what stands after -k.
    pub(crate) fn new(file: Option<&Path>) -> Result<KeySource, Failure> {
        let named = || env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
        match (file, named()) {
            (Some(path), _) => {
                refuse_dash("-k", path)?;
                Ok(KeySource::KeyFile(path.to_owned(), false))
            }
            (None, Some(path)) => Ok(KeySource::KeyFile(path, true)),
            (None, None) => Ok(KeySource::Terminal),
        }
    }

    /// The source of what opens a container.
    pub(crate) fn of_opening(args: &args::Key) -> Result<KeySource, Failure> {
        match &args.passphrase_file {
            Some(path) => {
                refuse_dash("--passphrase-file", path)?;
                Ok(KeySource::PassphraseFile(path.clone()))
            }
            None if args.file.is_none() && args.vault.vault.is_some() => Ok(KeySource::Vault),
            None => KeySource::new(args.file.as_deref()),
        }
    }

    /// The file, if it is a regular file.
    pub(crate) fn identity(&self) -> Option<Identity> {
        Identity::of(self.path()?)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            KeySource::KeyFile(path, _) | KeySource::PassphraseFile(path) => Some(path),
            KeySource::Vault | KeySource::Terminal => None,
        }
    }

    /// As options for a command to copy.
    pub(crate) fn options(&self) -> String {
        match self {
            KeySource::KeyFile(path, _) => format!(" -k {}", word(path)),
            KeySource::PassphraseFile(path) => format!(" --passphrase-file {}", word(path)),
            // The configuration may name it; who gave more options knows them.
            KeySource::Vault | KeySource::Terminal => String::new(),
        }
    }

    /// Reads the key for a new container. A typing error would make a container that nobody can
    /// open, so a typed key is typed twice.
    pub(crate) fn read_for_sealing(&self) -> Result<Key, Failure> {
        let Some(path) = self.path() else {
            let key = ask_for_key("Key (64 hex digits, not shown): ")?;
            let again = ask_for_key("The same once more: ")?;
            if again.expose() != key.expose() {
                return Err(Failure::usage(
                    "key",
                    "the two are not the same; nothing was sealed, try again",
                ));
            }
            return Ok(key);
        };
        read_key(path)
    }
}

/// Reads a key file. It holds a key, right or wrong.
pub(crate) fn read_key(path: &Path) -> Result<Key, Failure> {
    key_text::parse(&read_key_text(path)?).map_err(|e| no_key_file(path, &e.to_string()))
}

/// The text of a key file is none of a key.
pub(crate) fn no_key_file(path: &Path, why: &str) -> Failure {
    Failure::usage(shown(path), format!("not a key file: {why}"))
}

/// Reads a file that holds a passphrase, and perhaps a line break behind it.
pub(crate) fn read_passphrase(path: &Path) -> Result<Passphrase, Failure> {
    let no_passphrase =
        |why: &str| Failure::usage(shown(path), format!("not a file with a passphrase: {why}"));
    // With a byte order mark or a line break there may be some bytes more.
    let bytes = read_secret(
        path,
        MAX_PASSPHRASE_LEN + 8,
        "this should be a file with a passphrase",
        |why| no_passphrase(why),
    )?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| no_passphrase("it does not hold UTF-8 text"))?;
    Passphrase::new(without_line_break(text)).map_err(|e| no_passphrase(&e.to_string()))
}

/// A line as typed, without what ended it.
pub(crate) fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// What `prompt` failed to ask for.
pub(crate) fn no_terminal(what: &str, options: &str) -> Failure {
    let text = format!(
        "none was given, and there is no terminal to type it on; {options}, or run this on a terminal"
    );
    Failure::usage(what, text)
}

/// Where a key may come from.
pub(crate) const KEY_OPTIONS: &str =
    "name its file with -k FILE, or in the environment variable BULLA_KEY_FILE";

fn ask_for_key(question: &str) -> Result<Key, Failure> {
    let text = prompt::ask_for_key(question).map_err(|_| no_terminal("key", KEY_OPTIONS))?;
    key_text::parse(&text).map_err(|e| Failure::usage("key", e.to_string()))
}

pub(crate) fn refuse_dash(option: &str, path: &Path) -> Result<(), Failure> {
    if path != Path::new(DASH) {
        return Ok(());
    }
    let what = if option == "-k" { "key" } else { "secret" };
    let text = format!(
        "the {what} is read from a file; for a {what} from a pipe, name /dev/stdin, or use <(...)"
    );
    Err(Failure::usage(format!("{option} -"), text))
}

/// Reads the text of a key file, whether it is one of a key or not.
pub(crate) fn read_key_text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let no_key = |why: &str| no_key_file(path, why);
    let bytes = read_secret(path, MAX_TEXT_LEN, "this should be the key file", |why| no_key(why))?;
    if bytes.starts_with(b"\x93BULLA\r\n") {
        return Err(no_key(
            "this is a container; the key file stands after -k, the container alone",
        ));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| no_key("it does not hold text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads a small file that nobody else should read, of at most so many bytes unless it is a
/// container.
fn read_secret(
    path: &Path,
    most: usize,
    should: &str,
    refuse: impl Fn(&str) -> Failure,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failure = |e: &io::Error| Failure::io(shown(path), e).and(should);
    if path.is_dir() {
        return Err(refuse("this is a directory"));
    }
    let file = File::open(path).map_err(|e| failure(&e))?;
    // One byte more, to see that there is more. Made at once, so that no growing leaves a copy
    // behind.
    let mut bytes = Zeroizing::new(vec![0; most + 1]);
    let len = read_full(&file, &mut bytes[..]).map_err(|e| failure(&e))?;
    if len > most && !bytes.starts_with(b"\x93BULLA\r\n") {
        return Err(refuse(&format!("it is longer than {most} bytes")));
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

fn warn_if_shared(path: &Path, file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let shared = file
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o077 != 0);
        if shared {
            let command = format!("chmod 600 {}", word(path));
            note(&format!(
                "{}: warning: other users can get at this file; keep it to yourself: {command}",
                shown(path)
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
}
