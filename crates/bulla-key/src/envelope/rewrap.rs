//! Rewrites a container's envelope in place, so that at every moment either the old slots or the
//! new ones open it (ENVELOPE.md, section 6).

use std::fs::File;

use bulla::{Header, HeaderState, Options, Preamble, RangeReader, write_all_at};

use super::parse::{Envelope, select_copy};
use super::slots::Slots;
use super::unlocked::Unlocked;
use crate::error::{Error, Result};

/// The offset of the envelope's first copy (FORMAT.md, F-2.1).
const FIRST_COPY: u64 = Header::LEN as u64;

impl Unlocked {
    /// Writes these slots to both copies of the envelope in a container's file.
    ///
    /// The file must be open for reading and writing. The data is not touched. The rewrite takes
    /// two synced writes, or three if the first copy has to be repaired.
    ///
    /// If the rewrite is interrupted at any point, either the old envelope or the new one remains
    /// readable. Once this method has returned successfully, the new envelope is durable. After an
    /// error, read the envelope again before retrying. Concurrent rewrites are not always detected,
    /// so callers that may race must lock the file.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Unlocked::seal`], and [`Error::AnotherContainer`] if this is
    /// not the container that was opened; [`Error::NoRoom`] if the container does not reserve
    /// enough room; [`Error::Outdated`] if the envelope has been rewritten since it was read;
    /// [`Error::AppendMode`] if the file is open in append mode; or [`Error::Container`] if
    /// reading, writing or syncing fails, or if the container's end is damaged so that the position
    /// of the second copy is uncertain.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bulla::{Draft, Key, Options, Preamble};
    /// use bulla_key::{Envelope, Passphrase, PassphraseCost, Secret, Slots};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("backup.bulla");
    /// # let (container_key, recovery_key) = (Key::generate()?, Key::generate()?);
    /// # let options = Options::new().envelope_len(Envelope::DEFAULT_LEN);
    /// # let draft = Draft::new(&container_key, &options)?;
    /// # let mut slots = Slots::new();
    /// # slots.add_recovery_key(&recovery_key)?;
    /// # let envelope = slots.seal(&draft, &container_key)?;
    /// # std::fs::write(&path, draft.envelope(&envelope)?.seal(b"a message")?)?;
    /// let passphrase = Passphrase::new("correct horse battery staple")?;
    ///
    /// let file = std::fs::File::options().read(true).write(true).open(&path)?;
    /// let preamble = Preamble::read_at(&file)?;
    /// let (envelope, _) = Envelope::from_preamble(&preamble)?;
    /// let unlocked = envelope.open(&Secret::Key(&recovery_key), preamble.header(), None)?;
    ///
    /// let mut slots = unlocked.slots()?;
    /// let cost = PassphraseCost::new(1, 64, 1)?; // for this example; prefer the default
    /// slots.add_passphrase(&passphrase, cost)?;
    /// unlocked.rewrap(&file, &slots)?;
    ///
    /// let preamble = Preamble::read_at(&file)?;
    /// let (envelope, _) = Envelope::from_preamble(&preamble)?;
    /// assert!(envelope.open(&Secret::Passphrase(&passphrase), preamble.header(), None).is_ok());
    /// # Ok(()) }
    /// ```
    pub fn rewrap(&self, file: &File, slots: &Slots) -> Result<()> {
        // Seal first, because sealing may be slow and the state of the file should be read as late
        // as possible.
        let new = self.seal_with_len(slots, self.header.envelope_len() as usize)?;
        let preamble = Preamble::read_at(file)?;
        if preamble.header().bound() != self.header.bound() {
            return Err(Error::AnotherContainer);
        }
        let len = file.metadata()?.len();
        let patches = self.patches(&preamble, len, &new)?;
        self.verify_end(preamble, file)?;
        for patch in &patches {
            write_all_at(file, &patch.bytes, patch.offset)?;
            if file.metadata()?.len() != len {
                file.set_len(len)?;
                return Err(Error::AppendMode);
            }
            file.sync_all()?;
        }
        Ok(())
    }

