//! A plaintext of many sources: planned bytes, then a tail that is made last.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::error::Result;
use crate::format::chunk::Tickets;
use crate::format::geometry::Body;
use crate::format::run::seal_run;
use crate::options::Options;
use crate::parallel::for_each::EXTENT_LEN;
use crate::parallel::ordered::for_each_in_order;
use crate::sealing::draft::{Draft, Sealed};
use crate::sealing::sealer::Sealer;

/// A plaintext that is made as it is sealed: so many bytes from wherever they come, and a tail that
/// may depend on them.
///
/// Sealing asks for each planned byte once, in any order and from several threads, and then for the
/// tail. So thousands of small sources keep all cores busy as well as one large one.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use std::io::{self, Write};
/// use bulla::{Draft, Key, Options, Plan};
///
/// /// A thousand zeros, and a word behind them.
/// struct Zeros;
///
/// impl Plan for Zeros {
///     fn planned_len(&self) -> u64 {
///         1000
///     }
///     fn fill(&self, slots: &mut [&mut [u8]], _offset: u64) -> bulla::Result<()> {
///         slots.iter_mut().for_each(|slot| slot.fill(0));
///         Ok(())
///     }
///     fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
///         out.write_all(b"end")
///     }
/// }
///
/// let key = Key::generate()?;
/// let (container, sealed) = Draft::new(&key, &Options::new())?.seal_plan_to(&Zeros, Vec::new())?;
/// assert_eq!(sealed.plaintext_len, 1003);
/// # Ok(()) }
/// ```
pub trait Plan: Sync {
    /// Bytes that are planned. It must stay the same.
    fn planned_len(&self) -> u64;

    /// Fills all of `slots`, one behind the other, with the plaintext from `offset` on. It should
    /// not wait for the pool that it runs in: a container that is read here is opened with
    /// [`Workers::Serial`](crate::Workers::Serial).
    ///
    /// # Errors
    ///
    /// What keeps the container from being made. A source that may fail while others go on is the
    /// plan's own affair.
    fn fill(&self, slots: &mut [&mut [u8]], offset: u64) -> Result<()>;

    /// Writes what follows the planned bytes, once all of them were asked for.
    ///
    /// # Errors
    ///
    /// Those of `out`, and whatever else keeps the container from being made.
    fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
        let _ = out;
        Ok(())
    }
}

impl Draft<'_> {
    /// Seals a plan into a stream, and gives that back: the plan is filled and sealed on all
    /// workers, and written in order on the calling thread.
    ///
    /// # Errors
    ///
    /// Those of the plan, and of [`Sealer`].
    pub fn seal_plan_to<W: Write>(self, plan: &impl Plan, mut writer: W) -> Result<(W, Sealed)> {
        let layout = self.header.layout();
        let planned = layout.body_of_plaintext(plan.planned_len())?;
        writer.write_all(&self.head())?;
        let extents = self.cipher.tickets(planned.full)?.by(layout.chunk.per(EXTENT_LEN) as u64);
        let Options { workers, progress, .. } = &self.options;
        for_each_in_order(
            workers,
            *progress,
            extents,
            |buffer: &mut Zeroizing<Vec<u8>>, tickets| self.seal_extent(plan, tickets, buffer),
            |buffer| Ok(writer.write_all(buffer)?),
        )?;
        self.seal_rest(plan, &planned, writer)
    }

    /// Fills full chunks from the plan and seals them, so that `buffer` holds them as they lie in
    /// the container. Returns their bytes of plaintext.
    pub(crate) fn seal_extent(
        &self,
        plan: &impl Plan,
        tickets: Tickets,
        buffer: &mut Zeroizing<Vec<u8>>,
    ) -> Result<u64> {
        let chunk = self.header.chunk_size();
        let (first, chunks) = (tickets.first(), tickets.len() as usize);
        buffer.resize(chunks * chunk.sealed(), 0);
        let mut slots: Vec<&mut [u8]> =
            buffer.chunks_mut(chunk.sealed()).map(|slot| &mut slot[..chunk.bytes()]).collect();
        plan.fill(&mut slots, first << chunk.log2())?;
        // From here on only the ciphertext is retried: what was read lies in a buffer of this
        // thread's own (F-6.1).
        let plain_len = chunks * chunk.bytes();
        seal_run(&self.cipher, tickets, chunk, plain_len, buffer);
        Ok(plain_len as u64)
    }

    /// Seals what follows the full chunks of the planned bytes. The chunk in which those end goes
    /// with the tail's first bytes, and is sealed once (F-6.1).
    pub(crate) fn seal_rest<W: Write>(
        self,
        plan: &impl Plan,
        planned: &Body,
        writer: W,
    ) -> Result<(W, Sealed)> {
        let start = planned.full << self.header.chunk_size().log2();
        let mut sealer = Sealer::behind(self, writer, start);
        sealer.copy_from(&mut InOrder { plan, at: start })?;
        plan.write_tail(&mut sealer)?;
        sealer.finish()
    }
}

/// The planned bytes as a stream.
struct InOrder<'p, P> {
    plan: &'p P,
    at: u64,
}

impl<P: Plan> Read for InOrder<'_, P> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.plan.planned_len().saturating_sub(self.at);
        let read = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        if read > 0 {
            self.plan.fill(&mut [&mut buf[..read]], self.at)?;
            self.at += read as u64;
        }
        Ok(read)
    }
}
