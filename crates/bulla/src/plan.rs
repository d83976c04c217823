//! A plaintext of many sources: planned bytes, then a tail that is made last.

use std::io::{self, Read, Write};

use crate::draft::{Draft, Sealed};
use crate::error::Result;

/// A plaintext that is made as it is sealed: so many bytes from wherever they come, and a tail that may depend on them.
///
/// Sealing asks for each planned byte once, in any order and from several threads, and then for the tail. So thousands of
/// small sources keep all cores busy as well as one large one.
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

    /// Fills all of `slots`, one behind the other, with the plaintext from `offset` on.
    ///
    /// # Errors
    ///
    /// What keeps the container from being made. A source that may fail while others go on is the plan's own affair.
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
    /// Seals a plan into a stream, and gives that back: the plan is filled on the calling thread, in order.
    ///
    /// # Errors
    ///
    /// Those of the plan, and of [`Sealer`](crate::Sealer).
    pub fn seal_plan_to<W: Write>(self, plan: &impl Plan, writer: W) -> Result<(W, Sealed)> {
        let mut sealer = self.sealer(writer)?;
        sealer.copy_from(&mut InOrder { plan, at: 0 })?;
        plan.write_tail(&mut sealer)?;
        sealer.finish()
    }
}

/// The planned bytes as a stream.
pub(crate) struct InOrder<'p, P> {
    pub(crate) plan: &'p P,
    pub(crate) at: u64,
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
