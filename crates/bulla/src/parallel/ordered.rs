//! Works through extents on many threads, and hands them to the calling thread in order: for
//! outputs without offsets.

use crate::error::{Error, Result};
use crate::parallel::pipeline::{Batch, Conveyor};
use crate::parallel::workers::{Progress, Workers, check};

/// Does `work` on each extent on as many threads as there are workers, ahead of `take`, which gets
/// the scratches that `work` left, in the extents' order, on this thread. So few extents are under
/// way at once that memory does not grow with their number; a scratch that was taken is used again.
///
/// `work` returns how many bytes of plaintext it dealt with. The error is that of the first extent
/// that fails (F-7.5), and all before it were taken.
pub(crate) fn for_each_in_order<E: Send, S: Default + Send>(
    workers: &Workers<'_>,
    progress: Option<&Progress>,
    extents: impl Iterator<Item = E>,
    work: impl Fn(&mut S, E) -> Result<u64> + Sync,
    mut take: impl FnMut(&S) -> Result<()>,
) -> Result<()> {
    check(progress)?;
    let mut extents = extents.peekable();
    let Some(first) = extents.next() else {
        return Ok(());
    };
    if extents.peek().is_none() {
        // A single extent starts no pool.
        let mut scratch = S::default();
        let done = work(&mut scratch, first)?;
        take(&scratch)?;
        add(progress, done);
        return Ok(());
    }
    let mut extents = std::iter::once(first).chain(extents);
    workers.in_scope(|crew| {
        let mut belt = Conveyor::new(crew);
        let mut spare = S::default();
        loop {
            while !belt.is_full()
                && let Some(extent) = extents.next()
            {
                let scratch = std::mem::take(&mut spare);
                belt.push(Extent { todo: Some((extent, &work)), scratch, done: Err(panicked()) });
            }
            let Some(Extent { scratch, done, .. }) = belt.pop() else {
                return Ok(());
            };
            let done = done?;
            take(&scratch)?;
            add(progress, done);
            check(progress)?;
            spare = scratch;
        }
    })
}

fn add(progress: Option<&Progress>, done: u64) {
    if let Some(progress) = progress {
        progress.add(done);
    }
}

fn panicked() -> Error {
    std::io::Error::other("a thread panicked while it worked").into()
}

struct Extent<'w, E, S, W> {
    todo: Option<(E, &'w W)>,
    scratch: S,
    done: Result<u64>,
}

impl<E: Send, S: Send, W: Fn(&mut S, E) -> Result<u64> + Sync> Batch for Extent<'_, E, S, W> {
    fn work(&mut self) {
        if let Some((extent, work)) = self.todo.take() {
            self.done = work(&mut self.scratch, extent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_until_the_first_error() {
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
                let ended = for_each_in_order(&workers, None, 0..100, work, take);
                assert!(
                    matches!(ended, Err(Error::ChunkRejected { index }) if index == last),
                    "{ended:?}"
                );
                assert_eq!(taken, (0..last).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn an_error_of_the_taker_ends_it() {
        let progress = Progress::new();
        let ended = for_each_in_order(
            &Workers::Ambient,
            Some(&progress),
            0..1000u32,
            |scratch: &mut u32, extent| {
                *scratch = extent;
                Ok(2)
            },
            |scratch| if *scratch == 5 { Err(Error::Cancelled) } else { Ok(()) },
        );
        assert!(matches!(ended, Err(Error::Cancelled)));
        assert_eq!(progress.done(), 10);
    }

    #[test]
    fn a_panic_comes_back() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        let run = || {
            let work =
                |_: &mut (), extent: u32| if extent == 9 { panic!("planned") } else { Ok(1) };
            for_each_in_order(&Workers::Pool(&pool), None, 0..20u32, work, |()| Ok(()))
        };
        let came = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert!(!matches!(came, Ok(Ok(()))));
    }
}
