//! What must not be left behind: files under a temporary name, and a silenced terminal. A signal
//! removes them before it ends the process.
//!
//! Whatever creates, renames or keeps such a file does it while it holds the lock, and a signal is
//! acted upon under the same lock. So there is no moment in which a file exists and a signal would
//! not find it, or in which a signal would remove what has its final name already.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Failure;

static LEFTOVERS: Mutex<Leftovers> =
    Mutex::new(Leftovers { files: Vec::new(), many: None, terminal: None });

/// What is to be removed or undone if the process is stopped now.
pub(crate) struct Leftovers {
    files: Vec<PathBuf>,
    many: Option<Restore>,
    terminal: Option<Restore>,
}

/// Gives the terminal back as it was, or removes what is unfinished.
pub(crate) type Restore = Box<dyn Fn() + Send>;

/// Takes the lock.
pub(crate) fn leftovers() -> MutexGuard<'static, Leftovers> {
    // What is shared is whole at every step.
    LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Leftovers {
    /// From now on, a signal removes `file`.
    pub(crate) fn add(&mut self, file: &Path) {
        self.files.push(file.to_owned());
    }

    /// From now on, no signal removes `file`.
    pub(crate) fn forget(&mut self, file: &Path) {
        self.files.retain(|other| other != file);
    }

    /// From now on, a signal runs `remove`. It is for a run that makes many files, and keeps
    /// account of them by itself; the lock is held meanwhile, so who makes such a file never
    /// takes it.
    pub(crate) fn run_on_signal(&mut self, remove: Restore) {
        self.many = Some(remove);
    }

    /// From now on, a signal runs nothing of this kind.
    pub(crate) fn run_nothing_on_signal(&mut self) {
        self.many = None;
    }

    /// From now on, a signal runs `restore`.
    pub(crate) fn silenced(&mut self, restore: Restore) {
        self.terminal = Some(restore);
    }

    /// Gives the terminal back as it was, if it was silenced.
    pub(crate) fn restore_terminal(&mut self) {
        if let Some(restore) = self.terminal.take() {
            restore();
        }
    }

    fn remove_all(&mut self) {
        for file in self.files.drain(..) {
            // There is nobody left to act on a failure.
            let _ = fs::remove_file(file);
        }
        if let Some(remove) = self.many.take() {
            remove();
        }
        self.restore_terminal();
    }
}

/// Starts to watch for signals.
pub(crate) fn install() -> Result<(), Failure> {
    system::install().map_err(|e| Failure::io("signals", &e))
}

#[cfg(unix)]
mod system {
    use std::io::{self, Write};
    use std::process;
    use std::sync::Arc;
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU, SIGXFSZ};
    use signal_hook::iterator::Signals;

    pub(super) fn install() -> io::Result<()> {
        // The limit of `ulimit -f` ends the process unless this signal has a handler; with one, the
        // write fails.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;

        let ignored = ignored_signals();
        let watched = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU];
        // nohup ignores SIGHUP on our behalf, and it should stay so.
        let watched = watched.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        let mut signals = Signals::new(watched)?;
        thread::Builder::new().name("signals".into()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                stop(signal);
            }
        })?;
        Ok(())
    }

    fn stop(signal: i32) -> ! {
        // Kept until the process is gone: nothing is created or renamed any more.
        let mut leftovers = super::leftovers();
        leftovers.remove_all();
        let _ = writeln!(
            io::stderr(),
            "\nbulla: stopped by signal {signal}; what was unfinished is removed"
        );
        process::exit(128 + signal)
    }

    /// Signals that were ignored when the process started, as bits from signal 1 on. Systems
    /// without `/proc` do not tell.
    fn ignored_signals() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}

#[cfg(windows)]
mod system {
    use std::{io, process};

    pub(super) fn install() -> io::Result<()> {
        let stop = || {
            // Kept until the process is gone: nothing is created or renamed any more.
            let mut leftovers = super::leftovers();
            leftovers.remove_all();
            // 128 + SIGINT, as elsewhere.
            process::exit(130)
        };
        ctrlc::set_handler(stop).map_err(io::Error::other)
    }
}
