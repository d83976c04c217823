//! Changes the envelope of a container in place, so that at every moment the old slots or the new
//! ones open it.

use std::fs::File;

use bulla::{Header, HeaderState, Options, Preamble, RangeReader, write_all_at};

use crate::envelope::{Envelope, choose};
use crate::error::{Error, Result};
use crate::slots::Slots;
use crate::unlocked::Unlocked;

/// The offset of the envelope's first copy (FORMAT.md, F-2.1).
const FIRST_COPY: u64 = Header::LEN as u64;

impl Unlocked {
    /// Writes these slots into both copies of the envelope in a container's file, which is to be
    /// open for reading and writing. The data is not touched, and it takes two synced writes,
    /// or three if the first copy has to be mended before.
    ///
    /// Whatever stops it, a reader finds the old slots or the new ones, whole; and once this has
    /// returned, the new ones. If it failed, read the envelope anew before the next attempt.
    /// Two at once are noticed in most cases only: lock the file if there may be others.
    ///
    /// # Errors
    ///
    /// As [`Unlocked::seal`]; [`Error::AnotherContainer`] if this is not the container that was
    /// opened; [`Error::NoRoom`] if no room of this length is reserved in it;
    /// [`Error::Outdated`] if its envelope was rewritten since it was read;
    /// [`Error::NotInPlace`]; [`Error::Container`] if reading, writing or syncing failed, or if the
    /// container's end is damaged, so that the place of the second copy is not sure.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bulla::{Draft, Key, Options, Preamble};
    /// use bulla_key::{Envelope, Passphrase, PassphraseCost, Secret, Slots};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("backup.bulla");
    /// # let (container_key, recovery_key) = (Key::generate()?, Key::generate()?);
    /// # let draft = Draft::new(&container_key, &Options::new().envelope_len(Envelope::DEFAULT_LEN))?;
    /// # let mut slots = Slots::new();
    /// # slots.add_recovery_key(&recovery_key)?;
    /// # let envelope = slots.seal(&draft, &container_key)?;
    /// # std::fs::write(&path, draft.envelope(&envelope)?.seal(b"a message")?)?;
    /// # let passphrase = Passphrase::new("correct horse battery staple")?;
    ///
    /// let file = std::fs::File::options().read(true).write(true).open(&path)?;
    /// let preamble = Preamble::read_at(&file)?;
    /// let (envelope, _) = Envelope::of(&preamble)?;
    /// let unlocked = envelope.open(&Secret::Key(&recovery_key), preamble.header(), None)?;
    ///
    /// let mut slots = unlocked.slots()?;
    /// slots.add_passphrase(&passphrase, PassphraseCost::new(1, 64, 1)?)?; // the default, unless in an example
    /// unlocked.rewrap(&file, &slots)?;
    ///
    /// let preamble = Preamble::read_at(&file)?;
    /// let (envelope, _) = Envelope::of(&preamble)?;
    /// assert!(envelope.open(&Secret::Passphrase(&passphrase), preamble.header(), None).is_ok());
    /// # Ok(()) }
    /// ```
    pub fn rewrap(&self, file: &File, slots: &Slots) -> Result<()> {
        // First, because it may take long; then what is read stays true for longer.
        let new = self.seal_with_len(slots, self.header.envelope_len() as usize)?;
        let preamble = Preamble::read_at(file)?;
        if preamble.header().bound() != self.header.bound() {
            return Err(Error::AnotherContainer);
        }
        let len = file.metadata()?.len();
        let patches = self.patches(&preamble, len, &new)?;
        self.make_sure_of_the_end(preamble, file)?;
        for patch in &patches {
            write_all_at(file, &patch.bytes, patch.offset)?;
            if file.metadata()?.len() != len {
                file.set_len(len)?;
                return Err(Error::NotInPlace);
            }
            file.sync_all()?;
        }
        Ok(())
    }

    /// What to write, one after the other, each synced before the next (E-6.1, E-6.2).
    fn patches(&self, preamble: &Preamble, container_len: u64, new: &[u8]) -> Result<Vec<Patch>> {
        let (first, second) = (preamble.envelope(), preamble.envelope_copy());
        let (Some(second_at), Some(second)) =
            (preamble.header().envelope_copy_offset(container_len), second)
        else {
            return Err(bulla::Error::Truncated { after: 0 }.into());
        };
        let current = choose(first, Some(second)).ok().map(|(envelope, _)| envelope);
        let mut patches = Vec::new();
        if let Some(current) = &current {
            self.check_revision(current, new)?;
            // The second copy is about to be written, so it must not be the only one that is up to
            // date.
            if current.bytes() != first {
                patches.push(Patch { offset: FIRST_COPY, bytes: current.bytes().to_vec() });
            }
        }
        patches.push(Patch { offset: second_at, bytes: new.to_vec() });
        patches.push(Patch { offset: FIRST_COPY, bytes: new.to_vec() });
        Ok(patches)
    }

