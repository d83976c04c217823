//! The audit log: a signed hash chain that records what was done to which account.
//!
//! Each line consists of a JSON event, a tab, and a signature over the event. An event contains the
//! SHA-256 digest of the previous event, so each line is a signed head of the log up to that line.
//! The chain reveals any change except a missing end. To detect a missing end, keep a head
//! elsewhere and compare it with the log. Events contain account hashes, never key material.

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

/// Maximum bytes in a line.
const MAX_LINE: usize = 1024;
/// Prefix of the signed message, for domain separation.
pub(crate) const LABEL: &[u8] = b"bulla v1 vault audit\0";

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditEvent {
    /// A server opened the log.
    Started,
    /// A registration was begun.
    Begun,
    /// A registration was completed and is PENDING.
    Registered,
    /// A guess was spent.
    Granted,
    /// The proof of a guess was wrong.
    Refused,
    /// The proof of a guess was correct.
    Proven,
    /// A registration replaced another.
    Replaced,
    /// A registration ran out of guesses.
    Locked,
    /// A deletion was announced.
    Announced,
    /// A registration was deleted.
    Deleted,
    /// The keys of all earlier epochs were destroyed.
    Rotated,
    /// A counter was clamped after the store was rolled back.
    Clamped,
}

/// One line of the log, without its signature.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditLine {
    number: u64,
    time: u64,
    event: AuditEvent,
    account: String,
    generation: u64,
    previous: String,
}

/// A log's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of events in the log.
    pub number: u64,
    /// SHA-256 digest of the last event in hexadecimal, or zeros for an empty log.
    pub digest: String,
}

/// An audit log open for appending.
pub struct AuditLog {
    key: Ed25519KeyPair,
    state: Mutex<LogState>,
}

struct LogState {
    file: File,
    head: Head,
    synced: Instant,
}

/// An error from writing or verifying an audit log.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuditError {
    /// Reading or writing the log failed.
    Io(io::Error),
    /// A line is malformed, its signature is invalid, or it does not follow the previous line.
    Broken {
        /// The line number, starting at 1.
        line: u64,
    },
    /// The log does not contain the expected head: its end was removed, or this is a different log.
    MissingHead,
    /// The head does not have the form `NUMBER:DIGEST`.
    MalformedHead,
    /// The key is not an Ed25519 key, or cannot be generated.
    Key,
}

impl AuditLog {
    /// Opens or creates a log, and creates the signing key if it is missing. If a crash cut the
    /// last line short, that line is removed.
    ///
    /// # Errors
    ///
    /// Returns [`AuditError`] if the log does not verify, or a file cannot be read or written.
    pub fn open(log: &Path, key: &Path) -> Result<AuditLog, AuditError> {
        let key = signing_key(key)?;
        let mut file =
            files::private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
                .open(log)?;
        let whole = whole_lines(&mut file)?;
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(0))?;
        let head = verify(&mut file, key.public_key().as_ref(), None)?;
        file.seek(SeekFrom::End(0))?;
        files::sync_directory_of(log)?;
        let audit =
            AuditLog { key, state: Mutex::new(LogState { file, head, synced: Instant::now() }) };
        audit.record(AuditEvent::Started, &[0; 32], 0);
        Ok(audit)
    }

    /// Returns the public key that verifies the log.
    pub fn public_key(&self) -> Vec<u8> {
        self.key.public_key().as_ref().to_vec()
    }

    /// Appends an event. When this returns, the event has been handed to the operating system. It
    /// is synced to disk by the first event that is recorded at least a second after the last sync,
    /// or by [`sync`](Self::sync). A failure is reported in the program's log, not to clients.
    pub fn record(&self, event: AuditEvent, account: &Account, generation: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let contents = AuditLine {
            number: state.head.number + 1,
            time,
            event,
            account: hex(account),
            generation,
            previous: state.head.digest.clone(),
        };
        // Serialization fails only for maps whose keys are not strings.
        let text = serde_json::to_string(&contents).unwrap_or_default();
        let signature = self.key.sign(&[LABEL, text.as_bytes()].concat());
        let line = format!("{text}\t{}\n", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        let mut written = state.file.write_all(line.as_bytes());
        state.head = Head { number: contents.number, digest: digest(text.as_bytes()) };
        if state.synced.elapsed().as_secs() >= 1 {
            written = written.and_then(|()| state.file.sync_data());
            state.synced = Instant::now();
        }
        if let Err(error) = written {
            tracing::error!(%error, "audit log: write failed");
        }
    }

    /// Syncs all events to disk.
    pub fn sync(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = state.file.sync_data() {
            tracing::error!(%error, "audit log: sync failed");
        }
    }

    /// Returns the current head.
    pub fn head(&self) -> Head {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).head.clone()
    }
}

