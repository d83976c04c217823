//! Seals a stream: chunks are sealed on other threads while the caller's thread reads and writes.

use std::io::{self, IoSliceMut, Read, Write};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::{ChunkSealer, Tickets};
use crate::format::geometry::ChunkSize;
use crate::format::header::Header;
use crate::format::run::seal_run;
use crate::io::stream::{flush, read_some};
use crate::options::Options;
use crate::parallel::pipeline::{BATCH_LEN, Batch, Pipeline};
use crate::parallel::workers::Workers;
use crate::sealing::session::{Sealed, Session};

/// Seals the bytes written to it and writes the container to `W`.
///
/// [`finish`](Sealer::finish) completes the container. Dropping a `Sealer` does not, and an
/// incomplete container fails to open (F-6.3).
///
/// The first error is final, and every later call returns it again (F-7.8), because a retried write
/// could seal different bytes under the same nonce. Only [`io::ErrorKind::Interrupted`] is retried;
/// `WouldBlock` is not.
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
#[must_use = "the container is incomplete until `finish` is called"]
pub struct Sealer<'a, W: Write> {
    writer: W,
    session: Session<'a>,
    pipeline: Pipeline<Workers<'a>, SealBatch>,
    filling: SealBatch,
    /// The buffer of a batch that has been written, kept for reuse.
    spare: Option<Zeroizing<Vec<u8>>>,
    plaintext_len: u64,
    failed: Option<Error>,
}

impl<'a, W: Write> Sealer<'a, W> {
    /// Starts a container: writes its header and, if [`Options::envelope_len`] is set, a
    /// zero-filled envelope.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Draft::new`](crate::Draft::new), and [`Error::Io`].
    pub fn new(key: &Key, writer: W, options: &Options<'a>) -> Result<Sealer<'a, W>> {
        Sealer::start(Session::new(key, options)?, writer)
    }

    /// Returns the container's header.
    pub fn header(&self) -> &Header {
        &self.session.header
    }

    /// Derives a container-specific secret for a higher layer, like
    /// [`Draft::export`](crate::Draft::export).
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.session.exporter.export(label)
    }

    /// Seals everything up to the end of `reader`, and returns the number of bytes read. The bytes
    /// are read directly into the buffer in which they are sealed, which saves the copy that
    /// [`io::copy`] would make.
    ///
    /// # Errors
    ///
    /// Returns [`Error::TooLarge`], [`Error::Cancelled`], or [`Error::Io`] from the reader or the
    /// writer.
    pub fn copy_from(&mut self, reader: &mut impl Read) -> Result<u64> {
        let mut copied = 0;
        loop {
            match self.guarded(|sealer| sealer.fill_from(reader))? {
                0 => return Ok(copied),
                read => copied += read as u64,
            }
        }
    }

    /// Completes the container: seals the remaining bytes, writes the last chunk, the envelope's
    /// copy and the footer, and flushes the writer. Returns the writer.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`copy_from`](Sealer::copy_from). After an error, the container
    /// is incomplete and cannot be completed.
    pub fn finish(mut self) -> Result<(W, Sealed)> {
        let sealed = self.guarded(Self::complete)?;
        Ok((self.writer, sealed))
    }

    /// Starts the container of `session`: writes the header and the envelope.
    pub(super) fn start(session: Session<'a>, mut writer: W) -> Result<Sealer<'a, W>> {
        writer.write_all(&session.head())?;
        Ok(Sealer::after_chunks(session, writer, 0))
    }

    /// Continues a container whose header, envelope and first chunks have been written. These
    /// chunks are full and hold `plaintext_len` bytes of plaintext in total, and `writer` is
    /// positioned after them.
    pub(super) fn after_chunks(
        session: Session<'a>,
        writer: W,
        plaintext_len: u64,
    ) -> Sealer<'a, W> {
        Sealer {
            writer,
            pipeline: Pipeline::new(session.options.workers),
            filling: SealBatch::new(&session, Zeroizing::default()),
            spare: None,
            plaintext_len,
            failed: None,
            session,
        }
    }

    /// Runs `step`, or returns the error from an earlier step.
    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        step(self).inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Reads once into the batch.
    fn fill_from(&mut self, reader: &mut impl Read) -> Result<usize> {
        // Requests as many bytes as have been read so far, so that a short stream touches little
        // memory and a long one is read in large pieces.
        let wanted = usize::try_from(self.plaintext_len).unwrap_or(usize::MAX);
        let mut buffers: Vec<_> = self.filling.free_slices(wanted).map(IoSliceMut::new).collect();
        let read = read_some(reader, &mut buffers)?;
        self.filled(read)?;
        Ok(read)
    }

    /// Accounts for `len` bytes added to the batch, and dispatches it if it is full.
    fn filled(&mut self, len: usize) -> Result<()> {
        self.filling.plain_len += len;
        self.plaintext_len += len as u64;
        if self.filling.is_full() { self.dispatch() } else { Ok(()) }
    }

