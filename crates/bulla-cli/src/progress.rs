//! A progress bar on a terminal.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use bulla::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar moves. Nothing is shown of work that is over sooner.
const TICK: Duration = Duration::from_millis(100);

/// Does `work`, and shows meanwhile how far it has come of `len` bytes, unless `quiet` says otherwise or there is no terminal.
pub(crate) fn watch<T>(len: Option<u64>, quiet: bool, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::new();
    if quiet || !io::stderr().is_terminal() {
        return work(&progress);
    }
    thread::scope(|scope| {
        // Dropped when the work is over, also by a panic, which is what ends the bar.
        let (_working, over) = mpsc::channel::<()>();
        let progress = &progress;
        let show = move || {
            let mut bar = None;
            while over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                bar.get_or_insert_with(|| self::bar(len)).set_position(progress.done());
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        };
        // Without a thread to spare there is no bar.
        let _ = thread::Builder::new().spawn_scoped(scope, show);
        work(progress)
    })
}

fn bar(len: Option<u64>) -> ProgressBar {
    let template = match len {
        Some(_) => "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
        None => "{spinner} {bytes}  {bytes_per_sec}  {elapsed}",
    };
    let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
