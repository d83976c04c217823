//! The worker pool of a command.

use std::thread;

use bulla::Workers;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Exit, Failure};

/// The threads of a command, created once. Sealing, opening and passphrase hashing all use them.
pub(crate) struct WorkerPool {
    /// `None` if the system refuses even a pool that uses only the current thread.
    pool: Option<ThreadPool>,
    is_serial: bool,
}

impl WorkerPool {
    /// Creates a pool of `threads` threads, or of one thread per core.
    ///
    /// If the system refuses to start threads that were not explicitly requested, all work runs
    /// on the current thread.
    pub(crate) fn new(threads: Option<u16>) -> Result<WorkerPool, Failure> {
        let count = match threads {
            Some(count) => count.into(),
            None => thread::available_parallelism().map_or(1, usize::from),
        };
        if count == 1 {
            return Ok(WorkerPool::current_thread());
        }
        // Not rayon's global pool, which panics if the system refuses a thread.
        match (ThreadPoolBuilder::new().num_threads(count).build(), threads) {
            (Ok(pool), _) => Ok(WorkerPool { pool: Some(pool), is_serial: false }),
            (Err(_), None) => Ok(WorkerPool::current_thread()),
            (Err(e), Some(count)) => {
                let problem = format!("cannot start {count} threads ({e}); use fewer threads");
                Err(Failure::new(Exit::Environment, "--threads", problem))
            }
        }
    }

    fn current_thread() -> WorkerPool {
        let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        WorkerPool { pool: pool.ok(), is_serial: true }
    }

    /// Returns the workers to seal and open with.
    pub(crate) fn workers(&self) -> Workers<'_> {
        match &self.pool {
            Some(pool) if !self.is_serial => Workers::Pool(pool),
            _ => Workers::Serial,
        }
    }

    /// Runs work that uses rayon's ambient pool, such as hashing a passphrase, on this pool.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}
