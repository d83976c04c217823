//! Rewriting the envelope in a container's file in place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bulla::{Options, Preamble};
use bulla_key::{Envelope, EnvelopeState, Error, Secret, SlotId, Slots, Unlocked};
use bulla_testkit::envelope::envelope as encode;

use crate::fixtures::*;

struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    fn with(container: &[u8]) -> Disk {
        let disk = Disk { directory: tempfile::tempdir().unwrap() };
        fs::write(disk.path(), container).unwrap();
        disk
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("backup.bulla")
    }

    fn file(&self) -> File {
        File::options().read(true).write(true).open(self.path()).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

fn unlock(path: &Path, secret: &Secret<'_>) -> Result<(Unlocked, EnvelopeState), Error> {
    let preamble = Preamble::read_at(&File::open(path).unwrap())?;
    let (envelope, copies) = Envelope::from_preamble(&preamble)?;
    Ok((envelope.open(secret, preamble.header(), None)?, copies))
}

fn revision(revision: u64) -> Vec<u8> {
    encode(&slots(LEN), LEN, revision, &SALT, &exporter(LEN))
}

/// Returns the container with these two copies.
fn with_copies(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut container = container(first);
    let at = container.len() - 128 - LEN;
    container[at..at + LEN].copy_from_slice(second);
    container
}

/// E-6.1: both copies have the new slots, and no other byte changes.
#[test]
fn changes_the_slots_in_place() {
    let disk = Disk::with(&container(&envelope()));
    let before = disk.bytes();
    let recovery = key(RECOVERY_KEY);
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&recovery)).unwrap();
    let mut slots = unlocked.slots().unwrap();
    slots.remove(SlotId(2)).unwrap();
    slots.add_passphrase(&passphrase("another one"), minimal_cost()).unwrap();
    unlocked.rewrap(&disk.file(), &slots).unwrap();

    let (unlocked, copies) =
        unlock(&disk.path(), &Secret::Passphrase(&passphrase("another one"))).unwrap();
    assert_eq!(copies, EnvelopeState::Intact);
    assert!(unlocked.is_intact());
    let wrong = unlock(&disk.path(), &Secret::Passphrase(&passphrase(PASSPHRASE)));
    assert!(matches!(wrong, Err(Error::WrongSecret)));
    let after = disk.bytes();
    let end = after.len() - 128 - LEN;
    assert_eq!((&after[..128], &after[128 + LEN..end]), (&before[..128], &before[128 + LEN..end]));
    assert_eq!(after[end + LEN..], before[end + LEN..]);
    let (plaintext, _) = bulla::open(unlocked.key(), &after, &Options::new()).unwrap();
    assert_eq!(plaintext, PLAINTEXT);

    // Rewrite again, after opening with the slot that was added.
    unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap()).unwrap();
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&recovery)).unwrap();
    assert!(unlocked.is_intact());
    let preamble = Preamble::read_at(&disk.file()).unwrap();
    assert_eq!(Envelope::from_preamble(&preamble).unwrap().0.revision(), 3);
}

/// E-2.6, E-6.1
#[test]
fn repairs_both_copies() {
    let mut torn = revision(4);
    torn[LEN / 2..].fill(0);
    for (first, second) in [
        (revision(3), revision(4)),
        (revision(4), revision(3)),
        (torn.clone(), revision(3)),
        (revision(3), torn),
    ] {
        let disk = Disk::with(&with_copies(&first, &second));
        let (unlocked, copies) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
        assert_ne!(copies, EnvelopeState::Intact);
        unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap()).unwrap();
        let (_, copies) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
        assert_eq!(copies, EnvelopeState::Intact);
    }
}