    /// Hands the batch to the pipeline. All of its chunks are full, so none of them is the last
    /// chunk.
    fn dispatch(&mut self) -> Result<()> {
        self.session.options.progress.check()?;
        if self.pipeline.is_full() {
            self.write_oldest()?;
        }
        let buffer = self.spare.take().unwrap_or_default();
        let mut batch = std::mem::replace(&mut self.filling, SealBatch::new(&self.session, buffer));
        batch.tickets = Some(self.session.cipher.tickets(batch.full_chunks() as u64)?);
        self.pipeline.push(batch);
        Ok(())
    }

    fn complete(&mut self) -> Result<Sealed> {
        self.session.options.progress.check()?;
        let body = self.session.header.layout().body_of_plaintext(self.plaintext_len)?;
        let container_len = self.session.header.layout().container_len(&body);
        // The batch ends with the last chunk, which is never full and may be empty. The batch needs
        // a buffer even if nothing was written.
        let _ = self.filling.free_slices(0);
        self.filling.tickets =
            Some(self.session.cipher.tickets(self.filling.full_chunks() as u64 + 1)?);
        let empty = SealBatch::new(&self.session, Zeroizing::default());
        let last = std::mem::replace(&mut self.filling, empty);
        self.pipeline.push_last(last);
        while self.write_oldest()? {}
        self.writer.write_all(&self.session.tail(container_len))?;
        flush(&mut self.writer)?;
        Ok(Sealed {
            header: self.session.header.clone(),
            plaintext_len: self.plaintext_len,
            container_len,
            source_grew: false,
        })
    }

    /// Writes the oldest batch in flight. Returns false if the pipeline is empty.
    fn write_oldest(&mut self) -> Result<bool> {
        let Some(batch) = self.pipeline.pop() else {
            return Ok(false);
        };
        self.writer.write_all(batch.ciphertext()?)?;
        self.session.options.progress.add(batch.plain_len as u64);
        self.spare = Some(batch.buffer);
        Ok(true)
    }
}

impl<W: Write> Write for Sealer<'_, W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let taken = self.guarded(|sealer| {
            let mut left = plaintext;
            for slice in sealer.filling.free_slices(plaintext.len()) {
                let (now, later) = left.split_at(slice.len().min(left.len()));
                slice[..now.len()].copy_from_slice(now);
                left = later;
            }
            let taken = plaintext.len() - left.len();
            sealer.filled(taken)?;
            Ok(taken)
        })?;
        Ok(taken)
    }

    /// Writes and flushes all sealed chunks. Bytes in a partly filled chunk are held back, because
    /// that chunk cannot be sealed yet.
    fn flush(&mut self) -> io::Result<()> {
        self.guarded(|sealer| {
            while sealer.write_oldest()? {}
            flush(&mut sealer.writer)
        })?;
        Ok(())
    }
}

/// Chunks that are filled, sealed and written together. The buffer is laid out like the container:
/// each chunk is followed by space for its tag.
struct SealBatch {
    buffer: Zeroizing<Vec<u8>>,
    chunk: ChunkSize,
    plain_len: usize,
    cipher: Arc<ChunkSealer>,
    /// One ticket for each full chunk, and one for the last chunk if the batch ends with it.
    tickets: Option<Tickets>,
    /// The length of the sealed chunks, once the batch has been sealed.
    sealed_len: Option<usize>,
}

impl SealBatch {
    fn new(session: &Session<'_>, buffer: Zeroizing<Vec<u8>>) -> SealBatch {
        SealBatch {
            buffer,
            chunk: session.header.chunk_size(),
            plain_len: 0,
            cipher: Arc::clone(&session.cipher),
            tickets: None,
            sealed_len: None,
        }
    }

    fn full_chunks(&self) -> usize {
        self.plain_len / self.chunk.bytes()
    }

    fn is_full(&self) -> bool {
        self.full_chunks() == self.chunk.chunks_in(BATCH_LEN)
    }

    /// Returns free slices for about `wanted` bytes: first the rest of the chunk that is being
    /// filled, which is never empty, then whole chunks.
    fn free_slices(&mut self, wanted: usize) -> impl Iterator<Item = &mut [u8]> {
        let capacity = self.chunk.chunks_in(BATCH_LEN);
        let first = self.full_chunks();
        let end = capacity.min(first + 1 + wanted / self.chunk.bytes()) * self.chunk.sealed();
        if self.buffer.is_empty() {
            // Reserves the full capacity, so that growing the buffer never leaves plaintext in
            // freed memory. Unused capacity is not touched.
            self.buffer.reserve_exact(capacity * self.chunk.sealed());
        }
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        let chunk = self.chunk;
        let mut filled = self.plain_len % chunk.bytes();
        self.buffer[first * chunk.sealed()..end]
            .chunks_mut(chunk.sealed())
            .map(move |slot| &mut slot[std::mem::take(&mut filled)..chunk.bytes()])
    }

    /// Returns the sealed chunks. Fails if sealing them panicked.
    fn ciphertext(&self) -> Result<&[u8]> {
        match self.sealed_len {
            Some(len) => Ok(&self.buffer[..len]),
            None => Err(io::Error::other("a worker thread panicked while sealing").into()),
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
