//! Numbers of threads, each with its pool.

use bulla::Workers;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads to work on.
pub struct Threads {
    count: usize,
    /// None for a single thread.
    pool: Option<ThreadPool>,
}

impl Threads {
    /// So many threads.
    pub fn new(count: usize) -> Threads {
        let pool = (count > 1).then(|| {
            ThreadPoolBuilder::new().num_threads(count).build().expect("threads can be started")
        });
        Threads { count, pool }
    }

    /// One, two, four and so on, and as many as there are cores.
    pub fn each() -> Vec<Threads> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let doubled = std::iter::successors(Some(1), |count| Some(count * 2));
        doubled.take_while(|count| *count < cores).chain([cores]).map(Threads::new).collect()
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// For [`bulla::Options::workers`].
    pub fn workers(&self) -> Workers<'_> {
        match &self.pool {
            Some(pool) => Workers::Pool(pool),
            None => Workers::Serial,
        }
    }

    /// The pool, unless it is a single thread.
    pub(crate) fn pool(&self) -> Option<&ThreadPool> {
        self.pool.as_ref()
    }
}
