//! The parallel loop for outputs that cannot be written at an offset: extents are processed on many
//! threads and handed to the calling thread in order.

use crate::error::{Error, Result};
use crate::parallel::pipeline::{Batch, Pipeline};
use crate::parallel::progress::Reporter;
use crate::parallel::workers::Workers;

/// Calls `work` for each extent, on up to as many threads as there are workers, and passes each
/// result to `take` in order, on this thread.
///
/// `work` leaves its result in a scratch value and returns the number of plaintext bytes that it
/// processed. Scratch values are reused, and only as many extents are in flight as the pipeline
/// holds, so memory does not grow with the number of extents.
///
/// Returns the error of the first extent that failed (F-7.5). All extents before that one have been
/// passed to `take`.
pub(crate) fn for_each_in_order<E: Send, S: Default + Send>(
    workers: &Workers<'_>,
    progress: Reporter<'_>,
    extents: impl Iterator<Item = E>,
    work: impl Fn(&mut S, E) -> Result<u64> + Sync,
    mut take: impl FnMut(&S) -> Result<()>,
) -> Result<()> {
    progress.check()?;
    let mut extents = extents.peekable();
    let Some(first) = extents.next() else {
        return Ok(());
    };
    if extents.peek().is_none() {
        // A single extent does not start a pool.
        let mut scratch = S::default();
        let done = work(&mut scratch, first)?;
        take(&scratch)?;
        progress.add(done);
        return Ok(());
    }
    let mut extents = std::iter::once(first).chain(extents);
    workers.in_scope(|spawner| {
        let mut pipeline = Pipeline::new(spawner);
        let mut spare = S::default();
        loop {
            while !pipeline.is_full()
                && let Some(extent) = extents.next()
            {
                let scratch = std::mem::take(&mut spare);
                let todo = Some((extent, &work));
                pipeline.push(Extent { todo, scratch, done: None });
            }
            let Some(Extent { scratch, done, .. }) = pipeline.pop() else {
                return Ok(());
            };
            let done = done.unwrap_or_else(|| Err(worker_panicked()))?;
            take(&scratch)?;
            progress.add(done);
            progress.check()?;
            spare = scratch;
        }
    })
}

/// An extent in the pipeline.
struct Extent<'w, E, S, W> {
    todo: Option<(E, &'w W)>,
    scratch: S,
    /// `None` if `work` panicked.
    done: Option<Result<u64>>,
}

impl<E: Send, S: Send, W: Fn(&mut S, E) -> Result<u64> + Sync> Batch for Extent<'_, E, S, W> {
    fn work(&mut self) {
        if let Some((extent, work)) = self.todo.take() {
            self.done = Some(work(&mut self.scratch, extent));
        }
    }
}

fn worker_panicked() -> Error {
    std::io::Error::other("a worker thread panicked").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::progress::Progress;

    #[test]
    fn takes_extents_in_order_until_the_first_error() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        for workers in [Workers::Serial, Workers::Ambient, Workers::Pool(&pool)] {
            for last in [0, 1, 2, 77] {
                let mut taken = Vec::new();
                let work = |scratch: &mut u64, extent: u64| {
                    *scratch = extent;
                    if extent >= last { Err(Error::ChunkRejected { index: extent }) } else { Ok(1) }
                };
                let take = |scratch: &u64| {
                    taken.push(*scratch);
                    Ok(())
                };
                let ended = for_each_in_order(&workers, Reporter::default(), 0..100, work, take);
                assert_eq!(ended, Err(Error::ChunkRejected { index: last }));
                assert_eq!(taken, (0..last).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn stops_when_take_fails() {
        let progress = Progress::new();
        let ended = for_each_in_order(
            &Workers::Ambient,
            Reporter::to(&progress),
            0..1000u32,
            |scratch: &mut u32, extent| {
                *scratch = extent;
                Ok(2)
            },
            |scratch| if *scratch == 5 { Err(Error::Cancelled) } else { Ok(()) },
        );
        assert_eq!(ended, Err(Error::Cancelled));
        assert_eq!(progress.done(), 10);
    }

    #[test]
    fn propagates_a_panic() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        let run = || {
            let work =
                |_: &mut (), extent: u32| if extent == 9 { panic!("planned") } else { Ok(1) };
            for_each_in_order(&Workers::Pool(&pool), Reporter::default(), 0..20u32, work, |()| {
                Ok(())
            })
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        let payload = result.expect_err("the panic is propagated");
        assert_eq!(payload.downcast_ref(), Some(&"planned"));
    }
}
