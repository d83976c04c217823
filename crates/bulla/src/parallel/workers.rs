//! Who does the work, and how it is watched and stopped.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::{Scope, ThreadPool};

use crate::error::{Error, Result};

/// The threads that seal and open chunks. Reading and writing a stream stays on the caller's
/// thread.
///
/// The calling thread always works along, so nothing here waits for a pool that is busy with
/// something else, and a call from within a pool cannot deadlock.
#[derive(Clone, Copy, Debug, Default)]
pub enum Workers<'a> {
    /// The calling thread alone.
    Serial,
    /// The rayon pool that the call happens in: the global one unless the caller runs in another.
    #[default]
    Ambient,
    /// This pool.
    Pool(&'a ThreadPool),
}

impl Workers<'_> {
    /// How many threads may work at once, the caller's included.
    pub(crate) fn threads(&self) -> usize {
        match self {
            Workers::Serial => 1,
            Workers::Ambient => rayon::current_num_threads(),
            Workers::Pool(pool) => pool.current_num_threads(),
        }
    }

    /// Runs `work` on this thread, and at once on others while they are free, `copies` times in all
    /// at most. Returns when all are done.
    pub(crate) fn run(&self, copies: usize, work: impl Fn() + Sync) {
        // In this order: a small call does not start a pool to learn its size.
        if copies <= 1 || self.threads() <= 1 {
            return work();
        }
        let copies = copies.min(self.threads());
        match self {
            Workers::Serial => work(),
            Workers::Ambient => rayon::in_place_scope(|scope| spread(scope, copies, &work)),
            Workers::Pool(pool) => pool.in_place_scope(|scope| spread(scope, copies, &work)),
        }
    }

    /// Runs `work` on this thread, with a crew that may borrow what outlives the call. Returns when
    /// the crew is done too.
    pub(crate) fn in_scope<'t, T>(&self, work: impl FnOnce(ScopedCrew<'_, 't>) -> T) -> T {
        let threads = self.threads();
        match self {
            _ if threads <= 1 => work(ScopedCrew { threads, scope: None }),
            Workers::Serial | Workers::Ambient => {
                rayon::in_place_scope(|scope| work(ScopedCrew { threads, scope: Some(scope) }))
            }
            Workers::Pool(pool) => {
                pool.in_place_scope(|scope| work(ScopedCrew { threads, scope: Some(scope) }))
            }
        }
    }
}

/// Threads that take work while they are free, which lives for `'t`.
pub(crate) trait Crew<'t> {
    /// How many threads may work at once, the caller's included.
    fn threads(&self) -> usize;

    /// Runs `work` on another thread when one is free. Without other threads it is dropped: whoever
    /// needs its result does it then.
    fn offer(&self, work: impl FnOnce() + Send + 't);
}

impl Crew<'static> for Workers<'_> {
    fn threads(&self) -> usize {
        Workers::threads(self)
    }

    fn offer(&self, work: impl FnOnce() + Send + 'static) {
        match self {
            Workers::Serial => {}
            Workers::Ambient => rayon::spawn(work),
            Workers::Pool(pool) => pool.spawn(work),
        }
    }
}

/// A crew within a scope, which ends when its work is done.
pub(crate) struct ScopedCrew<'s, 't> {
    threads: usize,
    scope: Option<&'s Scope<'t>>,
}

impl<'t> Crew<'t> for ScopedCrew<'_, 't> {
    fn threads(&self) -> usize {
        self.threads
    }

    fn offer(&self, work: impl FnOnce() + Send + 't) {
        if let Some(scope) = self.scope {
            scope.spawn(move |_| work());
        }
    }
}

/// How far a call has come, and a way to stop it. Share it with the thread that shows it.
///
/// ```
/// # fn main() -> bulla::Result<()> {
/// use bulla::{Key, Options, Progress};
/// let progress = Progress::new();
/// bulla::seal(&Key::generate()?, b"a message", &Options::new().progress(&progress))?;
/// assert_eq!(progress.done(), 9);
///
/// progress.cancel();
/// let again = bulla::seal(&Key::generate()?, b"a message", &Options::new().progress(&progress));
/// assert!(matches!(again, Err(bulla::Error::Cancelled)));
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    cancelled: AtomicBool,
}

impl Progress {
    /// Nothing done yet, not cancelled.
    pub const fn new() -> Progress {
        Progress { done: AtomicU64::new(0), cancelled: AtomicBool::new(false) }
    }

    /// Bytes of plaintext sealed or opened so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Makes the calls that were given this `Progress` fail with [`Error::Cancelled`] at their next
    /// extent (about 1 MiB).
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether [`cancel`](Progress::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn spread<'s>(scope: &Scope<'s>, copies: usize, work: &'s (impl Fn() + Sync)) {
    for _ in 1..copies {
        scope.spawn(move |_| work());
    }
    work();
}

/// Fails if the caller has cancelled.
pub(crate) fn check(progress: Option<&Progress>) -> Result<()> {
    match progress {
        Some(progress) if progress.is_cancelled() => Err(Error::Cancelled),
        _ => Ok(()),
    }
}
