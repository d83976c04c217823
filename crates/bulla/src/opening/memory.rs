//! Opens in-memory containers.

use bytes::Bytes;

use crate::crypto::backend::TAG_LEN;
use crate::crypto::key::Key;
use crate::error::{Error, Result, check_buffer_len};
use crate::io::read_at::ReadAt;
use crate::opening::preamble::{Opened, Preamble};
use crate::opening::range::RangeReader;
use crate::options::Options;
use crate::parallel::for_each::{MEMORY_EXTENT_LEN, for_each};

/// Opens a container and returns its plaintext.
///
/// # Errors
///
/// Returns the same errors as [`RangeReader::new`] and [`RangeReader::verify`].
pub fn open(key: &Key, container: &[u8], options: &Options<'_>) -> Result<(Bytes, Opened)> {
    let reader = reader_of_all(key, container, options)?;
    // The plaintext is shorter than the container, so the allocation is bounded (F-7.7).
    let mut plaintext = vec![0; usize::try_from(reader.len()).map_err(|_| Error::TooLarge)?];
    open_all(&reader, container, &mut plaintext)?;
    Ok((plaintext.into(), reader.opened()))
}

/// Opens a container into `out`, which must be exactly [`plaintext_len`] bytes long. This allocates
/// only small, fixed amounts of memory.
///
/// # Errors
///
/// Returns the same errors as [`open`], and [`Error::BufferLength`]. After an error, the content of
/// `out` is unspecified, but it contains no unverified plaintext.
pub fn open_into(
    key: &Key,
    container: &[u8],
    out: &mut [u8],
    options: &Options<'_>,
) -> Result<Opened> {
    let reader = reader_of_all(key, container, options)?;
    check_buffer_len(out, reader.len())?;
    open_all(&reader, container, out)?;
    Ok(reader.opened())
}

/// Returns the plaintext length, computed from the container's header and length. Nothing is
/// authenticated.
///
/// # Errors
///
/// Returns the same errors as [`Preamble::read_at`], [`Error::Truncated`] if there is no last
/// chunk, and [`Error::TooLarge`].
pub fn plaintext_len<S: ReadAt + ?Sized>(container: &S) -> Result<u64> {
    let layout = Preamble::read_at(container)?.header().layout();
    let body = layout.body_of_container(container.size()?)?;
    body.plaintext_len().ok_or(Error::Truncated { after: body.full })
}

/// Returns a reader for [`open_all`], which verifies the last chunk together with the others, so
/// that it is not opened twice. [`open_all`] does not reach an empty or missing last chunk, so it
/// is verified here.
fn reader_of_all<'a, 'c>(
    key: &Key,
    container: &'c [u8],
    options: &Options<'a>,
) -> Result<RangeReader<'a, &'c [u8]>> {
    let preamble = Preamble::read_at(container)?;
    let reader = RangeReader::unverified(preamble, key, container, options)?;
    if reader.body.rest <= TAG_LEN as u64 {
        reader.verify_last_of_all()?;
    }
    Ok(reader)
}

/// Opens all chunks: copies each one to the position of its plaintext and opens it in place.
fn open_all(reader: &RangeReader<'_, &[u8]>, container: &[u8], out: &mut [u8]) -> Result<()> {
    let RangeReader { cipher, options, layout, .. } = reader;
    let chunks =
        &container[layout.head_len() as usize..container.len() - layout.tail_len() as usize];
    let per_extent = layout.chunk.chunks_in(MEMORY_EXTENT_LEN);
    let step = layout.chunk.sealed();
    let extents =
        out.chunks_mut(per_extent * layout.chunk.bytes()).zip(chunks.chunks(per_extent * step));
    for_each(
        &options.workers,
        options.progress,
        extents.enumerate(),
        |(), (extent, (out, sealed))| {
            let first = (extent * per_extent) as u64;
            for ((index, slot), sealed) in
                (first..).zip(out.chunks_mut(layout.chunk.bytes())).zip(sealed.chunks(step))
            {
                let rejected = || Error::ChunkRejected { index };
                let (ciphertext, tag) =
                    sealed.split_last_chunk::<TAG_LEN>().ok_or_else(rejected)?;
                slot.copy_from_slice(ciphertext);
                cipher.open(index, *tag, slot, 0).map_err(|_| rejected())?;
            }
            Ok(out.len() as u64)
        },
    )
    .map_err(|error| diagnose(reader, error))
}

/// Returns the error to report if [`open_all`] failed with `error`. A rejected chunk may be due to
/// truncation or trailing data (F-7.4, F-7.5).
fn diagnose(reader: &RangeReader<'_, &[u8]>, error: Error) -> Error {
    if let Error::ChunkRejected { .. } = error
        && let Err(of_last) = reader.verify_last()
        && !matches!(of_last, Error::ChunkRejected { .. })
    {
        return of_last;
    }
    error
}
