//! The parallel loop over extents: each thread takes an extent, finishes it, and takes the next.
//! There are no queues, and the reported error does not depend on scheduling.

use std::iter::Enumerate;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::parallel::progress::Reporter;
use crate::parallel::workers::Workers;

/// Bytes of plaintext in an extent of a file or stream, unless a chunk is larger. An extent should
/// fit in a core's L2 cache: a prototype with 4 MiB extents took three times as long.
pub(crate) const EXTENT_LEN: usize = 1 << 20;
/// Bytes of plaintext in an in-memory extent, unless a chunk is larger. Such an extent fits in a
/// core's cache, and is small enough for a few MiB to keep all cores busy.
pub(crate) const MEMORY_EXTENT_LEN: usize = 256 << 10;

/// Calls `work` for each extent, on up to as many threads as there are workers, and returns the
/// error of the first extent that failed (F-7.5).
///
/// Each thread passes its own scratch value, such as a buffer, to `work`. `work` returns the number
/// of plaintext bytes that it processed.
///
/// Threads take extents in order, stop taking them after a failure, and finish those that they have
/// already taken. The lowest failed extent is therefore always the same.
pub(crate) fn for_each<E: Send, S: Default>(
    workers: &Workers<'_>,
    progress: Reporter<'_>,
    mut extents: impl Iterator<Item = E> + Send,
    work: impl Fn(&mut S, E) -> Result<u64> + Sync,
) -> Result<()> {
    progress.check()?;
    let (first, second) = (extents.next(), extents.next());
    let is_single = second.is_none();
    let extents = first.into_iter().chain(second).chain(extents);
    let shared = Mutex::new(Shared { extents: extents.enumerate(), failed: None });
    let run = || {
        let mut scratch = S::default();
        // This is a closure so that the lock is released before the work begins.
        let take = || lock(&shared).take();
        while let Some((index, extent)) = take() {
            match progress.check().and_then(|()| work(&mut scratch, extent)) {
                Ok(done) => progress.add(done),
                Err(error) => lock(&shared).fail(index, error),
            }
        }
    };
    // A single extent does not start a pool.
    if is_single {
        run()
    } else {
        workers.run(run)
    }
    match lock(&shared).failed.take() {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

struct Shared<I> {
    extents: Enumerate<I>,
    failed: Option<(usize, Error)>,
}

impl<I: Iterator> Shared<I> {
    /// Returns the next extent, or `None` once an extent has failed.
    fn take(&mut self) -> Option<(usize, I::Item)> {
        if self.failed.is_some() { None } else { self.extents.next() }
    }

    fn fail(&mut self, index: usize, error: Error) {
        if self.failed.as_ref().is_none_or(|(first, _)| index < *first) {
            self.failed = Some((index, error));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Poisoning can be ignored: rayon propagates panics from other threads, and the shared state is
    // consistent after every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::progress::Progress;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Miri is a thousand times slower, but tries many schedules.
    const ROUNDS: usize = if cfg!(miri) { 2 } else { 200 };

    /// F-7.5: the error does not depend on which thread fails first.
    #[test]
    fn returns_the_error_of_the_lowest_extent() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
        for workers in [Workers::Serial, Workers::Ambient, Workers::Pool(&pool)] {
            for _ in 0..ROUNDS {
                let failed =
                    for_each(&workers, Reporter::default(), 0..100usize, |(), i| match i {
                        13 => {
                            std::thread::yield_now();
                            Err(Error::ChunkRejected { index: i as u64 })
                        }
                        14.. => Err(Error::ChunkRejected { index: i as u64 }),
                        _ => Ok(1),
                    });
                assert_eq!(failed, Err(Error::ChunkRejected { index: 13 }));
            }
        }
    }

    #[test]
    fn processes_every_extent_once() {
        let seen: Vec<AtomicUsize> = (0..5 * ROUNDS).map(|_| AtomicUsize::new(0)).collect();
        let progress = Progress::new();
        for_each(&Workers::Ambient, Reporter::to(&progress), 0..5 * ROUNDS, |(), i: usize| {
            seen[i].fetch_add(1, Ordering::Relaxed);
            Ok(2)
        })
        .unwrap();
        assert!(seen.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        assert_eq!(progress.done(), 10 * ROUNDS as u64);
    }

    #[test]
    fn stops_between_extents_when_cancelled() {
        let progress = Progress::new();
        let stopped = for_each(&Workers::Serial, Reporter::to(&progress), 0..10, |(), i| {
            if i == 3 {
                progress.cancel();
            }
            Ok(1)
        });
        assert_eq!(stopped, Err(Error::Cancelled));
        assert_eq!(progress.done(), 4);
    }
}