    /// What is overwritten is what was opened, or older than what replaces it (E-6.3).
    fn check_revision(&self, current: &Envelope, new: &[u8]) -> Result<()> {
        let given = Envelope::parse(new)?.revision();
        if current.bytes() == self.envelope.bytes() || current.revision() < given {
            Ok(())
        } else {
            Err(Error::Outdated { found: current.revision(), given })
        }
    }

    /// The second copy lies where the end of the container says. If no footer stands there, only
    /// the last chunk can tell whether something is missing, and a patch would hit a chunk.
    fn make_sure_of_the_end(&self, preamble: Preamble, file: &File) -> Result<()> {
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

/// Bytes to be written in one place.
struct Patch {
    offset: u64,
    bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use bulla::{Draft, Key};

    use super::*;
    use crate::envelope::Secret;

    /// Bytes of envelope, little more than its two slots take.
    const LEN: usize = 400;
    const SECTOR: usize = 64;

    /// A container as it lies on a disk, with the keys that open its old envelope and its new one.
    struct Rewriting {
        container: Vec<u8>,
        unlocked: Unlocked,
        old_key: Key,
        new_key: Key,
        new: Vec<u8>,
    }

    /// Makes the two copies of two revisions, the older one first.
    type MakeCopies = fn(&[u8], &[u8]) -> (Vec<u8>, Vec<u8>);

    fn key(byte: u8) -> Key {
        Key::from_bytes(&[byte; 32])
    }

    /// `older` and `old` are two revisions; the copies are made of them and of what a torn write
    /// leaves.
    fn rewriting(copies: impl FnOnce(&[u8], &[u8]) -> (Vec<u8>, Vec<u8>)) -> Rewriting {
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
        Rewriting { container, unlocked, old_key, new_key, new }
    }

    /// A copy of which a write has reached the disk in part.
    fn torn(before: &[u8], after: &[u8]) -> Vec<u8> {
        [&after[..LEN / 2], &before[LEN / 2..]].concat()
    }

    impl Rewriting {
        fn patches(&self) -> Vec<Patch> {
            let preamble = Preamble::read_at(&self.container).unwrap();
            self.unlocked.patches(&preamble, self.container.len() as u64, &self.new).unwrap()
        }

        /// Whether the new envelope counts in this state of the disk; if not, the old one does.
        fn is_new(&self, disk: &[u8]) -> bool {
            let preamble = Preamble::read_at(disk).unwrap();
            let (envelope, _) = Envelope::of(&preamble).unwrap();
            let is_new = envelope.matches(&self.new_key);
            let key = if is_new { &self.new_key } else { &self.old_key };
            let unlocked = envelope.open(&Secret::Key(key), preamble.header(), None).unwrap();
            assert!(unlocked.is_intact());
            let (plaintext, _) = bulla::open(unlocked.key(), disk, &Options::new()).unwrap();
            assert_eq!(plaintext, &b"a message"[..]);
            is_new
        }

        /// Every state that a crash can leave: each write in part, the ones before it whole, for
        /// they were synced.
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
                    // In order, backwards, and what reached the disk is a sector more or less.
                    let forwards = state(&|i| i < len);
                    let backwards = state(&|i| i >= patch.bytes.len() - len);
                    // Never back to the old one.
                    assert!(forwards >= was_new && backwards >= was_new);
                }
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

    /// E-6.1, E-6.2: whatever a crash leaves of the writes, the old envelope or the new one opens
    /// the container.
    #[test]
    fn crashes_from_a_sound_container() {
        let sound = rewriting(|_, old| (old.to_vec(), old.to_vec()));
        assert_eq!(sound.patches().len(), 2);
        assert_eq!(sound.crash_everywhere(), 2 * (2 * (LEN + 1) + (1 << 7)));
    }

    /// E-6.1: the same from every state that such a crash has left, where the second copy may be
    /// the only one that is up to date.
    #[test]
    fn crashes_after_crashes() {
        let cases: [(MakeCopies, usize); 5] = [
            (|older, old| (older.to_vec(), old.to_vec()), 3),
            (|older, old| (torn(older, old), old.to_vec()), 3),
            (|_, old| (vec![0; old.len()], old.to_vec()), 3),
            (|older, old| (old.to_vec(), torn(older, old)), 2),
            (|older, old| (old.to_vec(), older.to_vec()), 2),
        ];
        for (copies, writes) in cases {
            let rewriting = rewriting(copies);
            assert_eq!(rewriting.patches().len(), writes);
            rewriting.crash_everywhere();
        }
    }

    /// Without the mending of E-6.1, a crash would bring back an envelope from before: the test
    /// above has teeth.
    #[test]
    fn mending_is_needed() {
        let rewriting = rewriting(|older, old| (older.to_vec(), old.to_vec()));
        let second = &rewriting.patches()[1];
        let mut disk = rewriting.container.clone();
        let at = second.offset as usize;
        disk[at..at + LEN / 2].copy_from_slice(&second.bytes[..LEN / 2]);
        let preamble = Preamble::read_at(&disk).unwrap();
        let (envelope, _) = Envelope::of(&preamble).unwrap();
        assert!(!envelope.matches(&rewriting.old_key) && !envelope.matches(&rewriting.new_key));
    }
}
