//! Opens a stream: chunks are opened on other threads while the caller's thread reads and writes.

use std::io::{self, BufRead, IoSliceMut, Read, Write};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::backend::TAG_LEN;
use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::ChunkOpener;
use crate::format::geometry::{ChunkSize, Layout};
use crate::format::header::Header;
use crate::format::run::{OpenedRun, open_run};
use crate::format::schedule::Exporter;
use crate::io::stream::read_some;
use crate::opening::preamble::{HeaderState, Opened, Preamble, footer_state};
use crate::options::Options;
use crate::parallel::pipeline::{BATCH_LEN, Batch, Pipeline};
use crate::parallel::progress::Reporter;
use crate::parallel::workers::Workers;

/// Reads a container from `R` and returns its plaintext.
///
/// An `Opener` releases only verified plaintext, as soon as it is available (F-7.2). **Everything
/// read before an error is a prefix of the plaintext.** Truncation is detected only at the end, so
/// do not act on the plaintext until the end has been reached without an error. From then on,
/// [`opened`](Opener::opened) describes the container. The first error is final, and every later
/// call returns it again (F-7.8).
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use std::io::Read;
/// use bulla::{Key, Opener, Options};
///
/// let key = Key::generate()?;
/// let container = bulla::seal(&key, b"a message", &Options::new())?;
///
/// let mut opener = Opener::new(&key, &container[..], &Options::new())?;
/// let mut plaintext = String::new();
/// opener.read_to_string(&mut plaintext)?;
/// assert_eq!(plaintext, "a message");
/// # Ok(()) }
/// ```
pub struct Opener<'a, R: Read> {
    input: Input<R>,
    pipeline: Pipeline<Workers<'a>, OpenBatch>,
    output: Output,
    exporter: Exporter,
    progress: Reporter<'a>,
    opened: Option<Opened>,
    failed: Option<Error>,
}

impl<'a, R: Read> Opener<'a, R> {
    /// Reads the header and the envelope, and checks the key.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Preamble::read`] and [`with_preamble`](Opener::with_preamble).
    pub fn new(key: &Key, mut reader: R, options: &Options<'a>) -> Result<Opener<'a, R>> {
        let preamble = Preamble::read(&mut reader)?;
        Opener::with_preamble(preamble, key, reader, options)
    }

    /// Opens a container whose preamble has already been read. `reader` must be positioned at chunk
    /// 0.
    ///
    /// # Errors
    ///
    /// Returns [`Error::ContextRequired`], [`Error::ContextUnexpected`] or [`Error::WrongKey`].
    pub fn with_preamble(
        preamble: Preamble,
        key: &Key,
        reader: R,
        options: &Options<'a>,
    ) -> Result<Opener<'a, R>> {
        let schedule = preamble.header().unlock(key, options.context)?;
        let cipher = Arc::new(ChunkOpener::new(&schedule));
        let layout = preamble.header().layout();
        Ok(Opener {
            output: Output {
                batch: OpenBatch::empty(&cipher, layout.chunk),
                consumed: 0,
                plaintext_len: 0,
            },
            input: Input {
                reader,
                state: InputState::Open,
                header: preamble.header().clone(),
                header_state: preamble.header_state(),
                layout,
                cipher,
                next_chunk: 0,
                held_back: Vec::new(),
            },
            pipeline: Pipeline::new(options.workers),
            exporter: schedule.exporter,
            progress: options.progress,
            opened: None,
            failed: None,
        })
    }

    /// Returns the container's header.
    pub fn header(&self) -> &Header {
        &self.input.header
    }

