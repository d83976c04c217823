//! Whole files: positional, parallel, each extent run to completion on one thread.
//!
//! A thread reads about 1 MiB, seals or opens it in place, writes it, and takes the next. Nothing is handed over between
//! threads; that is how sealing a file becomes faster than copying it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use crate::chunk::Tickets;
use crate::draft::{Draft, Sealed};
use crate::error::{Error, Result};
use crate::extents::{EXTENT_LEN, for_each};
use crate::key::Key;
use crate::opener::Opener;
use crate::options::Options;
use crate::preamble::{Opened, Preamble};
use crate::range::RangeReader;
use crate::read_at::{read_full_at, write_all_at};
use crate::run::seal_run;

/// Seals all of `input` into `output`.
///
/// Give `output` a temporary name, and rename it when this has returned `Ok` and the file was synced: so
/// there is never a half-written container under its final name. `output` must be empty, and if it is a regular file it must not be
/// open for appending.
///
/// If both are regular files, extents are read, sealed and written on all workers. A pipe, a device, or a file that states no
/// length (in `/proc`, say) goes by way of a [`Sealer`](crate::Sealer), from where it stands; a regular `input` is read from its
/// beginning.
///
/// The length of a regular file is fixed when this starts. If it grows meanwhile it is cut there, which
/// [`Sealed::source_grew`] reports.
///
/// # Errors
///
/// [`Error::SourceShrank`], [`Error::TooLarge`], [`Error::NoRandomness`], [`Error::Cancelled`], [`Error::Io`]. Then a regular
/// `output` is empty again.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bulla::{Key, Options};
/// # let folder = tempfile::tempdir()?;
/// # let target = folder.path().join("notes.bulla");
/// # let source = folder.path().join("notes.txt");
/// # std::fs::write(&source, "remember the clay")?;
/// let key = Key::generate()?;
/// let input = std::fs::File::open(&source)?;
/// let output = tempfile::NamedTempFile::new_in(folder.path())?;
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
/// As with [`seal_file`], give `output` a temporary name until this has returned `Ok`: so there is never a file under its
/// final name of which not every byte was verified.
///
/// If both are regular files, extents are read, opened and written on all workers. A regular `input` is first checked for
/// its length, and a damaged header is made up for by the footer, also if `output` is a pipe.
///
/// # Errors
///
/// As [`RangeReader::new`] and [`RangeReader::verify`]. Then a regular `output` is empty again; to anything else, a verified prefix
/// may have been written.
pub fn open_file(key: &Key, input: &File, output: &File, options: &Options<'_>) -> Result<Opened> {
    cut_back_on_error(output, || {
        let Some(_) = known_len(input)? else {
            return Opener::new(key, input, options)?.copy_to(&mut &*output);
        };
        let preamble = Preamble::read_at(input)?;
        let reader = RangeReader::for_all(preamble.clone(), key, input, options)?;
        if output.metadata()?.is_file() {
            open_extents(&reader, output, options)?;
            return Ok(reader.opened());
        }
        let mut input = input;
        input.seek(SeekFrom::Start(preamble.header().layout().head_len()))?;
        Opener::with_preamble(preamble, key, input, options)?.copy_to(&mut &*output)
    })
}

