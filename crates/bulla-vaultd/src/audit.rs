//! The audit log: what was done to which account, in a chain that cannot be changed in the middle
//! or begun anew unnoticed.
//!
//! Each line is an event in JSON, a tab, and a signature over it. An event names the SHA-256 of the
//! event before it, so every line is a signed head of all that precede it. What a chain cannot show
//! by itself is that its end was cut off: keep a head elsewhere, and compare. Events hold hashes of
//! accounts, never key data.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla_vault::wire::decode;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::record::Account;

/// Bytes of a line at most.
const MAX_LINE: usize = 1024;
/// What the signature covers before the event.
pub(crate) const LABEL: &[u8] = b"bulla v1 vault audit\0";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A server began to write.
    Started,
    /// A registration was begun.
    Begun,
    /// A registration was ended: it is PENDING.
    Registered,
    /// A guess was paid for.
    Granted,
    /// The proof of a guess did not hold.
    Refused,
    /// A guess was right.
    Proven,
    /// A registration took another's place.
    Replaced,
    /// The guesses ran out.
    Locked,
    /// A deletion was announced.
    Announced,
    /// A registration was deleted.
    Deleted,
    /// A new epoch's key took the place of those before.
    Rotated,
    /// A counter that was set back was clamped.
    Clamped,
}

/// A line of the log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    number: u64,
    time: u64,
    event: Event,
    account: String,
    generation: u64,
    previous: String,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Events in it.
    pub number: u64,
    /// SHA-256 of the last one, in hexadecimal; zeros if there is none.
    pub digest: String,
}

/// A log that is being written.
pub struct Audit {
    key: Ed25519KeyPair,
    state: Mutex<Log>,
}

struct Log {
    file: File,
    head: Head,
    synced: Instant,
}

/// Why a log does not verify.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuditError {
    /// Reading or writing it failed.
    Io(io::Error),
    /// This line is not one, or its signature does not hold, or it does not follow the line before
    /// it.
    Broken {
        /// The line, from 1.
        line: u64,
    },
    /// The log does not hold the head that it is to hold: its end was cut off, or it is another
    /// log.
    WithoutHead,
    /// The key is none.
    Key,
}

impl Audit {
    /// Goes on with a log, or begins one; makes the key that signs it if there is none. A last line
    /// that a crash cut short is taken away.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub fn open(log: &Path, key: &Path) -> Result<Audit, AuditError> {
        let key = signing_key(key)?;
        let mut file =
            files::owned(OpenOptions::new().read(true).write(true).create(true).truncate(false))
                .open(log)?;
        let whole = whole_lines(&mut file)?;
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(0))?;
        let head = verify(&mut file, key.public_key().as_ref(), None)?;
        file.seek(SeekFrom::End(0))?;
        files::sync_directory_of(log)?;
        let audit = Audit { key, state: Mutex::new(Log { file, head, synced: Instant::now() }) };
        audit.record(Event::Started, &[0; 32], 0);
        Ok(audit)
    }

    /// The public key that verifies the log.
    pub fn public_key(&self) -> Vec<u8> {
        self.key.public_key().as_ref().to_vec()
    }

    /// Adds an event. It is with the operating system when this returns, and on the disk within a
    /// second of the next event, or at [`sync`](Self::sync). A log that cannot be written is
    /// said in the program's log, not to clients.
    pub fn record(&self, event: Event, account: &Account, generation: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let entry = Entry {
            number: state.head.number + 1,
            time,
            event,
            account: hex(account),
            generation,
            previous: state.head.digest.clone(),
        };
        // Fails for maps with keys that are no strings; there is none.
        let text = serde_json::to_string(&entry).unwrap_or_default();
        let signature = self.key.sign(&[LABEL, text.as_bytes()].concat());
        let line = format!("{text}\t{}\n", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        let mut written = state.file.write_all(line.as_bytes());
        state.head = Head { number: entry.number, digest: digest(text.as_bytes()) };
        if state.synced.elapsed().as_secs() >= 1 {
            written = written.and_then(|()| state.file.sync_data());
            state.synced = Instant::now();
        }
        if let Err(error) = written {
            tracing::error!(%error, "audit log cannot be written");
        }
    }

    /// Makes all events outlive a power cut.
    pub fn sync(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = state.file.sync_data() {
            tracing::error!(%error, "audit log cannot be synced");
        }
    }

    /// The end of the log as it is now.
    pub fn head(&self) -> Head {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).head.clone()
    }
}

/// Verifies a log from its beginning and says its head. `expected` is a head that was seen before
/// and must be in it.
///
/// # Errors
///
/// [`AuditError`].
pub fn verify(
    log: &mut impl Read,
    public_key: &[u8],
    expected: Option<&Head>,
) -> Result<Head, AuditError> {
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    let mut head = Head { number: 0, digest: "0".repeat(64) };
    let mut seen = expected.is_none_or(|expected| *expected == head);
    let mut lines = BufReader::new(log);
    loop {
        let mut line = Vec::new();
        let len = (&mut lines).take(MAX_LINE as u64).read_until(b'\n', &mut line)?;
        if len == 0 {
            return if seen { Ok(head) } else { Err(AuditError::WithoutHead) };
        }
        head = next_head(&line, &head, &key).ok_or(AuditError::Broken { line: head.number + 1 })?;
        seen |= expected == Some(&head);
    }
}

