//! A progress bar on a terminal.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use bulla::Progress;
use bulla_archive::EntryProgress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The interval between updates. Work that takes less time shows no bar.
const TICK: Duration = Duration::from_millis(100);

const BAR: &str = "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
const BAR_WITH_ENTRIES: &str =
    "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {msg}  {bytes_per_sec}  {eta} left";
const SPINNER: &str = "{spinner} {bytes}  {bytes_per_sec}  {elapsed}";
const COUNTER: &str = "{spinner} {human_pos} found  {elapsed}";

/// Runs `work`, and shows a progress bar for `len` bytes unless `quiet` is set or standard error is
/// not a terminal.
pub(crate) fn with_bytes<T>(len: Option<u64>, quiet: bool, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::new();
    let template = if len.is_some() { BAR } else { SPINNER };
    let show = |bar: &ProgressBar| bar.set_position(progress.done());
    show_while(len, template, quiet, show, || work(&progress))
}

/// Does the same as [`with_bytes`], and also shows how many of `entries` are done.
pub(crate) fn with_entries<T>(
    len: u64,
    entries: u64,
    entries_done: &EntryProgress,
    quiet: bool,
    work: impl FnOnce(&Progress) -> T,
) -> T {
    let progress = Progress::new();
    let show = |bar: &ProgressBar| {
        bar.set_message(format!("{} of {entries} entries", entries_done.done()));
        // The records after the contents are only estimated.
        bar.set_position(progress.done().min(len));
    };
    show_while(Some(len), BAR_WITH_ENTRIES, quiet, show, || work(&progress))
}

/// Runs `work`, and shows the number of entries that it has found so far.
pub(crate) fn with_count<T>(quiet: bool, work: impl FnOnce(&AtomicU64) -> T) -> T {
    let found = AtomicU64::new(0);
    let show = |bar: &ProgressBar| bar.set_position(found.load(Ordering::Relaxed));
    show_while(None, COUNTER, quiet, show, || work(&found))
}

fn show_while<T>(
    len: Option<u64>,
    template: &str,
    quiet: bool,
    show: impl Fn(&ProgressBar) + Send,
    work: impl FnOnce() -> T,
) -> T {
    if quiet || !io::stderr().is_terminal() {
        return work();
    }
    thread::scope(|scope| {
        // Dropping the sender ends the bar, even if the work panics.
        let (_sender, ended) = mpsc::channel::<()>();
        let show = move || {
            let mut bar = None;
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                show(bar.get_or_insert_with(|| self::bar(len, template)));
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        };
        // If the thread cannot be started, no bar is shown.
        let _ = thread::Builder::new().spawn_scoped(scope, show);
        work()
    })
}

fn bar(len: Option<u64>, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(len, ProgressDrawTarget::stderr());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid() {
        for template in [BAR, BAR_WITH_ENTRIES, SPINNER, COUNTER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
