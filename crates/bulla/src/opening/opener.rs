//! Opens a stream: chunks are opened in parallel while the caller's thread reads and writes.

use std::io::{self, BufRead, IoSliceMut, Read, Write};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::ChunkOpener;
use crate::format::geometry::{ChunkSize, Layout, TAG_LEN};
use crate::format::header::Header;
use crate::format::run::{OpenedRun, open_run};
use crate::format::schedule::Exporter;
use crate::opening::preamble::{HeaderState, Opened, Preamble, state_of_foot};
use crate::options::Options;
use crate::parallel::pipeline::{Batch, Conveyor};
use crate::parallel::workers::{Workers, check};
use crate::sealing::sealer::{BATCH_LEN, read_some};

/// Opens the container that it reads from `R`, and gives its plaintext to whoever reads from it.
///
/// It releases verified plaintext only (F-7.2), as it comes. **What was read before an error is a
/// prefix**: a cut container shows at its end, so use nothing for good before the end was reached
/// without an error. Then [`opened`](Opener::opened) says what was found. The first error is final
/// (F-7.8).
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
    reader: R,
    source: Source,
    header: Header,
    layout: Layout,
    exporter: Exporter,
    cipher: Arc<ChunkOpener>,
    options: Options<'a>,
    belt: Conveyor<Workers<'a>, OpenBatch>,
    /// The number of the next chunk to read.
    next: u64,
    /// Bytes read that may be chunks or, if the stream ends with them, the envelope's copy and the
    /// footer.
    held_back: Vec<u8>,
    serving: OpenBatch,
    served: usize,
    plaintext_len: u64,
    /// From the preamble, if it had positional access; else from the end of the stream.
    header_state: Option<HeaderState>,
    opened: Option<Opened>,
    failed: Option<Error>,
}

/// What the reader still has to give.
enum Source {
    More,
    Ended,
    /// Told once all that was read before was released.
    Failed(Error),
}

impl<'a, R: Read> Opener<'a, R> {
    /// Reads header and envelope, and checks the key.
    ///
    /// # Errors
    ///
    /// As [`Preamble::read`] and [`with_preamble`](Opener::with_preamble).
    pub fn new(key: &Key, mut reader: R, options: &Options<'a>) -> Result<Opener<'a, R>> {
        let preamble = Preamble::read(&mut reader)?;
        Opener::with_preamble(preamble, key, reader, options)
    }

    /// Opens a container whose preamble was read already; `reader` stands at chunk 0.
    ///
    /// # Errors
    ///
    /// [`Error::ContextRequired`], [`Error::ContextUnexpected`], [`Error::WrongKey`].
    pub fn with_preamble(
        preamble: Preamble,
        key: &Key,
        reader: R,
        options: &Options<'a>,
    ) -> Result<Opener<'a, R>> {
        let schedule = preamble.unlock(key, options)?;
        let cipher = Arc::new(ChunkOpener::new(&schedule));
        let layout = preamble.header().layout();
        Ok(Opener {
            reader,
            source: Source::More,
            layout,
            header_state: preamble.header_state(),
            header: preamble.header().clone(),
            exporter: schedule.exporter,
            serving: OpenBatch::empty(&cipher, layout.chunk),
            cipher,
            options: *options,
            belt: Conveyor::new(options.workers),
            next: 0,
            held_back: Vec::new(),
            served: 0,
            plaintext_len: 0,
            opened: None,
            failed: None,
        })
    }

