//! The threads that a command works on.

use std::thread;

use bulla::Workers;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Exit, Failure};

/// The threads; none but the main one if the pool is missing.
pub(crate) struct Team(Option<ThreadPool>);

impl Team {
    /// As many threads as asked for, or as the machine runs at once.
    pub(crate) fn new(threads: Option<u16>) -> Result<Team, Failure> {
        let count = match threads {
            Some(count) => count.into(),
            None => thread::available_parallelism().map_or(1, usize::from),
        };
        if count == 1 {
            return Ok(Team(None));
        }
        // Not rayon's own pool: that one panics where the system refuses a thread.
        match (ThreadPoolBuilder::new().num_threads(count).build(), threads) {
            (Ok(pool), _) => Ok(Team(Some(pool))),
            (Err(_), None) => Ok(Team(None)),
            (Err(e), Some(count)) => {
                let text = format!("the system refuses {count} threads ({e}); try fewer");
                Err(Failure::new(Exit::Environment, "--threads", text))
            }
        }
    }

    pub(crate) fn workers(&self) -> Workers<'_> {
        self.0.as_ref().map_or(Workers::Serial, Workers::Pool)
    }
}

/// Does work that uses rayon's ambient pool, such as hashing a passphrase, in a pool that is there
/// for it alone: the ambient one panics where the system refuses a thread.
pub(crate) fn compute<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = ThreadPoolBuilder::new().build();
    match pool.or_else(|_| ThreadPoolBuilder::new().num_threads(1).use_current_thread().build()) {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}