fn next_head(line: &[u8], head: &Head, key: &UnparsedPublicKey<&[u8]>) -> Option<Head> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (text, signature) = line.split_once('\t')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    key.verify(&[LABEL, text.as_bytes()].concat(), &signature).ok()?;
    follow(text, head)
}

/// The head that a log has with this event, if it follows the one before.
pub(crate) fn follow(text: &str, head: &Head) -> Option<Head> {
    let entry: Entry = decode(text.as_bytes()).ok()?;
    let follows = entry.number == head.number + 1 && entry.previous == head.digest;
    follows.then(|| Head { number: entry.number, digest: digest(text.as_bytes()) })
}

/// The key that signs, made if there is none; its public half lies beside it, in hexadecimal.
fn signing_key(path: &Path) -> Result<Ed25519KeyPair, AuditError> {
    if !path.exists() {
        let made =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| AuditError::Key)?;
        files::replace(path, made.as_ref())?;
        let key = Ed25519KeyPair::from_pkcs8(made.as_ref()).map_err(|_| AuditError::Key)?;
        files::replace(&path.with_extension("pub"), hex(key.public_key().as_ref()).as_bytes())?;
    }
    Ed25519KeyPair::from_pkcs8(&zeroize::Zeroizing::new(std::fs::read(path)?))
        .map_err(|_| AuditError::Key)
}

/// Bytes up to the end of the last whole line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let len = file.metadata()?.len();
    let from = len.saturating_sub(MAX_LINE as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    Ok(from + end as u64)
}

fn digest(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.digest)
    }
}

impl std::str::FromStr for Head {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Head, AuditError> {
        let (number, digest) = text.split_once(':').ok_or(AuditError::WithoutHead)?;
        let number = number.parse().map_err(|_| AuditError::WithoutHead)?;
        Ok(Head { number, digest: digest.to_owned() })
    }
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditError::Io(e) => write!(f, "audit log: {e}"),
            AuditError::Broken { line } => {
                write!(
                    f,
                    "audit log: line {line} was changed, or does not follow the line before it"
                )
            }
            AuditError::WithoutHead => {
                f.write_str("audit log: its end was cut off, or it is another log")
            }
            AuditError::Key => f.write_str("audit log: the key is none"),
        }
    }
}

impl std::error::Error for AuditError {}

impl From<io::Error> for AuditError {
    fn from(error: io::Error) -> AuditError {
        AuditError::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(events: u64) -> (tempfile::TempDir, Vec<u8>, Vec<u8>, Head) {
        let directory = tempfile::tempdir().unwrap();
        let audit =
            Audit::open(&directory.path().join("log"), &directory.path().join("key")).unwrap();
        (1..events).for_each(|generation| audit.record(Event::Granted, &[7; 32], generation));
        let (key, head) = (audit.public_key(), audit.head());
        drop(audit);
        let log = std::fs::read(directory.path().join("log")).unwrap();
        (directory, log, key, head)
    }

    #[test]
    fn verifies_and_goes_on() {
        let (directory, log, key, head) = written(5);
        assert_eq!(head.number, 5);
        assert_eq!(verify(&mut &log[..], &key, Some(&head)).unwrap(), head);

        let path = directory.path().join("log");
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(br#"{"number":6,"ti"#).unwrap();
        let audit = Audit::open(&path, &directory.path().join("key")).unwrap();
        assert_eq!(audit.head().number, 6);
        drop(audit);
        let log = std::fs::read(&path).unwrap();
        assert_eq!(verify(&mut &log[..], &key, Some(&head)).unwrap().number, 6);
    }

    #[test]
    fn every_change_is_seen() {
        let (_directory, log, key, head) = written(4);
        for at in 0..log.len() {
            let mut changed = log.clone();
            changed[at] ^= 1;
            assert!(verify(&mut &changed[..], &key, Some(&head)).is_err(), "byte {at}");
        }
        let lines: Vec<_> = log.split_inclusive(|&byte| byte == b'\n').collect();
        let without_second = [lines[0], lines[2], lines[3]].concat();
        assert!(matches!(
            verify(&mut &without_second[..], &key, None),
            Err(AuditError::Broken { line: 2 })
        ));
        let cut = lines[..3].concat();
        assert!(verify(&mut &cut[..], &key, None).is_ok(), "the chain alone cannot tell");
        assert!(matches!(verify(&mut &cut[..], &key, Some(&head)), Err(AuditError::WithoutHead)));
        let (_other_directory, _, other_key, _) = written(1);
        assert!(verify(&mut &log[..], &other_key, None).is_err());
    }
}
