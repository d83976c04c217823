//! Whole containers in memory.

use bytes::Bytes;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::ChunkOpener;
use crate::format::geometry::{Layout, TAG_LEN};
use crate::io::read_at::ReadAt;
use crate::opening::preamble::{Opened, Preamble};
use crate::opening::range::RangeReader;
use crate::options::Options;
use crate::parallel::for_each::for_each;
use crate::sealing::draft::{Draft, layout};

/// Bytes of plaintext that a thread works on at a time: a cache's worth, and little enough that a
/// few MiB keep all cores busy.
const PIECE_LEN: usize = 256 << 10;

/// The exact length of the container of a plaintext of `plaintext_len` bytes.
///
/// # Errors
///
/// [`Error::TooLarge`].
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// assert_eq!(bulla::sealed_len(65_536, &bulla::Options::new())?, 65_824);
/// # Ok(()) }
/// ```
pub fn sealed_len(plaintext_len: u64, options: &Options<'_>) -> Result<u64> {
    let layout = layout(options);
    Ok(layout.container_len(&layout.body_of_plaintext(plaintext_len)?))
}

/// The length of the plaintext of a container, as its header and its own length tell. Nothing is
/// authenticated.
///
/// # Errors
///
/// As [`Preamble::read_at`]; [`Error::Truncated`] if there cannot be a last chunk;
/// [`Error::TooLarge`].
pub fn plaintext_len<S: ReadAt + ?Sized>(container: &S) -> Result<u64> {
    let layout = Preamble::read_at(container)?.header().layout();
    let body = layout.body_of_container(container.size()?)?;
    body.plaintext_len().ok_or(Error::Truncated { after: body.full })
}

/// Seals a plaintext into a new container.
///
/// # Errors
///
/// [`Error::NoRandomness`], [`Error::TooLarge`], [`Error::Cancelled`].
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use bulla::{Key, Options};
///
/// let key = Key::generate()?;
/// let container = bulla::seal(&key, b"a message", &Options::new())?;
/// let (plaintext, opened) = bulla::open(&key, &container, &Options::new())?;
///
/// assert_eq!(plaintext, &b"a message"[..]);
/// assert_eq!(opened.header_state, bulla::HeaderState::Intact);
/// # Ok(()) }
/// ```
pub fn seal(key: &Key, plaintext: &[u8], options: &Options<'_>) -> Result<Bytes> {
    Draft::new(key, options)?.seal(plaintext)
}

/// As [`seal`], into a buffer of exactly [`sealed_len`] bytes. Nothing as large as the plaintext is
/// allocated.
///
/// # Errors
///
/// As [`seal`], and [`Error::BufferLength`].
pub fn seal_into(key: &Key, plaintext: &[u8], out: &mut [u8], options: &Options<'_>) -> Result<()> {
    Draft::new(key, options)?.seal_into(plaintext, out)
}

/// Opens a container, and says what was found.
///
/// # Errors
///
/// As [`RangeReader::new`] and [`RangeReader::verify`]. Then no plaintext is given.
pub fn open(key: &Key, container: &[u8], options: &Options<'_>) -> Result<(Bytes, Opened)> {
    let reader =
        RangeReader::for_all_at_once(Preamble::read_at(container)?, key, container, options)?;
    // As long as the chunks that are there.
    let mut plaintext = vec![0; usize::try_from(reader.len()).map_err(|_| Error::TooLarge)?];
    open_all(&reader, container, &mut plaintext)?;
    Ok((plaintext.into(), reader.opened()))
}

/// As [`open`], into a buffer of exactly [`plaintext_len`] bytes. Nothing as large as the plaintext
/// is allocated.
///
/// # Errors
///
/// As [`open`], and [`Error::BufferLength`]. What the buffer then holds is of no use, but nothing
/// of it is unverified.
pub fn open_into(
    key: &Key,
    container: &[u8],
    out: &mut [u8],
    options: &Options<'_>,
) -> Result<Opened> {
    let reader =
        RangeReader::for_all_at_once(Preamble::read_at(container)?, key, container, options)?;
    check_len(out, reader.len())?;
    open_all(&reader, container, out)?;
    Ok(reader.opened())
}

impl Draft<'_> {
    /// Seals a plaintext into this container.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], [`Error::Cancelled`].
    pub fn seal(self, plaintext: &[u8]) -> Result<Bytes> {
        let layout = self.header.layout();
        let len = layout.container_len(&layout.body_of_plaintext(plaintext.len() as u64)?);
        let mut container = vec![0; usize::try_from(len).map_err(|_| Error::TooLarge)?];
        self.seal_into(plaintext, &mut container)?;
        Ok(container.into())
    }

    /// As [`seal`](Draft::seal), into a buffer of exactly [`sealed_len`] bytes.
    ///
    /// # Errors
    ///
    /// As [`seal`](Draft::seal), and [`Error::BufferLength`].
    pub fn seal_into(self, plaintext: &[u8], out: &mut [u8]) -> Result<()> {
        let layout = self.header.layout();
        let body = layout.body_of_plaintext(plaintext.len() as u64)?;
        let container_len = layout.container_len(&body);
        check_len(out, container_len)?;

        let (head, rest) = out.split_at_mut(layout.head_len() as usize);
        let (chunks, tail) = rest.split_at_mut(rest.len() - layout.tail_len() as usize);
        head.copy_from_slice(&self.head());
        tail.copy_from_slice(&self.tail(container_len));

        let per_piece = layout.chunk.per(PIECE_LEN);
        // The last chunk may be empty, and may be alone in its piece.
        let plain = plaintext.chunks(per_piece * layout.chunk.bytes()).chain([&[][..]]);
        let sealed = chunks.chunks_mut(per_piece * layout.chunk.sealed());
        let pieces =
            self.cipher.tickets(body.chunks())?.by(per_piece as u64).zip(plain).zip(sealed);
        let Options { workers, progress, .. } = &self.options;
        for_each(
            workers,
            *progress,
            pieces,
            || (),
            |(), ((tickets, plaintext), sealed)| {
                let plain = plaintext.chunks(layout.chunk.bytes()).chain([&[][..]]);
                for ((ticket, plain), slot) in
                    tickets.zip(plain).zip(sealed.chunks_mut(layout.chunk.sealed()))
                {
                    slot[..plain.len()].copy_from_slice(plain);
                    self.cipher.seal(ticket, slot);
                }
                Ok(plaintext.len() as u64)
            },
        )
    }
}

/// Opens all chunks from memory: each is copied to where its plaintext will be, and opened there.
fn open_all(reader: &RangeReader<'_, &[u8]>, container: &[u8], out: &mut [u8]) -> Result<()> {
    let (cipher, options, layout): (&ChunkOpener, &Options<'_>, Layout) = reader.parts();
    let chunks =
        &container[layout.head_len() as usize..container.len() - layout.tail_len() as usize];
    let per_piece = layout.chunk.per(PIECE_LEN);
    let step = layout.chunk.sealed();
    let pieces =
        out.chunks_mut(per_piece * layout.chunk.bytes()).zip(chunks.chunks(per_piece * step));
    for_each(
        &options.workers,
        options.progress,
        pieces.enumerate(),
        || (),
        |(), (piece, (out, sealed))| {
            let first = (piece * per_piece) as u64;
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
    .map_err(|error| reader.failure_of_all(error))
}

fn check_len(out: &[u8], needed: u64) -> Result<()> {
    if out.len() as u64 == needed {
        Ok(())
    } else {
        Err(Error::BufferLength { needed, given: out.len() as u64 })
    }
}
