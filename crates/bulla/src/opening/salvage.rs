//! Reads what is left of a damaged container.

use zeroize::Zeroizing;

use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::chunk::ChunkOpener;
use crate::format::geometry::{Body, ChunkSize, HEADER_LEN, Layout, TAG_LEN};
use crate::format::header::{Header, Place, is_valid};
use crate::format::run::open_run;
use crate::format::schedule::{Exporter, Schedule};
use crate::io::read_at::{ReadAt, read_full_at};
use crate::opening::preamble::{Preamble, read_foot};
use crate::opening::tail_check::trailing_data;
use crate::options::Options;

/// Reads a damaged container chunk by chunk: each that is there and authentic, whatever became of
/// the others.
///
/// It is for salvage, and for nothing else: it takes whichever copy of the header fits the key,
/// where opening lets no key have a say (F-3.4), and it promises nothing of the length. What it
/// gives was authenticated all the same, chunk by chunk.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use bulla::{ChunkSize, Key, Options, SalvageReader};
///
/// let key = Key::generate()?;
/// let options = Options::new().chunk_size(ChunkSize::MIN);
/// let container = bulla::seal(&key, &[7; 10_000], &options)?;
///
/// // Cut within chunk 1.
/// let salvage = SalvageReader::new(&key, &container[..5000], &options)?;
/// assert_eq!(salvage.chunk(0).unwrap()[..], [7; 4096]);
/// assert!(salvage.chunk(1).is_none());
/// # Ok(()) }
/// ```
pub struct SalvageReader<S: ReadAt> {
    source: S,
    header: Header,
    exporter: Exporter,
    cipher: ChunkOpener,
    layout: Layout,
    /// Bytes in the source.
    size: u64,
    /// The chunks if nothing is missing: as the length tells, without trailing data.
    body: Body,
}

impl<S: ReadAt> SalvageReader<S> {
    /// Reads both copies of the header, and takes the first that fits the key.
    ///
    /// # Errors
    ///
    /// As [`Preamble::read_at`]; [`Error::ContextRequired`], [`Error::ContextUnexpected`],
    /// [`Error::WrongKey`]; [`Error::Io`] if the length cannot be read.
    pub fn new(key: &Key, source: S, options: &Options<'_>) -> Result<SalvageReader<S>> {
        let size = source.size()?;
        let (header, schedule) = unlock(&source, size, key, options)?;
        let layout = header.layout();
        let extra = trailing_data(&source, &header).ok().flatten().unwrap_or(0);
        Ok(SalvageReader {
            cipher: ChunkOpener::new(&schedule),
            exporter: schedule.exporter,
            body: layout.body_of_container(size - extra)?,
            layout,
            header,
            size,
            source,
        })
    }

    /// The header that fits the key.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of plaintext in every chunk but the last.
    pub fn chunk_size(&self) -> ChunkSize {
        self.layout.chunk
    }

    /// A secret of this container for a layer above, as [`Draft::export`](crate::Draft::export).
    pub fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        self.exporter.export(label)
    }

    /// The length of the plaintext, if the last chunk is there to authenticate it.
    pub fn plaintext_len(&self) -> Option<u64> {
        let last = self.chunk(self.body.full)?.len();
        let size = self.layout.chunk.bytes();
        (last < size).then(|| self.body.full * size as u64 + last as u64)
    }

    /// How many chunks the source has room for, full or not.
    pub fn max_chunks(&self) -> u64 {
        let full =
            self.size.saturating_sub(self.layout.head_len()) / self.layout.chunk.sealed() as u64;
        full.max(self.body.chunks())
    }

    /// The plaintext of a chunk; `None` if it is not there, cannot be read, or is not authentic.
    /// One that is shorter than [`chunk_size`](SalvageReader::chunk_size), and only that one,
    /// is the last.
    pub fn chunk(&self, index: u64) -> Option<Zeroizing<Vec<u8>>> {
        if index >= self.max_chunks() {
            return None;
        }
        // A cut container may hold full chunks where an intact one of its length would end.
        let full = self.open(index, self.layout.chunk.sealed());
        full.or_else(|| {
            (index == self.body.full).then(|| self.open(index, self.body.rest as usize)).flatten()
        })
    }

    fn open(&self, index: u64, len: usize) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(vec![0; len]);
        let read = read_full_at(&self.source, &mut buffer, self.layout.chunk_offset(index)).ok()?;
        if read < len || len < TAG_LEN {
            return None;
        }
        let run = open_run(&self.cipher, index, self.layout.chunk, &mut buffer);
        buffer.truncate(run.plain_len);
        run.rejected.is_none().then_some(buffer)
    }
}

/// The first copy that fits the key; if none does, the error of the one that counts.
fn unlock<S: ReadAt>(
    source: &S,
    size: u64,
    key: &Key,
    options: &Options<'_>,
) -> Result<(Header, Schedule)> {
    let mut head = [0; HEADER_LEN];
    let whole = read_full_at(source, &mut head, 0).is_ok_and(|read| read == HEADER_LEN);
    let head = Some(head).filter(|head| whole && is_valid(head, Place::Head));
    let foot = read_foot(source, size).ok().flatten().filter(|foot| is_valid(foot, Place::Foot));
    let fits = |copy: &[u8; HEADER_LEN]| {
        let header = Header::from_copy(copy)?;
        let schedule = Schedule::of_sealed(key, &header, options.context)?;
        Ok((header, schedule))
    };
    match (head.as_ref().map(fits), foot.as_ref().map(fits)) {
        (Some(Ok(found)), _) | (_, Some(Ok(found))) => Ok(found),
        (Some(Err(error)), _) | (None, Some(Err(error))) => Err(error),
        (None, None) => Err(Preamble::read_at(source).err().unwrap_or(Error::DamagedHeader)),
    }
}
