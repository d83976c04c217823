//! The envelope of a container in a file, changed in place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bulla::{Options, Preamble};
use bulla_key::{Envelope, EnvelopeState, Error, Secret, SlotId, Slots, Unlocked};
use bulla_testkit::envelope::envelope as made;

use crate::sample::*;

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
    made(&slots(LEN), LEN, revision, &SALT, &exporter(LEN))
}

/// The container with these two copies.
fn with_copies(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut container = container(first);
    let at = container.len() - 128 - LEN;
    container[at..at + LEN].copy_from_slice(second);
    container
}

/// E-6.1: the slots are changed, in both copies, and not a byte besides.
#[test]
fn slots_are_changed_in_place() {
    let disk = Disk::with(&container(&envelope()));
    let before = disk.bytes();
    let recovery = key(RECOVERY);
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&recovery)).unwrap();
    let mut slots = unlocked.slots().unwrap();
    slots.remove(SlotId(2)).unwrap();
    slots.add_passphrase(&phrase("another one"), cheap()).unwrap();
    unlocked.rewrap(&disk.file(), &slots).unwrap();

    let (unlocked, copies) =
        unlock(&disk.path(), &Secret::Passphrase(&phrase("another one"))).unwrap();
    assert_eq!(copies, EnvelopeState::Intact);
    assert!(unlocked.is_intact());
    let wrong = unlock(&disk.path(), &Secret::Passphrase(&phrase(PHRASE)));
    assert!(matches!(wrong, Err(Error::WrongSecret)));
    let after = disk.bytes();
    let end = after.len() - 128 - LEN;
    assert_eq!((&after[..128], &after[128 + LEN..end]), (&before[..128], &before[128 + LEN..end]));
    assert_eq!(after[end + LEN..], before[end + LEN..]);
    let (plaintext, _) = bulla::open(unlocked.key(), &after, &Options::new()).unwrap();
    assert_eq!(plaintext, PLAINTEXT);

    // And once more, by what was added.
    unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap()).unwrap();
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&recovery)).unwrap();
    assert!(unlocked.is_intact());
    let preamble = Preamble::read_at(&disk.file()).unwrap();
    assert_eq!(Envelope::from_preamble(&preamble).unwrap().0.revision(), 3);
}

/// E-2.6, E-6.1: whatever the two copies are like before, both are the new envelope afterwards.
#[test]
fn copies_are_mended() {
    let mut torn = revision(4);
    torn[LEN / 2..].fill(0);
    for (first, second) in [
        (revision(3), revision(4)),
        (revision(4), revision(3)),
        (torn.clone(), revision(3)),
        (revision(3), torn),
    ] {
        let disk = Disk::with(&with_copies(&first, &second));
        let (unlocked, copies) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
        assert_ne!(copies, EnvelopeState::Intact);
        unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap()).unwrap();
        let (_, copies) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
        assert_eq!(copies, EnvelopeState::Intact);
    }
}

/// E-6.3: what was written by somebody else since is not overwritten.
#[test]
fn outdated() {
    let disk = Disk::with(&container(&revision(4)));
    let (early, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
    let (late, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
    let mut slots = early.slots().unwrap();
    slots.add_recovery_key(&key([9; 32])).unwrap();
    early.rewrap(&disk.file(), &slots).unwrap();
    let before = disk.bytes();
    let refused = late.rewrap(&disk.file(), &late.slots().unwrap());
    assert!(matches!(refused, Err(Error::Outdated { found: 5, given: 5 })));
    assert_eq!(disk.bytes(), before);
}

/// E-2.2, E-6.3: an envelope that was kept beside the container goes into it, if what is in there
/// is older or of no use.
#[test]
fn from_beside_the_container() {
    let recovery = key(RECOVERY);
    let beside = |number| {
        let envelope = Envelope::parse(&revision(number)).unwrap();
        envelope.open(&Secret::Key(&recovery), &header(LEN), None).unwrap()
    };
    let mut damaged = revision(4);
    damaged[70] ^= 1;
    for inside in [vec![0; LEN], damaged, revision(3)] {
        let disk = Disk::with(&container(&inside));
        let unlocked = beside(4);
        unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap()).unwrap();
        assert_eq!(unlock(&disk.path(), &Secret::Key(&recovery)).unwrap().1, EnvelopeState::Intact);
    }
    let disk = Disk::with(&container(&revision(9)));
    let unlocked = beside(4);
    let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::Outdated { found: 9, given: 5 })));
}

#[test]
fn another_container() {
    let (unlocked, _) =
        unlock(&Disk::with(&container(&envelope())).path(), &Secret::Key(&key(RECOVERY))).unwrap();
    let other =
        bulla::seal(&key(KEY), PLAINTEXT, &Options::new().envelope_len(LEN as u32)).unwrap();
    let disk = Disk::with(&other);
    let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::AnotherContainer)));
    assert_eq!(disk.bytes(), other);
}

/// E-6.3: where the end of the container is missing, the second copy is not where its length says,
/// and nothing is written.
#[test]
fn cut_container() {
    let whole = container(&envelope());
    let cuts = (128 + LEN..whole.len()).step_by(7).chain([whole.len() - 1]);
    for len in cuts {
        let disk = Disk::with(&whole[..len]);
        let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
        let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
        assert!(
            matches!(refused, Err(Error::Container(bulla::Error::Truncated { .. }))),
            "{len}: {refused:?}"
        );
        assert_eq!(disk.bytes(), &whole[..len]);
    }
}

/// E-6.3: bytes behind the end move the place, too.
#[test]
fn extended_container() {
    let long = [&container(&envelope())[..], &[0; 9]].concat();
    let disk = Disk::with(&long);
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
    let refused = unlocked.rewrap(&disk.file(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::Container(bulla::Error::TrailingData { extra: 9 }))));
    assert_eq!(disk.bytes(), long);
}

/// E-6.3: a footer that is merely damaged does not keep the envelope from being rewritten: the last
/// chunk is where it should be.
#[test]
fn damaged_header_or_footer() {
    let whole = container(&envelope());
    for at in [20, whole.len() - 20] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let disk = Disk::with(&damaged);
        let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
        let mut slots = Slots::new();
        slots.add_recovery_key(&key([9; 32])).unwrap();
        unlocked.rewrap(&disk.file(), &slots).unwrap();
        assert!(unlock(&disk.path(), &Secret::Key(&key([9; 32]))).is_ok());
    }
}

/// A file that is open for appending takes every write at its end.
#[cfg(unix)]
#[test]
fn open_for_appending() {
    let whole = container(&envelope());
    let disk = Disk::with(&whole);
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
    let file = File::options().read(true).append(true).open(disk.path()).unwrap();
    let refused = unlocked.rewrap(&file, &unlocked.slots().unwrap());
    #[cfg(target_os = "linux")]
    assert!(matches!(refused, Err(Error::AppendMode)), "{refused:?}");
    if refused.is_err() {
        assert_eq!(disk.bytes(), whole);
    }
}

/// A file that cannot be written to is left as it was.
#[test]
fn read_only_file() {
    let disk = Disk::with(&container(&envelope()));
    let before = disk.bytes();
    let (unlocked, _) = unlock(&disk.path(), &Secret::Key(&key(RECOVERY))).unwrap();
    let refused = unlocked.rewrap(&File::open(disk.path()).unwrap(), &unlocked.slots().unwrap());
    assert!(matches!(refused, Err(Error::Container(bulla::Error::Io(_)))));
    assert_eq!(disk.bytes(), before);
}
