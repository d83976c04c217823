//! A progress bar on a terminal.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use bulla::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar moves. Nothing is shown of work that is over sooner.
const TICK: Duration = Duration::from_millis(100);

const BAR: &str = "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
const BAR_WITH_ENTRIES: &str =
    "{bar:30} {percent:>3}%  {bytes} of {total_bytes}  {msg}  {bytes_per_sec}  {eta} left";
const SPINNER: &str = "{spinner} {bytes}  {bytes_per_sec}  {elapsed}";
const COUNTER: &str = "{spinner} {human_pos} found  {elapsed}";

/// Does `work`, and shows meanwhile how far it has come of `len` bytes, unless `quiet` says
/// otherwise or there is no terminal.
pub(crate) fn watch<T>(len: Option<u64>, quiet: bool, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::new();
    let template = if len.is_some() { BAR } else { SPINNER };
    let show = |bar: &ProgressBar| bar.set_position(progress.done());
    showing(len, template, quiet, show, || work(&progress))
}

/// As [`watch`], and shows also how many of so many entries are done.
pub(crate) fn watch_entries<T>(
    len: u64,
    entries: u64,
    quiet: bool,
    work: impl FnOnce(&Progress, &AtomicU64) -> T,
) -> T {
    let (progress, done) = (Progress::new(), AtomicU64::new(0));
    let show = |bar: &ProgressBar| {
        bar.set_message(format!("{} of {entries} entries", done.load(Ordering::Relaxed)));
        // What stands behind the contents is not planned to the byte.
        bar.set_position(progress.done().min(len));
    };
    showing(Some(len), BAR_WITH_ENTRIES, quiet, show, || work(&progress, &done))
}

/// Does `work`, which counts what it finds, and shows the count.
pub(crate) fn watch_count<T>(quiet: bool, work: impl FnOnce(&AtomicU64) -> T) -> T {
    let found = AtomicU64::new(0);
    let show = |bar: &ProgressBar| bar.set_position(found.load(Ordering::Relaxed));
    showing(None, COUNTER, quiet, show, || work(&found))
}

fn showing<T>(
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
        // Dropped when the work is over, also by a panic, which is what ends the bar.
        let (_working, over) = mpsc::channel::<()>();
        let show = move || {
            let mut bar = None;
            while over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                show(bar.get_or_insert_with(|| self::bar(len, template)));
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        };
        // Without a thread to spare there is no bar.
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
    fn templates() {
        for template in [BAR, BAR_WITH_ENTRIES, SPINNER, COUNTER] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
