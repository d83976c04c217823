//! Works through the extents of a container on many threads, each run to completion: no queue, no
//! hand-over, and the first error is the same whatever the threads do.

use std::iter::Enumerate;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::parallel::workers::{Progress, Workers, check};

/// Bytes of plaintext in an extent, unless a chunk is larger. It should stay near a core's L2
/// cache: with 4 MiB a prototype took three times as long.
pub(crate) const EXTENT_LEN: usize = 1 << 20;

/// Takes extents in order and does `work` on each, on as many threads as there are workers and
/// extents. `scratch` makes what a thread keeps between extents (a buffer); `work` returns how many
/// bytes of plaintext it dealt with.
///
/// The error is that of the first extent that fails, in the extents' order (F-7.5): an extent is
/// taken only after all before it were taken, those are completed, and the lowest error wins.
pub(crate) fn for_each<E: Send, S>(
    workers: &Workers<'_>,
    progress: Option<&Progress>,
    mut extents: impl Iterator<Item = E> + Send,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, E) -> Result<u64> + Sync,
) -> Result<()> {
    check(progress)?;
    let (first, second) = (extents.next(), extents.next());
    // A single extent starts no pool.
    let copies = if second.is_some() { usize::MAX } else { 1 };
    let extents = first.into_iter().chain(second).chain(extents);
    let shared = Mutex::new(Shared { extents: extents.enumerate(), failed: None });
    workers.run(copies, || {
        let mut scratch = scratch();
        // A function of its own, so that the lock is given back before the work begins.
        let take = || lock(&shared).take();
        while let Some((index, extent)) = take() {
            match check(progress).and_then(|()| work(&mut scratch, extent)) {
                Ok(done) => {
                    if let Some(progress) = progress {
                        progress.add(done);
                    }
                }
                Err(error) => lock(&shared).fail(index, error),
            }
        }
    });
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
    /// The next extent; none once one has failed.
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
    // A panic of another thread is passed on by rayon; what is shared here is whole at every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Miri takes a thousand times as long, and tries many schedules instead.
    const ROUNDS: usize = if cfg!(miri) { 2 } else { 200 };

    /// F-7.5: the lowest error wins, whichever thread meets it first.
    #[test]
    fn lowest_error_wins() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().unwrap();
        for workers in [Workers::Serial, Workers::Ambient, Workers::Pool(&pool)] {
            for _ in 0..ROUNDS {
                let failed = for_each(
                    &workers,
                    None,
                    0..100usize,
                    || (),
                    |(), i| match i {
                        13 => {
                            std::thread::yield_now();
                            Err(Error::ChunkRejected { index: i as u64 })
                        }
                        14.. => Err(Error::ChunkRejected { index: i as u64 }),
                        _ => Ok(1),
                    },
                );
                assert!(matches!(failed, Err(Error::ChunkRejected { index: 13 })), "{failed:?}");
            }
        }
    }

    #[test]
    fn every_extent_once() {
        let seen: Vec<AtomicUsize> = (0..5 * ROUNDS).map(|_| AtomicUsize::new(0)).collect();
        let progress = Progress::new();
        for_each(
            &Workers::Ambient,
            Some(&progress),
            0..5 * ROUNDS,
            || (),
            |(), i: usize| {
                seen[i].fetch_add(1, Ordering::Relaxed);
                Ok(2)
            },
        )
        .unwrap();
        assert!(seen.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        assert_eq!(progress.done(), 10 * ROUNDS as u64);
    }

    #[test]
    fn cancelled_between_extents() {
        let progress = Progress::new();
        let stopped = for_each(
            &Workers::Serial,
            Some(&progress),
            0..10,
            || (),
            |(), i| {
                if i == 3 {
                    progress.cancel();
                }
                Ok(1)
            },
        );
        assert!(matches!(stopped, Err(Error::Cancelled)));
        assert_eq!(progress.done(), 4);
    }
}
