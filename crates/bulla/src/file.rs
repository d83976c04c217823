//! Whole files.

use std::fs::File;
use std::io::Write;
use std::slice;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::io::file::{InTurn, check_written, cut_back_on_error};
use crate::io::read_at::read_full_at;
use crate::opening::opener::Opener;
use crate::opening::preamble::{Opened, Preamble};
use crate::opening::range::RangeReader;
use crate::options::Options;
use crate::sealing::draft::{Draft, Sealed};
use crate::sealing::plan::Plan;

/// Seals all of `input` into `output`.
///
/// Give `output` a temporary name, and rename it when this has returned `Ok` and the file was
/// synced: so there is never a half-written container under its final name. `output` must be empty,
/// and if it is a regular file it must not be open for appending.
///
/// If both are regular files, extents are read, sealed and written on all workers. A pipe, a
/// device, or a file that states no length (in `/proc`, say) goes by way of a
/// [`Sealer`](crate::Sealer), from where it stands; a regular `input` is read from its beginning.
///
/// The length of a regular file is fixed when this starts. If it grows meanwhile it is cut there,
/// which [`Sealed::source_grew`] reports.
///
/// # Errors
///
/// [`Error::SourceShrank`], [`Error::TooLarge`], [`Error::NoRandomness`], [`Error::Cancelled`],
/// [`Error::Io`]. Then a regular `output` is empty again.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Key, Options};
/// # let directory = tempfile::tempdir()?;
/// # let target = directory.path().join("notes.bulla");
/// # let source = directory.path().join("notes.txt");
/// # std::fs::write(&source, "remember the clay")?;
/// let key = Key::generate()?;
/// let input = std::fs::File::open(&source)?;
/// let output = tempfile::NamedTempFile::new_in(directory.path())?;
/// bulla::seal_file(&key, &input, output.as_file(), &Options::new())?;
/// output.as_file().sync_all()?;
/// output.persist_noclobber(&target)?;
/// # Ok(()) }
/// ```
pub fn seal_file(key: &Key, input: &File, output: &File, options: &Options<'_>) -> Result<Sealed> {
    Draft::new(key, options)?.seal_file(input, output)
}

/// Opens the container in `input` into `output`.
///
/// As with [`seal_file`], give `output` a temporary name until this has returned `Ok`: so there is
/// never a file under its final name of which not every byte was verified.
///
/// If both are regular files, extents are read, opened and written on all workers. A regular
/// `input` is first checked for its length, and a damaged header is made up for by the footer, also
/// if `output` is a pipe.
///
/// # Errors
///
/// As [`RangeReader::new`] and [`RangeReader::verify`]. Then a regular `output` is empty again; to
/// anything else, a verified prefix may have been written.
pub fn open_file(key: &Key, input: &File, output: &File, options: &Options<'_>) -> Result<Opened> {
    cut_back_on_error(output, || {
        let Some(_) = known_len(input)? else {
            return Opener::new(key, input, options)?.copy_to(&mut &*output);
        };
        let preamble = Preamble::read_at(input)?;
        let reader = RangeReader::for_all(preamble, key, input, options)?;
        if output.metadata()?.is_file() {
            output.set_len(reader.len())?;
            let all = 0..reader.len();
            let in_turn = InTurn::new(output);
            reader.for_each_extent(slice::from_ref(&all), |at, plaintext| {
                Ok(in_turn.write(plaintext, at)?)
            })?;
            check_written(output, reader.len())?;
            return Ok(reader.opened());
        }
        let mut output = output;
        reader.for_each_in_order(|plaintext| Ok(output.write_all(plaintext)?))?;
        Ok(reader.opened())
    })
}

impl Draft<'_> {
    /// Seals all of `input` into `output`, as [`seal_file`] does.
    ///
    /// # Errors
    ///
    /// As [`seal_file`].
    pub fn seal_file(self, mut input: &File, output: &File) -> Result<Sealed> {
        cut_back_on_error(output, || {
            let Some(len) = known_len(input)? else {
                let mut sealer = self.sealer(output)?;
                sealer.copy_from(&mut input)?;
                return Ok(sealer.finish()?.1);
            };
            let sealed = self.seal_plan(&Whole { input, len }, output)?;
            let source_grew = read_full_at(input, &mut [0], len)? > 0;
            Ok(Sealed { source_grew, ..sealed })
        })
    }
}

/// All of a file, as long as it was.
struct Whole<'f> {
    input: &'f File,
    len: u64,
}

impl Plan for Whole<'_> {
    fn planned_len(&self) -> u64 {
        self.len
    }

    fn fill(&self, slots: &mut [&mut [u8]], mut offset: u64) -> Result<()> {
        for slot in slots {
            let read = read_full_at(self.input, slot, offset)?;
            offset += read as u64;
            if read < slot.len() {
                return Err(Error::SourceShrank { planned: self.len, found: offset });
            }
        }
        Ok(())
    }
}

/// The length of a file that can be read at an offset and states one. A file in `/proc` states 0
/// and holds more, so 0 counts as unknown.
fn known_len(file: &File) -> Result<Option<u64>> {
    let metadata = file.metadata()?;
    Ok(Some(metadata.len()).filter(|len| metadata.is_file() && *len > 0))
}
