//! Hands batches to other threads and takes them back in order: the pipeline under the streams.
//!
//! A batch that nobody has begun when its turn comes is worked on by the caller. So the caller
//! never waits for a thread to become free, only for one that is at work on this very batch; a busy
//! pool cannot stall a stream, and a stream that is used from within a pool cannot deadlock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::parallel::workers::Crew;

/// Work that can be done on any thread.
pub(crate) trait Batch: Send {
    /// Does it. Called once.
    fn work(&mut self);
}

/// Batches in flight, in order.
pub(crate) struct Conveyor<C, B> {
    crew: C,
    in_flight: VecDeque<Arc<Mutex<Slot<B>>>>,
}

struct Slot<B> {
    batch: Option<B>,
    begun: bool,
}

impl<B: Batch> Slot<B> {
    fn work_once(&mut self) {
        if let Some(batch) = self.batch.as_mut().filter(|_| !self.begun) {
            self.begun = true;
            batch.work();
        }
    }
}

impl<C, B: Batch> Conveyor<C, B> {
    pub(crate) fn new<'t>(crew: C) -> Conveyor<C, B>
    where
        C: Crew<'t>,
    {
        Conveyor { crew, in_flight: VecDeque::new() }
    }

    /// Whether a batch must be taken off before the next is put on.
    pub(crate) fn is_full<'t>(&self) -> bool
    where
        C: Crew<'t>,
    {
        // Asked only when there is something in flight: what fits into one batch starts no pool.
        !self.in_flight.is_empty() && self.in_flight.len() >= depth(self.crew.threads())
    }

    /// Puts a batch on the belt.
    pub(crate) fn push<'t>(&mut self, batch: B)
    where
        C: Crew<'t>,
        B: 't,
    {
        let slot = self.put(batch);
        self.crew.offer(move || lock(&slot).work_once());
    }

    /// Puts the last batch on the belt. Nobody else needs to begin it: the caller has nothing left
    /// to do meanwhile.
    pub(crate) fn push_last(&mut self, batch: B) {
        self.put(batch);
    }

    fn put(&mut self, batch: B) -> Arc<Mutex<Slot<B>>> {
        let slot = Arc::new(Mutex::new(Slot { batch: Some(batch), begun: false }));
        self.in_flight.push_back(Arc::clone(&slot));
        slot
    }

    /// Takes the oldest batch off, done.
    pub(crate) fn pop(&mut self) -> Option<B> {
        let slot = self.in_flight.pop_front()?;
        let mut slot = lock(&slot);
        slot.work_once();
        slot.batch.take()
    }
}

/// One batch for each thread, and one that is being filled or written meanwhile.
fn depth(threads: usize) -> usize {
    match threads {
        1 => 1,
        threads => threads + 1,
    }
}

fn lock<B>(slot: &Mutex<Slot<B>>) -> MutexGuard<'_, Slot<B>> {
    // Poisoned only if `Batch::work` panicked, which leaves `begun` set: the batch is never begun
    // again.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::workers::Workers;

    /// Miri takes a thousand times as long, and tries many schedules instead.
    const BATCHES: usize = if cfg!(miri) { 20 } else { 500 };

    struct Square(u64, u32);

    impl Batch for Square {
        fn work(&mut self) {
            self.0 *= self.0;
            self.1 += 1;
        }
    }

    #[test]
    fn in_order_and_once() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        for workers in [Workers::Serial, Workers::Ambient, Workers::Pool(&pool)] {
            let mut belt = Conveyor::new(workers);
            let mut taken = Vec::new();
            for i in 0..BATCHES as u64 {
                if belt.is_full() {
                    taken.extend(belt.pop());
                }
                belt.push(Square(i, 0));
            }
            taken.extend(std::iter::from_fn(|| belt.pop()));
            assert_eq!(taken.len(), BATCHES);
            for (i, square) in taken.iter().enumerate() {
                assert_eq!((square.0, square.1), ((i * i) as u64, 1));
            }
        }
    }

    /// All threads of the pool wait in `pop` themselves: nobody is left to work but the callers.
    #[test]
    fn from_within_a_saturated_pool() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|_| {
                    let mut belt = Conveyor::new(Workers::Pool(&pool));
                    for round in 0..BATCHES as u64 / 5 {
                        belt.push(Square(round, 0));
                        assert_eq!(belt.pop().unwrap().0, round * round);
                    }
                });
            }
        });
    }
}
