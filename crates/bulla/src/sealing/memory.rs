//! Seals in-memory plaintexts.

use bytes::Bytes;

use crate::crypto::key::Key;
use crate::error::{Error, Result, check_buffer_len};
use crate::options::Options;
use crate::parallel::for_each::{MEMORY_EXTENT_LEN, for_each};
use crate::sealing::session::Session;

/// Seals `plaintext` into a new container.
///
/// # Errors
///
/// Returns [`Error::NoRandomness`], [`Error::TooLarge`], [`Error::Cancelled`] or
/// [`Error::EnvelopeLength`].
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
    seal_session(&Session::new(key, options)?, plaintext)
}

/// Seals `plaintext` into `out`, which must be exactly [`sealed_len`] bytes long. This allocates
/// only small, fixed amounts of memory.
///
/// # Errors
///
/// Returns the same errors as [`seal`], and [`Error::BufferLength`].
pub fn seal_into(key: &Key, plaintext: &[u8], out: &mut [u8], options: &Options<'_>) -> Result<()> {
    seal_session_into(&Session::new(key, options)?, plaintext, out)
}

/// Returns the exact length in bytes of a container whose plaintext is `plaintext_len` bytes long.
///
/// # Errors
///
/// Returns [`Error::TooLarge`].
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// assert_eq!(bulla::sealed_len(65_536, &bulla::Options::new())?, 65_824);
/// # Ok(()) }
/// ```
pub fn sealed_len(plaintext_len: u64, options: &Options<'_>) -> Result<u64> {
    let layout = options.layout();
    Ok(layout.container_len(&layout.body_of_plaintext(plaintext_len)?))
}

pub(super) fn seal_session(session: &Session<'_>, plaintext: &[u8]) -> Result<Bytes> {
    let len = sealed_len(plaintext.len() as u64, &session.options)?;
    let mut container = vec![0; usize::try_from(len).map_err(|_| Error::TooLarge)?];
    seal_session_into(session, plaintext, &mut container)?;
    Ok(container.into())
}

pub(super) fn seal_session_into(
    session: &Session<'_>,
    plaintext: &[u8],
    out: &mut [u8],
) -> Result<()> {
    let layout = session.header.layout();
    let body = layout.body_of_plaintext(plaintext.len() as u64)?;
    let container_len = layout.container_len(&body);
    check_buffer_len(out, container_len)?;

    let (head, rest) = out.split_at_mut(layout.head_len() as usize);
    let (chunks, tail) = rest.split_at_mut(rest.len() - layout.tail_len() as usize);
    head.copy_from_slice(&session.head());
    tail.copy_from_slice(&session.tail(container_len));

    let per_extent = layout.chunk.chunks_in(MEMORY_EXTENT_LEN);
    // The last chunk may be empty, and may be alone in its extent.
    let plain = plaintext.chunks(per_extent * layout.chunk.bytes()).chain([&[][..]]);
    let sealed = chunks.chunks_mut(per_extent * layout.chunk.sealed());
    let tickets = session.cipher.tickets(body.chunks())?.runs_of(per_extent as u64);
    let Options { workers, progress, .. } = &session.options;
    for_each(
        workers,
        *progress,
        tickets.zip(plain).zip(sealed),
        |(), ((tickets, plaintext), sealed)| {
            let plain = plaintext.chunks(layout.chunk.bytes()).chain([&[][..]]);
            for ((ticket, plain), slot) in
                tickets.zip(plain).zip(sealed.chunks_mut(layout.chunk.sealed()))
            {
                slot[..plain.len()].copy_from_slice(plain);
                session.cipher.seal(ticket, slot);
            }
            Ok(plaintext.len() as u64)
        },
    )
}
