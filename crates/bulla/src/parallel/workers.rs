//! Worker pools.

use rayon::{Scope, ThreadPool};

/// The threads that seal and open chunks. Streams are read and written on the caller's thread.
///
/// The calling thread always takes part in the work, so a call never waits for a busy pool, and a
/// call from inside a pool cannot deadlock.
#[derive(Clone, Copy, Debug, Default)]
pub enum Workers<'a> {
    /// Only the calling thread.
    Serial,
    /// The rayon pool from which the call is made, or the global pool if the call is made outside
    /// any pool.
    #[default]
    Ambient,
    /// The given pool.
    Pool(&'a ThreadPool),
}

impl Workers<'_> {
    /// Returns the number of threads that can work concurrently, including the caller's.
    pub(crate) fn threads(&self) -> usize {
        match self {
            Workers::Serial => 1,
            Workers::Ambient => rayon::current_num_threads(),
            Workers::Pool(pool) => pool.current_num_threads(),
        }
    }

    /// Runs `work` on this thread, and concurrently on the other threads as they become free.
    /// Returns when every run has finished.
    pub(crate) fn run(&self, work: impl Fn() + Sync) {
        let threads = self.threads();
        if threads <= 1 {
            return work();
        }
        match self {
            Workers::Serial => work(),
            Workers::Ambient => rayon::in_place_scope(|scope| run_on(threads, scope, &work)),
            Workers::Pool(pool) => pool.in_place_scope(|scope| run_on(threads, scope, &work)),
        }
    }

    /// Runs `work` on this thread with a spawner whose tasks may borrow data that outlives the
    /// call. Returns when `work` and all tasks have finished.
    pub(crate) fn in_scope<'t, T>(&self, work: impl FnOnce(ScopedSpawner<'_, 't>) -> T) -> T {
        let threads = self.threads();
        match self {
            _ if threads <= 1 => work(ScopedSpawner { threads, scope: None }),
            Workers::Serial | Workers::Ambient => {
                rayon::in_place_scope(|scope| work(ScopedSpawner { threads, scope: Some(scope) }))
            }
            Workers::Pool(pool) => {
                pool.in_place_scope(|scope| work(ScopedSpawner { threads, scope: Some(scope) }))
            }
        }
    }
}

fn run_on<'s>(threads: usize, scope: &Scope<'s>, work: &'s (impl Fn() + Sync)) {
    for _ in 1..threads {
        scope.spawn(move |_| work());
    }
    work();
}

/// Runs tasks that live for `'t` on other threads.
pub(crate) trait Spawner<'t> {
    /// Returns the number of threads that can work concurrently, including the caller's.
    fn threads(&self) -> usize;

    /// Runs `task` on another thread once one is free. If there are no other threads, `task` is
    /// dropped, and the caller does the work when it needs the result.
    fn spawn(&self, task: impl FnOnce() + Send + 't);
}

impl Spawner<'static> for Workers<'_> {
    fn threads(&self) -> usize {
        Workers::threads(self)
    }

    fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        match self {
            Workers::Serial => {}
            Workers::Ambient => rayon::spawn(task),
            Workers::Pool(pool) => pool.spawn(task),
        }
    }
}

/// A [`Spawner`] within a scope that waits for its tasks.
pub(crate) struct ScopedSpawner<'s, 't> {
    threads: usize,
    scope: Option<&'s Scope<'t>>,
}

impl<'t> Spawner<'t> for ScopedSpawner<'_, 't> {
    fn threads(&self) -> usize {
        self.threads
    }

    fn spawn(&self, task: impl FnOnce() + Send + 't) {
        if let Some(scope) = self.scope {
            scope.spawn(move |_| task());
        }
    }
}
