//! Cleans up after an interrupted command: removes temporary files, and restores a terminal that
//! does not echo.
//!
//! Creating, renaming and keeping such a file happens under one lock, and a signal is handled under
//! the same lock. A signal therefore always finds a file that exists, and never removes one that
//! already has its final name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Failure;

static CLEANUP: Mutex<Cleanup> =
    Mutex::new(Cleanup { files: Vec::new(), remove_many: None, restore_terminal: None });

/// The actions that a signal triggers before it ends the process.
pub(crate) struct Cleanup {
    files: Vec<PathBuf>,
    remove_many: Option<Action>,
    restore_terminal: Option<Action>,
}

/// Removes temporary files, or restores the terminal.
pub(crate) type Action = Box<dyn Fn() + Send>;

impl Cleanup {
    /// Takes the lock under which signals are handled.
    pub(crate) fn lock() -> MutexGuard<'static, Cleanup> {
        // Every step leaves the data consistent, so a poisoned lock is usable.
        CLEANUP.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes `file` if a signal arrives.
    pub(crate) fn add(&mut self, file: &Path) {
        self.files.push(file.to_owned());
    }

    /// No longer removes `file` if a signal arrives.
    pub(crate) fn forget(&mut self, file: &Path) {
        self.files.retain(|other| other != file);
    }

    /// Runs `remove` if a signal arrives.
    ///
    /// This is for commands that create many files and track them themselves. `remove` runs with
    /// the lock held, so the code that creates these files must never take it.
    pub(crate) fn set_remove_many(&mut self, remove: Action) {
        self.remove_many = Some(remove);
    }

    pub(crate) fn clear_remove_many(&mut self) {
        self.remove_many = None;
    }

    /// Runs `restore` if a signal arrives, or on [`restore_terminal`](Cleanup::restore_terminal).
    pub(crate) fn set_restore_terminal(&mut self, restore: Action) {
        self.restore_terminal = Some(restore);
    }

    /// Restores the terminal, if it was changed.
    pub(crate) fn restore_terminal(&mut self) {
        if let Some(restore) = self.restore_terminal.take() {
            restore();
        }
    }

    fn run(&mut self) {
        for file in self.files.drain(..) {
            // The process is ending, so nothing can be done about a failure.
            let _ = fs::remove_file(file);
        }
        if let Some(remove) = self.remove_many.take() {
            remove();
        }
        self.restore_terminal();
    }
}

/// Installs the signal handlers.
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
        // Without a handler, exceeding `ulimit -f` kills the process. With one, the write fails.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;

        let ignored = ignored_signals();
        let watched = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU];
        // Signals that the parent ignores, such as SIGHUP under nohup, stay ignored.
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
        // The lock is never released, so no other thread creates or renames a file from here on.
        let mut cleanup = super::Cleanup::lock();
        cleanup.run();
        let _ = writeln!(
            io::stderr(),
            "\nbulla: stopped by signal {signal}; temporary files were removed"
        );
        process::exit(128 + signal)
    }

    /// Returns the signals that were ignored when the process started, as a bit mask that starts
    /// at signal 1. Without `/proc`, it is empty.
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
            // The lock is never released, so no other thread creates or renames a file from here
            // on.
            let mut cleanup = super::Cleanup::lock();
            cleanup.run();
            // 128 + SIGINT, as elsewhere.
            process::exit(130)
        };
        ctrlc::set_handler(stop).map_err(io::Error::other)
    }
}