    /// Returns the writes to make in order, each synced before the next (E-6.1, E-6.2).
    fn patches(&self, preamble: &Preamble, container_len: u64, new: &[u8]) -> Result<Vec<Patch>> {
        let (first, second) = (preamble.envelope(), preamble.envelope_copy());
        let (Some(second_at), Some(second)) =
            (preamble.header().envelope_copy_offset(container_len), second)
        else {
            return Err(bulla::Error::Truncated { after: 0 }.into());
        };
        let current = select_copy(first, Some(second)).ok().map(|(envelope, _)| envelope);
        let mut patches = Vec::new();
        if let Some(current) = &current {
            self.check_revision(current, new)?;
            // The second copy is overwritten next, so it must not be the only current copy.
            if current.bytes() != first {
                patches.push(Patch { offset: FIRST_COPY, bytes: current.bytes().to_vec() });
            }
        }
        patches.push(Patch { offset: second_at, bytes: new.to_vec() });
        patches.push(Patch { offset: FIRST_COPY, bytes: new.to_vec() });
        Ok(patches)
    }

    /// Checks that the envelope to be overwritten is the one that was opened, or older than its
    /// replacement (E-6.3).
    fn check_revision(&self, current: &Envelope, new: &[u8]) -> Result<()> {
        let given = Envelope::parse(new)?.revision();
        if current.bytes() == self.envelope.bytes() || current.revision() < given {
            Ok(())
        } else {
            Err(Error::Outdated { found: current.revision(), given })
        }
    }

    /// Checks that the container ends where the file ends, because the file's length gives the
    /// position of the second copy.
    ///
    /// Without a valid footer, only the last chunk proves that nothing is missing. If the end were
    /// missing, the write would overwrite a chunk.
    fn verify_end(&self, preamble: Preamble, file: &File) -> Result<()> {
        if matches!(preamble.header_state(), Some(HeaderState::Intact | HeaderState::HeaderDamaged))
        {
            return Ok(());
        }
        let options = match &self.context {
            Some(context) => Options::new().context(context),
            None => Options::new(),
        };
        RangeReader::with_preamble(preamble, self.key(), file, &options)?;
        Ok(())
    }
}

/// Bytes to write at an offset.
struct Patch {
    offset: u64,
    bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use bulla::{Draft, Key};

    use super::*;
    use crate::envelope::parse::Secret;

    /// Length of the envelope in bytes, slightly more than its slots need.
    const LEN: usize = 400;
    const SECTOR: usize = 64;

    /// A container on disk, with the keys that open its old envelope and its new one.
    struct Rewrite {
        container: Vec<u8>,
        unlocked: Unlocked,
        old_key: Key,
        new_key: Key,
        new: Vec<u8>,
    }

    /// Makes the first and the second copy from two revisions. The older revision is the first
    /// argument.
    type MakeCopies = fn(&[u8], &[u8]) -> (Vec<u8>, Vec<u8>);

    fn key(byte: u8) -> Key {
        Key::from_bytes(&[byte; 32])
    }

    /// Creates a container with two envelope copies, which `copies` makes from two successive
    /// revisions.
    fn rewrite(copies: impl FnOnce(&[u8], &[u8]) -> (Vec<u8>, Vec<u8>)) -> Rewrite {
        let [container_key, oldest, old_key, new_key] = [1, 2, 3, 4].map(key);
        let draft = Draft::new(&container_key, &Options::new().envelope_len(LEN as u32)).unwrap();
        let with = |key: &Key| {
            let mut slots = Slots::new();
            slots.add_recovery_key(key).unwrap();
            slots
        };
        let older = with(&oldest).seal(&draft, &container_key).unwrap();
        let header = draft.header().clone();
        let open = |envelope: &[u8], key: &Key| {
            Envelope::parse(envelope).unwrap().open(&Secret::Key(key), &header, None).unwrap()
        };
        let old = open(&older, &oldest).seal(&with(&old_key)).unwrap();
        let unlocked = open(&old, &old_key);
        let new = unlocked.seal(&with(&new_key)).unwrap();

        let mut container = draft.seal(b"a message").unwrap().to_vec();
        let (first, second) = copies(&older, &old);
        let at = container.len() - 128 - LEN;
        container[128..128 + LEN].copy_from_slice(&first);
        container[at..at + LEN].copy_from_slice(&second);
        Rewrite { container, unlocked, old_key, new_key, new }
    }

    /// Returns the copy that results if only the first half of a write reaches the disk.
    fn torn(before: &[u8], after: &[u8]) -> Vec<u8> {
        [&after[..LEN / 2], &before[LEN / 2..]].concat()
    }

