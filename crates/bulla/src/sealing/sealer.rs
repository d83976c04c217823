//! Seals a stream: chunks are sealed in parallel while the caller's thread reads and writes.

use std::io::{self, IoSliceMut, Read, Write};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::{ChunkSealer, Tickets};
use crate::format::geometry::ChunkSize;
use crate::format::header::Header;
use crate::format::run::seal_run;
use crate::options::Options;
use crate::parallel::pipeline::{Batch, Conveyor};
use crate::parallel::workers::{Workers, check};
use crate::sealing::draft::{Draft, Sealed};

/// Bytes of plaintext in a batch, unless a chunk is larger. Larger batches make fewer switches
/// between the two sides of a pipe; with more than this the batches in flight no longer fit the
/// caches.
pub(crate) const BATCH_LEN: usize = 512 << 10;

/// Seals what is written to it into a container, and writes that to `W`.
///
/// [`finish`](Sealer::finish) completes the container. Without it, what was written fails to open
/// (F-6.3); dropping a `Sealer` never finishes it. The first error is final (F-7.8): a sealer that
/// failed fails again, because a retried write could seal other bytes under the same nonce. Only
/// [`io::ErrorKind::Interrupted`] is retried; `WouldBlock` is an error like others.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use std::io::Write;
/// use bulla::{Key, Options, Sealer};
///
/// let key = Key::generate()?;
/// let mut sealer = Sealer::new(&key, Vec::new(), &Options::new())?;
/// sealer.write_all(b"a message")?;
/// let (container, sealed) = sealer.finish()?;
///
/// assert_eq!(sealed.plaintext_len, 9);
/// assert_eq!(sealed.container_len, container.len() as u64);
/// # Ok(()) }
/// ```
#[must_use = "a container opens only after `finish`"]
pub struct Sealer<'a, W: Write> {
    writer: W,
    draft: Draft<'a>,
    belt: Conveyor<Workers<'a>, SealBatch>,
    filling: SealBatch,
    /// The buffer of a batch that was written, to be filled again.
    spare: Option<Zeroizing<Vec<u8>>>,
    plaintext_len: u64,
    failed: Option<Error>,
}

impl<'a, W: Write> Sealer<'a, W> {
    /// Starts a container: writes its header, and as much envelope as [`Options::envelope_len`]
    /// says, as zeros.
    ///
    /// # Errors
    ///
    /// As [`Draft::new`], and [`Error::Io`].
    pub fn new(key: &Key, writer: W, options: &Options<'a>) -> Result<Sealer<'a, W>> {
        Draft::new(key, options)?.sealer(writer)
    }

    /// Goes on behind full chunks of `plaintext_len` bytes that were sealed already; `writer`
    /// stands behind them.
    pub(crate) fn behind(draft: Draft<'a>, writer: W, plaintext_len: u64) -> Sealer<'a, W> {
        Sealer {
            writer,
            belt: Conveyor::new(draft.options.workers),
            filling: SealBatch::new(&draft, Zeroizing::default()),
            spare: None,
            plaintext_len,
            failed: None,
            draft,
        }
    }

    /// The container's header.
    pub fn header(&self) -> &Header {
        self.draft.header()
    }

    /// A secret of this container for a layer above, as [`Draft::export`].
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.draft.export(label)
    }

    /// Seals everything that `reader` still has, and returns how many bytes that was. It reads
    /// into the place where the bytes are sealed, which saves the copy that [`io::copy`] makes.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], [`Error::Cancelled`], and [`Error::Io`] from either side.
    pub fn copy_from(&mut self, reader: &mut impl Read) -> Result<u64> {
        let mut copied = 0;
        loop {
            match self.guarded(|sealer| sealer.fill_from(reader))? {
                0 => return Ok(copied),
                read => copied += read as u64,
            }
        }
    }

    /// Seals what is left, writes the last chunk, the envelope's copy and the footer, and flushes.
    /// Gives the writer back.
    ///
    /// # Errors
    ///
    /// As [`copy_from`](Sealer::copy_from). The container is then incomplete for good.
    pub fn finish(mut self) -> Result<(W, Sealed)> {
        let sealed = self.guarded(Self::complete)?;
        Ok((self.writer, sealed))
    }

    /// Runs `step` unless a step failed before; the first error is final.
    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.again());
        }
        step(self).inspect_err(|error| self.failed = Some(error.again()))
    }

    /// One read into the batch.
    fn fill_from(&mut self, reader: &mut impl Read) -> Result<usize> {
        // As much as came so far: a short stream touches little memory, a long one is read in large
        // pieces.
        let wanted = usize::try_from(self.plaintext_len).unwrap_or(usize::MAX);
        let mut rooms: Vec<_> = self.filling.rooms(wanted).map(IoSliceMut::new).collect();
        let read = read_some(reader, &mut rooms)?;
        self.filled(read)?;
        Ok(read)
    }

    /// The next `len` bytes stand in the batch. A full one goes on its way.
    fn filled(&mut self, len: usize) -> Result<()> {
        self.filling.plain_len += len;
        self.plaintext_len += len as u64;
        if self.filling.is_full() { self.dispatch() } else { Ok(()) }
    }

    /// All chunks of the batch are full, so none of them is the last: it can be sealed.
    fn dispatch(&mut self) -> Result<()> {
        check(self.draft.options.progress)?;
        if self.belt.is_full() {
            self.write_oldest()?;
        }
        let buffer = self.spare.take().unwrap_or_default();
        let mut batch = std::mem::replace(&mut self.filling, SealBatch::new(&self.draft, buffer));
        batch.tickets = Some(self.draft.cipher.tickets(batch.full_chunks() as u64)?);
        self.belt.push(batch);
        Ok(())
    }

    fn complete(&mut self) -> Result<Sealed> {
        check(self.draft.options.progress)?;
        let body = self.draft.header.layout().body_of_plaintext(self.plaintext_len)?;
        let container_len = self.draft.header.layout().container_len(&body);
        // What is left ends with the last chunk, which is always shorter than a full one and may be
        // empty.
        let _ = self.filling.rooms(0);
        self.filling.tickets =
            Some(self.draft.cipher.tickets(self.filling.full_chunks() as u64 + 1)?);
        let empty = SealBatch::new(&self.draft, Zeroizing::default());
        let last = std::mem::replace(&mut self.filling, empty);
        self.belt.push_last(last);
        while self.write_oldest()? {}
        self.writer.write_all(&self.draft.tail(container_len))?;
        flush(&mut self.writer)?;
        Ok(Sealed {
            header: self.draft.header.clone(),
            plaintext_len: self.plaintext_len,
            container_len,
            source_grew: false,
        })
    }

    /// Writes the oldest batch in flight; false if there is none.
    fn write_oldest(&mut self) -> Result<bool> {
        let Some(batch) = self.belt.pop() else {
            return Ok(false);
        };
        self.writer.write_all(batch.ciphertext()?)?;
        if let Some(progress) = self.draft.options.progress {
            progress.add(batch.plain_len as u64);
        }
        self.spare = Some(batch.buffer);
        Ok(true)
    }
}

