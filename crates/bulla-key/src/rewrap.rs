//! Changes the envelope of a container in place, so that at every moment the old slots or the new ones open it.

use std::fs::File;
use std::io;

use bulla::{Copies, Options, Preamble, RangeReader};

use crate::envelope::{Envelope, choose};
use crate::error::{Error, Result};
use crate::slots::Slots;
use crate::unlocked::Unlocked;

/// Bytes before the first copy, and behind the second: the header and the footer (FORMAT.md, 2).
const HEADER_LEN: u64 = 128;

impl Unlocked {
    /// Writes these slots into both copies of the envelope in a container's file, which is to be open for reading and writing. The
    /// data is not touched, and it takes two synced writes, or three if the first copy has to be mended before.
    ///
    /// Whatever stops it, a reader finds the old slots or the new ones, whole; and once this has returned, the new ones. If it failed,
    /// read the envelope anew before the next attempt. Two at once are noticed in most cases only: lock the file if there may be others.
    ///
    /// # Errors
    ///
    /// As [`Unlocked::seal`]; [`Error::AnotherContainer`] if this is not the container that was opened; [`Error::NoRoom`] if no room
    /// of this length is reserved in it; [`Error::Outdated`] if its envelope was rewritten since it was read;
    /// [`Error::NotInPlace`]; [`Error::Container`] if reading, writing or syncing failed, or if the container's end is
    /// damaged, so that the place of the second copy is not sure.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bulla::{Draft, Key, Options, Preamble};
    /// use bulla_key::{Envelope, Passphrase, PassphraseCost, Secret, Slots};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("backup.bulla");
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
            (container_len.checked_sub(HEADER_LEN + new.len() as u64), second)
        else {
            return Err(bulla::Error::Truncated { after: 0 }.into());
        };
        let current = choose(first, Some(second)).ok().map(|(envelope, _)| envelope);
        let mut patches = Vec::new();
        if let Some(current) = &current {
            self.check_revision(current, new)?;
            // The second copy is about to be written, so it must not be the only one that is up to date.
            if current.bytes() != first {
                patches.push(Patch { offset: HEADER_LEN, bytes: current.bytes().to_vec() });
            }
        }
        patches.push(Patch { offset: second_at, bytes: new.to_vec() });
        patches.push(Patch { offset: HEADER_LEN, bytes: new.to_vec() });
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

    /// The second copy lies where the end of the container says. If no footer stands there, only the last chunk can tell whether
    /// something is missing, and a patch would hit a chunk.
    fn make_sure_of_the_end(&self, preamble: Preamble, file: &File) -> Result<()> {
        if matches!(preamble.copies(), Some(Copies::Intact | Copies::HeaderDamaged)) {
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

fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        #[cfg(unix)]
        let written = std::os::unix::fs::FileExt::write_at(file, bytes, offset);
        #[cfg(windows)]
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset);
        match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