    /// Derives a container-specific secret for a higher layer, like
    /// [`Draft::export`](crate::Draft::export).
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.exporter.export(label)
    }

    /// Returns information about the container, or `None` until all of the plaintext has been read
    /// without an error.
    pub fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    /// Writes the rest of the plaintext to `writer`. The bytes are written directly from the buffer
    /// in which they were opened, which saves the copy that [`io::copy`] would make.
    ///
    /// # Errors
    ///
    /// Returns the errors described in F-7.4 and F-7.5, [`Error::TooLarge`], [`Error::Cancelled`],
    /// and [`Error::Io`] from the reader or the writer. Everything written before the error is a
    /// verified prefix.
    pub fn copy_to(&mut self, writer: &mut impl Write) -> Result<Opened> {
        loop {
            self.guarded(Self::advance)?;
            if let Some(opened) = &self.opened {
                return Ok(opened.clone());
            }
            if let Err(e) = writer.write_all(self.output.unread()) {
                self.failed = Some(Error::from(e));
            }
            self.output.consume(usize::MAX);
        }
    }

    /// Runs `step`, or returns the error from an earlier step.
    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        step(self).inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Ensures that there is unread plaintext, or that `opened` is set.
    fn advance(&mut self) -> Result<()> {
        while self.output.unread().is_empty() && self.opened.is_none() {
            let batch = &self.output.batch;
            if let Some(error) = batch.error() {
                return Err(error);
            }
            if batch.end.is_some() {
                self.opened = Some(Opened {
                    header: self.input.header.clone(),
                    plaintext_len: self.output.plaintext_len,
                    header_state: self.input.header_state.unwrap_or(HeaderState::FooterDamaged),
                });
                return Ok(());
            }
            self.next_batch()?;
        }
        Ok(())
    }

    /// Fills the pipeline with batches from the input, and moves the oldest batch to the output.
    fn next_batch(&mut self) -> Result<()> {
        self.progress.check()?;
        let mut spare = self.output.replace(self.input.empty_batch()).buffer;
        while matches!(self.input.state, InputState::Open) && !self.pipeline.is_full() {
            match self.input.read_batch(std::mem::take(&mut spare)) {
                Ok(batch) if batch.end.is_some() => self.pipeline.push_last(batch),
                Ok(batch) => self.pipeline.push(batch),
                Err(error) => self.input.state = InputState::Failed(error),
            }
        }
        if let Some(batch) = self.pipeline.pop() {
            self.progress.add(batch.run.plain_len as u64);
            self.output.replace(batch);
        } else if let InputState::Failed(error) = &self.input.state {
            return Err(error.clone());
        }
        Ok(())
    }
}

impl<R: Read> Read for Opener<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let unread = self.fill_buf()?;
        let read = unread.len().min(buf.len());
        buf[..read].copy_from_slice(&unread[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Opener<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.guarded(Self::advance)?;
        Ok(self.output.unread())
    }

    fn consume(&mut self, amount: usize) {
        self.output.consume(amount);
    }
}

/// The container stream, which is read in batches.
struct Input<R> {
    reader: R,
    state: InputState,
    header: Header,
    /// Taken from the preamble if it was read with positional access. Otherwise, set at the end of
    /// the stream.
    header_state: Option<HeaderState>,
    layout: Layout,
    cipher: Arc<ChunkOpener>,
    /// The number of the next chunk to read.
    next_chunk: u64,
    /// The last bytes that were read. They belong to chunks unless the stream ends here, in which
    /// case they are the envelope's copy and the footer.
    held_back: Vec<u8>,
}

/// The state of the input stream.
enum InputState {
    Open,
    Ended,
    /// Reading failed. The error is reported after all earlier plaintext has been released.
    Failed(Error),
}

impl<R: Read> Input<R> {
    fn empty_batch(&self) -> OpenBatch {
        OpenBatch::empty(&self.cipher, self.layout.chunk)
    }

    /// Reads full chunks, and holds back as many bytes as the envelope's copy and the footer take
    /// up. Whether the bytes held back are in fact the envelope's copy and the footer, and which
    /// chunk is the last one, is known only at the end of the stream.
    fn read_batch(&mut self, mut buffer: Zeroizing<Vec<u8>>) -> Result<OpenBatch> {
        let step = self.layout.chunk.sealed();
        let tail = self.layout.tail_len() as usize;
        let chunks = self.layout.chunk.chunks_in(BATCH_LEN.max(tail));
        buffer.resize(chunks * step + tail, 0);
        buffer[..self.held_back.len()].copy_from_slice(&self.held_back);
        let mut filled = self.held_back.len();
        while filled < buffer.len() {
            match read_some(&mut self.reader, &mut [IoSliceMut::new(&mut buffer[filled..])])? {
                0 => {
                    buffer.truncate(filled);
                    self.state = InputState::Ended;
                    return self.last_batch(buffer);
                }
                read => filled += read,
            }
        }
        self.held_back.clear();
        self.held_back.extend_from_slice(&buffer[chunks * step..]);
        buffer.truncate(chunks * step);
        self.layout.body(self.next_chunk + chunks as u64, 0)?;
        let batch = OpenBatch { buffer, first: self.next_chunk, ..self.empty_batch() };
        self.next_chunk += chunks as u64;
        Ok(batch)
    }