/// E-6.3
#[test]
fn does_not_overwrite_a_concurrent_change() {
    let disk = Disk::with(&container(&revision(4)));
    let (early, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let (late, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let mut slots = early.slots().unwrap();
    slots.add_recovery_key(&key([9; 32])).unwrap();
    early.rewrap(&disk.file(), &slots).unwrap();
    let before = disk.bytes();
    let refused = late.rewrap(&disk.file(), &late.slots().unwrap());
    assert!(matches!(refused, Err(Error::Outdated { found: 5, given: 5 })));
    assert_eq!(disk.bytes(), before);
}

/// E-2.2, E-6.3: an envelope from a separate file replaces an older or unusable one.
#[test]
fn replaces_the_envelope_with_a_separate_one() {
    let recovery = key(RECOVERY_KEY);
    let separate = |number| {
        let envelope = Envelope::parse(&revision(number)).unwrap();
        envelope.open(&Secret::Key(&recovery), &header(LEN), None).unwrap()
    };
    let mut damaged = revision(4);
    damaged[70] ^= 1;
    for inside in [vec![0; LEN], damaged, revision(3)] {
        let disk = Disk::with(&container(&inside));
        let unlocked = separate(4);
        unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap()).unwrap();
        assert_eq!(unlock(&disk.path(), &Secret::Key(&recovery)).unwrap().1, EnvelopeState::Intact);
    }
    let disk = Disk::with(&container(&revision(9)));
    let unlocked = separate(4);
    let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::Outdated { found: 9, given: 5 })));
}

#[test]
fn rejects_another_container() {
    let (unlocked, _) =
        unlock(&Disk::with(&container(&envelope())).path(), &Secret::Key(&key(RECOVERY_KEY)))
            .unwrap();
    let other =
        bulla::seal(&key(CONTAINER_KEY), PLAINTEXT, &Options::new().envelope_len(LEN as u32))
            .unwrap();
    let disk = Disk::with(&other);
    let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::AnotherContainer)));
    assert_eq!(disk.bytes(), other);
}

/// E-6.3: if the container's end is missing, the position of the second copy is unknown, so nothing
/// is written.
#[test]
fn rejects_a_truncated_container() {
    let whole = container(&envelope());
    let lengths = (128 + LEN..whole.len()).step_by(7).chain([whole.len() - 1]);
    for len in lengths {
        let disk = Disk::with(&whole[..len]);
        let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
        let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
        assert!(
            matches!(refused, Err(Error::Container(bulla::Error::Truncated { .. }))),
            "{len}: {refused:?}"
        );
        assert_eq!(disk.bytes(), &whole[..len]);
    }
}

/// E-6.3
#[test]
fn rejects_a_container_with_trailing_bytes() {
    let long = [&container(&envelope())[..], &[0; 9]].concat();
    let disk = Disk::with(&long);
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::Container(bulla::Error::TrailingData { extra: 9 }))));
    assert_eq!(disk.bytes(), long);
}

/// E-6.3: with a damaged footer, the last chunk locates the end.
#[test]
fn rewrites_despite_a_damaged_header_or_footer() {
    let whole = container(&envelope());
    for at in [20, whole.len() - 20] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let disk = Disk::with(&damaged);
        let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
        let mut slots = Slots::new();
        slots.add_recovery_key(&key([9; 32])).unwrap();
        unlocked.rewrap(&disk.file(), &slots).unwrap();
        assert!(unlock(&disk.path(), &Secret::Key(&key([9; 32]))).is_ok());
    }
}

/// In append mode, every write goes to the end of the file.
#[cfg(unix)]
#[test]
fn rejects_append_mode() {
    let whole = container(&envelope());
    let disk = Disk::with(&whole);
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let file = File::options().read(true).append(true).open(disk.path()).unwrap();
    let refused = unlocked.rewrap(&file, &unlocked.slots().unwrap());
    #[cfg(target_os = "linux")]
    assert!(matches!(refused, Err(Error::AppendMode)), "{refused:?}");
    if refused.is_err() {
        assert_eq!(disk.bytes(), whole);
    }
}

#[test]
fn leaves_a_read_only_file_unchanged() {
    let disk = Disk::with(&container(&envelope()));
    let before = disk.bytes();
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let refused = unlocked.rewrap(&File::open(disk.path()).unwrap(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::Container(bulla::Error::Io(_)))));
    assert_eq!(disk.bytes(), before);
}