impl Draft<'_> {
    /// Seals all of `input` into `output`, as [`seal_file`] does.
    ///
    /// # Errors
    ///
    /// As [`seal_file`].
    pub fn seal_file(self, input: &File, output: &File) -> Result<Sealed> {
        cut_back_on_error(output, || match known_len(input)? {
            Some(len) if output.metadata()?.is_file() => self.seal_extents(input, output, len),
            len => self.seal_stream(input, output, len),
        })
    }

    fn seal_stream(self, mut input: &File, mut output: &File, len: Option<u64>) -> Result<Sealed> {
        let mut sealer = self.sealer(&mut output)?;
        let Some(planned) = len else {
            sealer.copy_from(&mut input)?;
            return Ok(sealer.finish()?.1);
        };
        input.rewind()?;
        let found = sealer.copy_from(&mut input.take(planned))?;
        if found < planned {
            return Err(Error::SourceShrank { planned, found });
        }
        let (_, sealed) = sealer.finish()?;
        Ok(Sealed { source_grew: input.read(&mut [0])? > 0, ..sealed })
    }

    fn seal_extents(self, input: &File, output: &File, len: u64) -> Result<Sealed> {
        let layout = self.header.layout();
        let body = layout.body_of_plaintext(len)?;
        let container_len = layout.container_len(&body);
        output.set_len(container_len)?;
        write_all_at(output, &self.head(), 0)?;

        let extents = Extents {
            tickets: self.cipher.tickets(body.chunks())?,
            step: layout.chunk.per(EXTENT_LEN) as u64,
        };
        let Options { workers, progress, .. } = &self.options;
        for_each(workers, *progress, extents, Zeroizing::<Vec<u8>>::default, |buffer, tickets| {
            let first = tickets.first();
            let chunks = first..first + tickets.len();
            buffer.resize(tickets.len() as usize * layout.chunk.sealed(), 0);
            let mut plain_len = 0;
            for (index, slot) in chunks.zip(buffer.chunks_mut(layout.chunk.sealed())) {
                let room = &mut slot[..body.plain_len(index)];
                let at = index << layout.chunk.log2();
                let read = read_full_at(input, room, at)?;
                if read < room.len() {
                    let found = at + read as u64;
                    return Err(Error::SourceShrank { planned: len, found });
                }
                plain_len += read;
            }
            // From here on only the ciphertext is retried: what was read lies in a buffer of this thread's own (F-6.1).
            let sealed_len = seal_run(&self.cipher, tickets, layout.chunk, plain_len, buffer);
            write_all_at(output, &buffer[..sealed_len], layout.chunk_offset(first))?;
            Ok(plain_len as u64)
        })?;

        let source_grew = read_full_at(input, &mut [0], len)? > 0;
        write_all_at(output, &self.tail(container_len), container_len - layout.tail_len())?;
        check_written(output, container_len)?;
        Ok(Sealed { header: self.header, plaintext_len: len, container_len, source_grew })
    }
}

fn open_extents(reader: &RangeReader<'_, &File>, output: &File, options: &Options<'_>) -> Result<()> {
    output.set_len(reader.len())?;
    let log2 = reader.opened().header.chunk_size().log2();
    for_each(
        &options.workers,
        options.progress,
        reader.all_extents(),
        Zeroizing::default,
        |scratch, chunks| {
            let at = chunks.start << log2;
            let plaintext = reader.open_chunks(chunks, scratch)?;
            write_all_at(output, plaintext, at)?;
            Ok(plaintext.len() as u64)
        },
    )?;
    check_written(output, reader.len())
}

/// The tickets of a container, an extent's worth at a time: taking an extent is taking the right to seal it.
struct Extents {
    tickets: Tickets,
    step: u64,
}

impl Iterator for Extents {
    type Item = Tickets;

    fn next(&mut self) -> Option<Tickets> {
        (self.tickets.len() > 0).then(|| self.tickets.take_off(self.step))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.tickets.len().div_ceil(self.step)).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Extents {}

/// The length of a file that can be read at an offset and states one. A file in `/proc` states 0 and holds more, so 0
/// counts as unknown.
fn known_len(file: &File) -> Result<Option<u64>> {
    let metadata = file.metadata()?;
    Ok(Some(metadata.len()).filter(|len| metadata.is_file() && *len > 0))
}

/// An output that is open for appending takes every write at its end, whatever the offset; it is too long then.
fn check_written(output: &File, len: u64) -> Result<()> {
    if output.metadata()?.len() == len {
        Ok(())
    } else {
        Err(io::Error::other(
            "the output does not have the length that was written; is it open for appending?",
        )
        .into())
    }
}

/// Runs `work` if a regular `output` is empty, and empties it again if that fails.
fn cut_back_on_error<T>(output: &File, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let metadata = output.metadata()?;
    if metadata.is_file() && metadata.len() > 0 {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the output is not empty").into());
    }
    work().inspect_err(|_| {
        if metadata.is_file() {
            // The first error is the one to tell; a caller that removes the file loses nothing by this one.
            let _ = output.set_len(0);
        }
    })
}