    /// Builds the last batch from the last bytes of the stream, which are full chunks, the last
    /// chunk, the envelope's copy and the footer (F-7.3).
    fn last_batch(&mut self, mut buffer: Zeroizing<Vec<u8>>) -> Result<OpenBatch> {
        let step = self.layout.chunk.sealed();
        let sealed = buffer.len().saturating_sub(self.layout.tail_len() as usize);
        let last = self.next_chunk + (sealed / step) as u64;
        let rest = sealed % step;
        self.layout.body(last, rest as u64)?;

        let footer = buffer.last_chunk();
        let footer_matches = footer.is_some_and(|footer| self.header.matches_footer(footer));
        self.header_state.get_or_insert(footer_state(&self.header, footer));
        buffer.truncate(if rest < TAG_LEN { sealed - rest } else { sealed });
        Ok(OpenBatch {
            buffer,
            first: self.next_chunk,
            end: Some(End { last, missing: rest < TAG_LEN, footer_matches }),
            ..self.empty_batch()
        })
    }
}

/// The verified plaintext that is being released.
struct Output {
    batch: OpenBatch,
    /// The number of the batch's plaintext bytes that have been released.
    consumed: usize,
    /// The number of plaintext bytes in all batches so far, including this one.
    plaintext_len: u64,
}

impl Output {
    fn unread(&self) -> &[u8] {
        &self.batch.buffer[self.consumed..self.batch.run.plain_len]
    }

    fn consume(&mut self, amount: usize) {
        self.consumed = self.consumed.saturating_add(amount).min(self.batch.run.plain_len);
    }

    /// Makes `batch` the current batch, and returns the previous one.
    fn replace(&mut self, batch: OpenBatch) -> OpenBatch {
        self.consumed = 0;
        self.plaintext_len += batch.run.plain_len as u64;
        std::mem::replace(&mut self.batch, batch)
    }
}

/// Chunks that are read, opened and released together.
struct OpenBatch {
    buffer: Zeroizing<Vec<u8>>,
    /// The number of the first chunk.
    first: u64,
    chunk: ChunkSize,
    cipher: Arc<ChunkOpener>,
    /// Set if the stream ended with this batch.
    end: Option<End>,
    run: OpenedRun,
    worked: bool,
}

/// What was found at the end of the stream.
struct End {
    /// The number of the last chunk (n in F-7.3).
    last: u64,
    /// Whether there are too few bytes for a last chunk.
    missing: bool,
    /// Whether the stream ends with a valid footer of this container.
    footer_matches: bool,
}

impl OpenBatch {
    /// Returns a batch without chunks, which needs no work.
    fn empty(cipher: &Arc<ChunkOpener>, chunk: ChunkSize) -> OpenBatch {
        OpenBatch {
            buffer: Zeroizing::default(),
            first: 0,
            chunk,
            cipher: Arc::clone(cipher),
            end: None,
            run: OpenedRun::default(),
            worked: false,
        }
    }

    /// Returns the batch's error, which is reported after its verified plaintext has been released
    /// (F-7.4).
    fn error(&self) -> Option<Error> {
        if !self.worked && !self.buffer.is_empty() {
            return Some(io::Error::other("a worker thread panicked while opening").into());
        }
        match (&self.end, self.run.rejected) {
            (Some(end), Some(index)) if index == end.last && !end.footer_matches => {
                Some(Error::Truncated { after: index })
            }
            (_, Some(index)) => Some(Error::ChunkRejected { index }),
            (Some(end), None) if end.missing => Some(Error::Truncated { after: end.last }),
            _ => None,
        }
    }
}

impl Batch for OpenBatch {
    fn work(&mut self) {
        self.run = open_run(&self.cipher, self.first, self.chunk, &mut self.buffer);
        self.worked = true;
    }
}