    /// The container's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A secret of this container for a layer above, as [`Draft::export`](crate::Draft::export).
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.exporter.export(label)
    }

    /// What was found, once all of the plaintext was read without an error; `None` before.
    pub fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    /// Writes all of the plaintext that is left to `writer`, from the place where it was opened,
    /// which saves the copy that [`io::copy`] makes.
    ///
    /// # Errors
    ///
    /// Those of F-7.4 and F-7.5, [`Error::Cancelled`], and [`Error::Io`] from either side. What was
    /// written before is a verified prefix.
    pub fn copy_to(&mut self, writer: &mut impl Write) -> Result<Opened> {
        loop {
            self.guarded(Self::advance)?;
            if let Some(opened) = &self.opened {
                return Ok(opened.clone());
            }
            if let Err(e) = writer.write_all(self.unserved()) {
                self.failed = Some(Error::from(e));
            }
            self.served = self.serving.run.plain_len;
        }
    }

    /// Runs `step` unless a step failed before; the first error is final.
    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some(error) = &self.failed {
            return Err(error.again());
        }
        step(self).inspect_err(|error| self.failed = Some(error.again()))
    }

    fn unserved(&self) -> &[u8] {
        &self.serving.buffer[self.served..self.serving.run.plain_len]
    }

    /// Makes sure that there is unserved plaintext, or that `opened` is set.
    fn advance(&mut self) -> Result<()> {
        while self.unserved().is_empty() && self.opened.is_none() {
            if let Some(error) = self.serving.fault() {
                return Err(error);
            }
            if self.serving.end.is_some() {
                self.opened = Some(Opened {
                    header: self.header.clone(),
                    plaintext_len: self.plaintext_len,
                    header_state: self.header_state.unwrap_or(HeaderState::FooterDamaged),
                });
                return Ok(());
            }
            self.serve_next()?;
        }
        Ok(())
    }

    /// Reads ahead as far as the belt allows, and takes the oldest batch off it.
    fn serve_next(&mut self) -> Result<()> {
        check(self.options.progress)?;
        let empty = OpenBatch::empty(&self.cipher, self.layout.chunk);
        let mut spare = std::mem::replace(&mut self.serving, empty).buffer;
        self.served = 0;
        while matches!(self.source, Source::More) && !self.belt.is_full() {
            match self.read_batch(std::mem::take(&mut spare)) {
                Ok(batch) if batch.end.is_some() => self.belt.push_last(batch),
                Ok(batch) => self.belt.push(batch),
                Err(error) => self.source = Source::Failed(error),
            }
        }
        if let Some(batch) = self.belt.pop() {
            self.serving = batch;
        } else if let Source::Failed(error) = &self.source {
            return Err(error.again());
        }
        self.plaintext_len += self.serving.run.plain_len as u64;
        if let Some(progress) = self.options.progress {
            progress.add(self.serving.run.plain_len as u64);
        }
        Ok(())
    }

    /// Reads some full chunks, and keeps as many bytes back as envelope copy and footer have: until
    /// the stream goes on, they may be those. At its end it is clear which chunk is the last.
    fn read_batch(&mut self, mut buffer: Zeroizing<Vec<u8>>) -> Result<OpenBatch> {
        let step = self.layout.chunk.sealed();
        let tail = self.layout.tail_len() as usize;
        let chunks = self.layout.chunk.per(BATCH_LEN.max(tail));
        buffer.resize(chunks * step + tail, 0);
        buffer[..self.held_back.len()].copy_from_slice(&self.held_back);
        let mut filled = self.held_back.len();
        while filled < buffer.len() {
            match read_some(&mut self.reader, &mut [IoSliceMut::new(&mut buffer[filled..])])? {
                0 => {
                    buffer.truncate(filled);
                    self.source = Source::Ended;
                    return self.last_batch(buffer);
                }
                read => filled += read,
            }
        }
        self.held_back.clear();
        self.held_back.extend_from_slice(&buffer[chunks * step..]);
        buffer.truncate(chunks * step);
        self.layout.body(self.next + chunks as u64, 0)?;
        let batch = OpenBatch {
            buffer,
            first: self.next,
            ..OpenBatch::empty(&self.cipher, self.layout.chunk)
        };
        self.next += chunks as u64;
        Ok(batch)
    }

    /// The last bytes of the stream: full chunks, the last chunk, envelope copy, footer (F-7.3).
    fn last_batch(&mut self, mut buffer: Zeroizing<Vec<u8>>) -> Result<OpenBatch> {
        let step = self.layout.chunk.sealed();
        let sealed = buffer.len().saturating_sub(self.layout.tail_len() as usize);
        let last = self.next + (sealed / step) as u64;
        let rest = sealed % step;
        self.layout.body(last, rest as u64)?;

        let foot = buffer.last_chunk();
        let stands = foot.is_some_and(|foot| self.header.stands_in(foot));
        let copies = state_of_foot(&self.header, foot);
        self.header_state.get_or_insert(copies);
        buffer.truncate(if rest < TAG_LEN { sealed - rest } else { sealed });
        Ok(OpenBatch {
            buffer,
            first: self.next,
            end: Some(End { last, missing: rest < TAG_LEN, stands }),
            ..OpenBatch::empty(&self.cipher, self.layout.chunk)
        })
    }
}

impl<R: Read> Read for Opener<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let unserved = self.fill_buf()?;
        let read = unserved.len().min(buf.len());
        buf[..read].copy_from_slice(&unserved[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Opener<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.guarded(Self::advance)?;
        Ok(self.unserved())
    }

    fn consume(&mut self, amount: usize) {
        self.served = (self.served + amount).min(self.serving.run.plain_len);
    }
}

/// Chunks that are read, opened and released together.
struct OpenBatch {
    buffer: Zeroizing<Vec<u8>>,
    first: u64,
    chunk: ChunkSize,
    cipher: Arc<ChunkOpener>,
    /// Set if the stream ended with this batch.
    end: Option<End>,
    run: OpenedRun,
    worked: bool,
}

/// How the stream ended.
struct End {
    /// The number that the last chunk has to have (n of F-7.3).
    last: u64,
    /// Whether there are too few bytes for a last chunk.
    missing: bool,
    /// Whether the stream ended with its footer.
    stands: bool,
}

impl OpenBatch {
    /// A batch without chunks, which needs no work.
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

    /// What is wrong with the batch, once its verified plaintext was released (F-7.4).
    fn fault(&self) -> Option<Error> {
        if !self.worked && !self.buffer.is_empty() {
            return Some(io::Error::other("a thread panicked while it opened").into());
        }
        match (&self.end, self.run.rejected) {
            (Some(end), Some(index)) if index == end.last && !end.stands => {
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
