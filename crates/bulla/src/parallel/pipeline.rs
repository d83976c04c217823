//! The pipeline for streams: batches are processed on other threads and returned in order.
//!
//! If no thread has started the oldest batch by the time it is needed, the caller processes it. The
//! caller therefore never waits for a thread to become free, but only for a thread that is already
//! processing that batch. As a result, a busy pool cannot stall a stream, and a stream used inside
//! a pool cannot deadlock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::parallel::workers::Spawner;

/// Bytes of plaintext in a batch, unless a chunk is larger. Larger batches cause fewer switches
/// between the processes at the two ends of a pipe, but beyond this size, the batches in flight no
/// longer fit in the caches.
pub(crate) const BATCH_LEN: usize = 512 << 10;

/// Work that can be done on any thread.
pub(crate) trait Batch: Send {
    /// Does the work. This is called only once.
    fn work(&mut self);
}

/// Batches in flight, in order.
pub(crate) struct Pipeline<S, B> {
    spawner: S,
    in_flight: VecDeque<Arc<Mutex<Slot<B>>>>,
}

struct Slot<B> {
    batch: Option<B>,
    started: bool,
}

impl<B: Batch> Slot<B> {
    fn work_once(&mut self) {
        if let Some(batch) = self.batch.as_mut().filter(|_| !self.started) {
            self.started = true;
            batch.work();
        }
    }
}

impl<S, B: Batch> Pipeline<S, B> {
    pub(crate) fn new<'t>(spawner: S) -> Pipeline<S, B>
    where
        S: Spawner<'t>,
    {
        Pipeline { spawner, in_flight: VecDeque::new() }
    }

    /// Returns whether a batch must be popped before the next one is pushed.
    pub(crate) fn is_full<'t>(&self) -> bool
    where
        S: Spawner<'t>,
    {
        // Counts the threads only if something is in flight, so that a single batch does not start
        // a pool.
        !self.in_flight.is_empty() && self.in_flight.len() >= depth(self.spawner.threads())
    }

    /// Adds a batch, which another thread may process.
    pub(crate) fn push<'t>(&mut self, batch: B)
    where
        S: Spawner<'t>,
        B: 't,
    {
        let slot = self.enqueue(batch);
        self.spawner.spawn(move || lock(&slot).work_once());
    }

    /// Adds the last batch. No other thread is involved, because the caller has nothing else left
    /// to do.
    pub(crate) fn push_last(&mut self, batch: B) {
        self.enqueue(batch);
    }

    fn enqueue(&mut self, batch: B) -> Arc<Mutex<Slot<B>>> {
        let slot = Arc::new(Mutex::new(Slot { batch: Some(batch), started: false }));
        self.in_flight.push_back(Arc::clone(&slot));
        slot
    }

    /// Removes the oldest batch and returns it once it is processed, or `None` if the pipeline is
    /// empty.
    pub(crate) fn pop(&mut self) -> Option<B> {
        let slot = self.in_flight.pop_front()?;
        let mut slot = lock(&slot);
        slot.work_once();
        slot.batch.take()
    }
}

/// Returns the maximum number of batches in flight: one per thread, and one that is being filled or
/// written.
fn depth(threads: usize) -> usize {
    match threads {
        1 => 1,
        threads => threads + 1,
    }
}

fn lock<B>(slot: &Mutex<Slot<B>>) -> MutexGuard<'_, Slot<B>> {
    // The mutex is poisoned only if `Batch::work` panicked. In that case `started` is still
    // set, so the batch is not started again.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::workers::Workers;

    /// Miri is a thousand times slower, but tries many schedules.
    const BATCHES: usize = if cfg!(miri) { 20 } else { 500 };

    struct Square {
        value: u64,
        runs: u32,
    }

    impl Batch for Square {
        fn work(&mut self) {
            self.value *= self.value;
            self.runs += 1;
        }
    }

    #[test]
    fn processes_each_batch_once_and_in_order() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        for workers in [Workers::Serial, Workers::Ambient, Workers::Pool(&pool)] {
            let mut pipeline = Pipeline::new(workers);
            let mut taken = Vec::new();
            for i in 0..BATCHES as u64 {
                if pipeline.is_full() {
                    taken.extend(pipeline.pop());
                }
                pipeline.push(Square { value: i, runs: 0 });
            }
            taken.extend(std::iter::from_fn(|| pipeline.pop()));
            assert_eq!(taken.len(), BATCHES);
            for (i, square) in taken.iter().enumerate() {
                assert_eq!((square.value, square.runs), ((i * i) as u64, 1));
            }
        }
    }

    /// All of the pool's threads wait in `pop`, so only the callers can do the work.
    #[test]
    fn does_not_deadlock_in_a_saturated_pool() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|_| {
                    let mut pipeline = Pipeline::new(Workers::Pool(&pool));
                    for round in 0..BATCHES as u64 / 5 {
                        pipeline.push(Square { value: round, runs: 0 });
                        assert_eq!(pipeline.pop().unwrap().value, round * round);
                    }
                });
            }
        });
    }
}