/// Verifies a log from its beginning and returns its head. If `expected` is given, the log must
/// contain that earlier head.
///
/// # Errors
///
/// Returns [`AuditError`] for the first invalid line, or if the expected head is missing.
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
            return if seen { Ok(head) } else { Err(AuditError::MissingHead) };
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

/// Returns the head after this event, if the event follows `head`.
pub(crate) fn follow(text: &str, head: &Head) -> Option<Head> {
    let contents: AuditLine = decode(text.as_bytes()).ok()?;
    let follows = contents.number == head.number + 1 && contents.previous == head.digest;
    follows.then(|| Head { number: contents.number, digest: digest(text.as_bytes()) })
}

/// Reads the signing key. If it does not exist, creates it, and writes its public key in
/// hexadecimal to a file next to it.
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

/// Returns the offset at which the last complete line ends.
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
        let (number, digest) = text.split_once(':').ok_or(AuditError::MalformedHead)?;
        let number = number.parse().map_err(|_| AuditError::MalformedHead)?;
        Ok(Head { number, digest: digest.to_owned() })
    }
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditError::Io(e) => e.fmt(f),
            AuditError::Broken { line } => {
                write!(f, "line {line}: modified, or does not follow the previous line")
            }
            AuditError::MissingHead => f.write_str(
                "expected head not found; the log's end was removed, or this is a different log",
            ),
            AuditError::MalformedHead => {
                f.write_str("head: malformed; use NUMBER:DIGEST as printed by `audit verify`")
            }
            AuditError::Key => f.write_str("signing key: not an Ed25519 key"),
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
            AuditLog::open(&directory.path().join("log"), &directory.path().join("key")).unwrap();
        (1..events).for_each(|generation| audit.record(AuditEvent::Granted, &[7; 32], generation));
        let (key, head) = (audit.public_key(), audit.head());
        drop(audit);
        let log = std::fs::read(directory.path().join("log")).unwrap();
        (directory, log, key, head)
    }

    #[test]
    fn verifies_and_continues_after_a_torn_line() {
        let (directory, log, key, head) = written(5);
        assert_eq!(head.number, 5);
        assert_eq!(verify(&mut &log[..], &key, Some(&head)).unwrap(), head);

        let path = directory.path().join("log");
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(br#"{"number":6,"ti"#).unwrap();
        let audit = AuditLog::open(&path, &directory.path().join("key")).unwrap();
        assert_eq!(audit.head().number, 6);
        drop(audit);
        let log = std::fs::read(&path).unwrap();
        assert_eq!(verify(&mut &log[..], &key, Some(&head)).unwrap().number, 6);
    }

    #[test]
    fn detects_every_changed_byte_and_every_missing_line() {
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
        assert!(
            verify(&mut &cut[..], &key, None).is_ok(),
            "the chain alone cannot detect a missing end"
        );
        assert!(matches!(verify(&mut &cut[..], &key, Some(&head)), Err(AuditError::MissingHead)));
        let (_other_directory, _, other_key, _) = written(1);
        assert!(verify(&mut &log[..], &other_key, None).is_err());
    }
}
