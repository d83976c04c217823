//! Options for sealing and opening.

use crate::format::geometry::{ChunkSize, Layout};
use crate::format::header::ContentType;
use crate::parallel::progress::{Progress, Reporter};
use crate::parallel::workers::Workers;

/// Options for sealing and opening a container.
///
/// The defaults suit most uses: 64 KiB chunks, plain bytes, no context, no envelope, and the
/// ambient rayon pool.
///
/// When a container is opened, its chunk size, content type and envelope length are read from the
/// header, and only [`context`](Options::context), [`workers`](Options::workers) and
/// [`progress`](Options::progress) are used.
///
/// ```
/// use bulla::{ChunkSize, Options, Workers};
/// let options = Options::new()
///     .chunk_size(ChunkSize::MIN)
///     .context(b"account 4711")
///     .workers(Workers::Serial);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    pub(crate) chunk_size: ChunkSize,
    pub(crate) content_type: Option<ContentType>,
    pub(crate) context: Option<&'a [u8]>,
    pub(crate) envelope_len: u32,
    pub(crate) workers: Workers<'a>,
    pub(crate) progress: Reporter<'a>,
}

impl<'a> Options<'a> {
    /// Returns the default options.
    pub fn new() -> Options<'a> {
        Options::default()
    }

    /// Sets the chunk size. A chunk is the unit that is sealed and opened as a whole.
    pub fn chunk_size(mut self, size: ChunkSize) -> Self {
        self.chunk_size = size;
        self
    }

    /// Sets the type of the plaintext. The default is [`ContentType::BYTES`].
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Binds the container to a value that both sides know, such as an account ID. The container
    /// then opens only with the same context (F-3.8), which is not stored.
    pub fn context(mut self, context: &'a [u8]) -> Self {
        self.context = Some(context);
        self
    }

    /// Reserves this many bytes at each end of the container for an envelope, which holds the
    /// container's wrapped key (F-8.1). The envelope is filled with zeros unless
    /// [`Draft::envelope`](crate::Draft::envelope) sets its content.
    pub fn envelope_len(mut self, bytes: u32) -> Self {
        self.envelope_len = bytes;
        self
    }

    /// Sets the threads that seal and open chunks.
    pub fn workers(mut self, workers: Workers<'a>) -> Self {
        self.workers = workers;
        self
    }

    /// Reports progress to `progress`, which can also be used to cancel the call.
    pub fn progress(mut self, progress: &'a Progress) -> Self {
        self.progress = Reporter::to(progress);
        self
    }

    /// Returns the layout of a container sealed with these options.
    pub(crate) fn layout(&self) -> Layout {
        Layout { chunk: self.chunk_size, envelope_len: self.envelope_len }
    }
}
