//! What a caller can choose.

use crate::format::geometry::ChunkSize;
use crate::format::header::ContentType;
use crate::parallel::workers::{Progress, Workers};

/// How to seal or open a container. The defaults are right for most: 64 KiB chunks, plain bytes, no
/// context, no envelope, the ambient rayon pool.
///
/// Opening takes chunk size, content and envelope length from the header, and only
/// [`context`](Options::context), [`workers`](Options::workers) and [`progress`](Options::progress)
/// from here.
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
    pub(crate) progress: Option<&'a Progress>,
}

impl<'a> Options<'a> {
    /// The defaults.
    pub fn new() -> Options<'a> {
        Options::default()
    }

    /// Bytes of plaintext in a chunk, the unit that is sealed and read whole.
    pub fn chunk_size(mut self, size: ChunkSize) -> Self {
        self.chunk_size = size;
        self
    }

    /// What the plaintext is, for whoever opens it. [`ContentType::BYTES`] by default.
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Binds the container to something both sides know, an account's id say: it opens only with
    /// the same context (F-3.8). It is not stored.
    pub fn context(mut self, context: &'a [u8]) -> Self {
        self.context = Some(context);
        self
    }

    /// Sets bytes aside, at both ends of the container, for an envelope: the container's key,
    /// wrapped (F-8.1). What goes in is given to [`Draft::envelope`](crate::Draft::envelope);
    /// until then it is zeros.
    pub fn envelope_len(mut self, bytes: u32) -> Self {
        self.envelope_len = bytes;
        self
    }

    /// The threads to work on.
    pub fn workers(mut self, workers: Workers<'a>) -> Self {
        self.workers = workers;
        self
    }

    /// Where to report to, and to be cancelled from.
    pub fn progress(mut self, progress: &'a Progress) -> Self {
        self.progress = Some(progress);
        self
    }
}
