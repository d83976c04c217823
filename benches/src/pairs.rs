//! Runs two things in turn and compares them: A B A B …, the ratio of each pair, and the medians.
//!
//! On a machine that is shared, single times drift by a factor of two within minutes. What is run back to back drifts
//! together, so the ratio of a pair holds where its two times do not.

use std::fmt;
use std::time::{Duration, Instant};

/// What a comparison came to.
pub(crate) struct Pair {
    /// Seconds of the first thing, sorted.
    pub(crate) ours: Vec<f64>,
    /// Seconds of the second thing, sorted.
    pub(crate) theirs: Vec<f64>,
    /// Ratio of first to second, pair by pair, sorted.
    pub(crate) ratios: Vec<f64>,
}

/// Runs both once to warm up, then `rounds` times in turn.
pub(crate) fn in_turn(
    rounds: usize,
    mut ours: impl FnMut() -> Duration,
    mut theirs: impl FnMut() -> Duration,
) -> Pair {
    ours();
    theirs();
    let times: Vec<(f64, f64)> = (0..rounds)
        .map(|round| {
            // Each goes first as often as the other: who comes first may find the machine in another state.
            if round % 2 == 0 {
                let first = ours();
                (first.as_secs_f64(), theirs().as_secs_f64())
            } else {
                let first = theirs();
                (ours().as_secs_f64(), first.as_secs_f64())
            }
        })
        .collect();
    let sorted = |value: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = times.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    Pair { ours: sorted(|t| t.0), theirs: sorted(|t| t.1), ratios: sorted(|t| t.0 / t.1) }
}

/// The time that `work` takes.
pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// A row of a table: times in seconds, median and range of the ratio.
impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.3} s | {:.3} s | **{:.2}** ({:.2} to {:.2})",
            median(&self.ours),
            median(&self.theirs),
            median(&self.ratios),
            self.ratios[0],
            self.ratios[self.ratios.len() - 1],
        )
    }
}