    impl Rewrite {
        fn patches(&self) -> Vec<Patch> {
            let preamble = Preamble::read_at(&self.container).unwrap();
            self.unlocked.patches(&preamble, self.container.len() as u64, &self.new).unwrap()
        }

        /// Opens the container as it is on the disk, and returns whether its envelope is the new
        /// one.
        fn is_new(&self, disk: &[u8]) -> bool {
            let preamble = Preamble::read_at(disk).unwrap();
            let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
            let is_new = envelope.matches(&self.new_key);
            let key = if is_new { &self.new_key } else { &self.old_key };
            let unlocked = envelope.open(&Secret::Key(key), preamble.header(), None).unwrap();
            assert!(unlocked.is_intact());
            let (plaintext, _) = bulla::open(unlocked.key(), disk, &Options::new()).unwrap();
            assert_eq!(plaintext, &b"a message"[..]);
            is_new
        }

        /// Checks every state that a crash can leave. One write is incomplete, and all earlier
        /// writes are complete because they were synced. Returns the number of states.
        fn crash_everywhere(&self) -> usize {
            let mut states = 0;
            let mut disk = self.container.clone();
            let mut was_new = self.is_new(&disk);
            assert!(!was_new);
            for patch in self.patches() {
                let at = patch.offset as usize;
                let mut state = |written: &dyn Fn(usize) -> bool| {
                    let mut crashed = disk.clone();
                    for (i, byte) in patch.bytes.iter().enumerate().filter(|(i, _)| written(*i)) {
                        crashed[at + i] = *byte;
                    }
                    states += 1;
                    self.is_new(&crashed)
                };
                for len in 0..=patch.bytes.len() {
                    // A prefix or a suffix of the write reached the disk.
                    let forwards = state(&|i| i < len);
                    let backwards = state(&|i| i >= patch.bytes.len() - len);
                    // The old envelope never becomes authoritative again.
                    assert!(forwards >= was_new && backwards >= was_new);
                }
                // Any subset of the sectors reached the disk.
                let sectors = patch.bytes.len().div_ceil(SECTOR);
                for subset in 0..1_u32 << sectors {
                    assert!(state(&|i| subset >> (i / SECTOR) & 1 == 1) >= was_new);
                }
                disk[at..at + patch.bytes.len()].copy_from_slice(&patch.bytes);
                was_new = self.is_new(&disk);
            }
            assert!(was_new);
            let preamble = Preamble::read_at(&disk).unwrap();
            assert_eq!(
                (preamble.envelope(), preamble.envelope_copy()),
                (&self.new[..], Some(&self.new[..]))
            );
            states
        }
    }

    /// E-6.1, E-6.2: after a crash at any point, either the old envelope or the new one opens the
    /// container.
    #[test]
    fn survives_a_crash_at_any_point() {
        let sound = rewrite(|_, old| (old.to_vec(), old.to_vec()));
        assert_eq!(sound.patches().len(), 2);
        assert_eq!(sound.crash_everywhere(), 2 * (2 * (LEN + 1) + (1 << 7)));
    }

    /// E-6.1: the same holds if an earlier crash left only one current copy.
    #[test]
    fn survives_a_crash_after_a_crash() {
        let cases: [(MakeCopies, usize); 5] = [
            (|older, old| (older.to_vec(), old.to_vec()), 3),
            (|older, old| (torn(older, old), old.to_vec()), 3),
            (|_, old| (vec![0; old.len()], old.to_vec()), 3),
            (|older, old| (old.to_vec(), torn(older, old)), 2),
            (|older, old| (old.to_vec(), older.to_vec()), 2),
        ];
        for (copies, writes) in cases {
            let rewrite = rewrite(copies);
            assert_eq!(rewrite.patches().len(), writes);
            rewrite.crash_everywhere();
        }
    }

    /// E-6.1: without repairing the first copy, a crash could bring back an older envelope. This
    /// shows that the tests above can fail.
    #[test]
    fn repair_of_the_first_copy_is_needed() {
        let rewrite = rewrite(|older, old| (older.to_vec(), old.to_vec()));
        let second = &rewrite.patches()[1];
        let mut disk = rewrite.container.clone();
        let at = second.offset as usize;
        disk[at..at + LEN / 2].copy_from_slice(&second.bytes[..LEN / 2]);
        let preamble = Preamble::read_at(&disk).unwrap();
        let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
        assert!(!envelope.matches(&rewrite.old_key) && !envelope.matches(&rewrite.new_key));
    }
}