impl<'a> Draft<'a> {
    /// Starts the container on `writer`: writes header and envelope.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn sealer<W: Write>(self, mut writer: W) -> Result<Sealer<'a, W>> {
        writer.write_all(&self.head())?;
        Ok(Sealer::behind(self, writer, 0))
    }
}

impl<W: Write> Write for Sealer<'_, W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let taken = self.guarded(|sealer| {
            let mut left = plaintext;
            for room in sealer.filling.rooms(plaintext.len()) {
                let (now, later) = left.split_at(room.len().min(left.len()));
                room[..now.len()].copy_from_slice(now);
                left = later;
            }
            let taken = plaintext.len() - left.len();
            sealer.filled(taken)?;
            Ok(taken)
        })?;
        Ok(taken)
    }

    /// Flushes what was sealed so far. A chunk that is not full stays back: it cannot be sealed
    /// yet.
    fn flush(&mut self) -> io::Result<()> {
        self.guarded(|sealer| {
            while sealer.write_oldest()? {}
            flush(&mut sealer.writer)
        })?;
        Ok(())
    }
}

/// Chunks that are filled, sealed and written together. They lie as in the container, each with
/// room for its tag behind it.
struct SealBatch {
    buffer: Zeroizing<Vec<u8>>,
    chunk: ChunkSize,
    plain_len: usize,
    cipher: Arc<ChunkSealer>,
    /// For the full chunks, and for the last one when the batch ends with it.
    tickets: Option<Tickets>,
    /// Bytes of ciphertext and tags, once all is sealed.
    sealed_len: Option<usize>,
}

impl SealBatch {
    fn new(draft: &Draft<'_>, buffer: Zeroizing<Vec<u8>>) -> SealBatch {
        SealBatch {
            buffer,
            chunk: draft.header.chunk_size(),
            plain_len: 0,
            cipher: Arc::clone(&draft.cipher),
            tickets: None,
            sealed_len: None,
        }
    }

    fn full_chunks(&self) -> usize {
        self.plain_len / self.chunk.bytes()
    }

    fn is_full(&self) -> bool {
        self.full_chunks() == self.chunk.per(BATCH_LEN)
    }

    /// What is left of the chunk that is being filled, which is never empty, and then all of the
    /// next ones, for about `wanted` bytes.
    fn rooms(&mut self, wanted: usize) -> impl Iterator<Item = &mut [u8]> {
        let capacity = self.chunk.per(BATCH_LEN);
        let begun = self.full_chunks();
        let end = capacity.min(begun + 1 + wanted / self.chunk.bytes()) * self.chunk.sealed();
        if self.buffer.is_empty() {
            // Once, so that no growing leaves plaintext behind; what is not used of it is never
            // touched.
            self.buffer.reserve_exact(capacity * self.chunk.sealed());
        }
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        let chunk = self.chunk;
        let mut filled = self.plain_len % chunk.bytes();
        self.buffer[begun * chunk.sealed()..end]
            .chunks_mut(chunk.sealed())
            .map(move |slot| &mut slot[std::mem::take(&mut filled)..chunk.bytes()])
    }

    /// What is to be written. A batch whose sealing did not come to its end has none.
    fn ciphertext(&self) -> Result<&[u8]> {
        match self.sealed_len {
            Some(len) => Ok(&self.buffer[..len]),
            None => Err(io::Error::other("a thread panicked while it sealed").into()),
        }
    }
}

impl Batch for SealBatch {
    fn work(&mut self) {
        if let Some(tickets) = self.tickets.take() {
            let sealed =
                seal_run(&self.cipher, tickets, self.chunk, self.plain_len, &mut self.buffer);
            self.sealed_len = Some(sealed);
        }
    }
}

/// One read into `rooms`; zero bytes mean the end. Only an interruption is retried.
pub(crate) fn read_some(reader: &mut impl Read, rooms: &mut [IoSliceMut<'_>]) -> Result<usize> {
    loop {
        match reader.read_vectored(rooms) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            read => return Ok(read?),
        }
    }
}

/// Flushes; only an interruption is retried, as with writing.
fn flush(writer: &mut impl Write) -> Result<()> {
    loop {
        match writer.flush() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            flushed => return Ok(flushed?),
        }
    }
}
