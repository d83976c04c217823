//! Thread pools of several sizes.

use bulla::Workers;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A number of threads, and the pool that contains them.
pub struct Threads {
    count: usize,
    /// `None` for a single thread, because that is the calling thread.
    pool: Option<ThreadPool>,
}

impl Threads {
    /// Starts a pool of `count` threads, or no pool for a single thread.
    pub fn new(count: usize) -> Threads {
        let pool = (count > 1).then(|| {
            ThreadPoolBuilder::new().num_threads(count).build().expect("threads can be started")
        });
        Threads { count, pool }
    }

    /// Returns one `Threads` for each of the [`counts`] up to this machine's number of cores.
    pub fn each() -> Vec<Threads> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        counts(cores).into_iter().map(Threads::new).collect()
    }

    /// Returns the number of threads.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the threads in the form that [`bulla::Options::workers`] takes.
    pub fn workers(&self) -> Workers<'_> {
        match &self.pool {
            Some(pool) => Workers::Pool(pool),
            None => Workers::Serial,
        }
    }

    /// Returns the pool, or `None` for a single thread.
    pub fn pool(&self) -> Option<&ThreadPool> {
        self.pool.as_ref()
    }
}

/// Returns the powers of two below `cores`, then `cores`.
pub fn counts(cores: usize) -> Vec<usize> {
    let doubled = std::iter::successors(Some(1), |count| Some(count * 2));
    doubled.take_while(|count| *count < cores).chain([cores]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_double_up_to_the_number_of_cores() {
        assert_eq!(counts(1), [1]);
        assert_eq!(counts(2), [1, 2]);
        assert_eq!(counts(6), [1, 2, 4, 6]);
    }
}
