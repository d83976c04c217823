//! Opens a container file into another file.

use std::fs::File;
use std::io::Write;
use std::slice;

use zeroize::Zeroizing;

use crate::crypto::key::Key;
use crate::error::Result;
use crate::io::file::{SerializedWriter, check_file_len, known_len, truncate_on_error};
use crate::opening::opener::Opener;
use crate::opening::preamble::{Opened, Preamble};
use crate::opening::range::RangeReader;
use crate::options::Options;
use crate::parallel::ordered::for_each_in_order;

/// Opens the container in `input` into `output`.
///
/// `output` must be empty and, if it is a regular file, not open in append mode. Write to a
/// temporary file and rename it once this function has returned `Ok`, so that the final name never
/// refers to a file with unverified or missing bytes.
///
/// If both are regular files, all workers read, open and write extents in parallel. If `input` is a
/// regular file, the plaintext length is authenticated first, and the footer is used if the header
/// is damaged, regardless of what `output` is.
///
/// # Errors
///
/// Returns the same errors as [`RangeReader::new`] and [`RangeReader::verify`], and I/O errors from
/// `output`. On an error, a regular `output` is truncated to zero bytes. Any other output may have
/// received a verified prefix.
pub fn open_file(key: &Key, input: &File, output: &File, options: &Options<'_>) -> Result<Opened> {
    truncate_on_error(output, || {
        if known_len(input)?.is_none() {
            return Opener::new(key, input, options)?.copy_to(&mut &*output);
        }
        let preamble = Preamble::read_at(input)?;
        let reader = RangeReader::unverified(preamble, key, input, options)?;
        reader.verify_last_of_all()?;
        if output.metadata()?.is_file() {
            open_at_offsets(&reader, output)?;
        } else {
            open_in_order(&reader, output)?;
        }
        Ok(reader.opened())
    })
}

/// Opens extents on all workers, and writes each one at its offset.
fn open_at_offsets(reader: &RangeReader<'_, &File>, output: &File) -> Result<()> {
    output.set_len(reader.len())?;
    let all = 0..reader.len();
    let writer = SerializedWriter::new(output);
    reader.for_each_extent(slice::from_ref(&all), |offset, plaintext| {
        Ok(writer.write_at(plaintext, offset)?)
    })?;
    check_file_len(output, reader.len())
}

/// Opens extents on all workers, and writes them in order on this thread.
fn open_in_order(reader: &RangeReader<'_, &File>, mut output: &File) -> Result<()> {
    let Options { workers, progress, .. } = &reader.options;
    for_each_in_order(
        workers,
        *progress,
        reader.extents(reader.body.chunks()),
        |buffer: &mut Zeroizing<Vec<u8>>, chunks| {
            let len = reader.open_chunks(chunks, buffer)?.len();
            buffer.truncate(len);
            Ok(len as u64)
        },
        |plaintext| Ok(output.write_all(plaintext)?),
    )
}
