//! Runs competing operations alternately and compares them round by round: A B, B A, A B, and so
//! on.
//!
//! On a shared machine, times drift by a factor of two within minutes. Operations that run back to
//! back drift together, so a round's ratio is stable even if its times are not.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// How many times to repeat a measurement.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Maximum number of rounds.
    pub(crate) max_rounds: usize,
    /// Minimum number of rounds, however long they take.
    pub(crate) min_rounds: usize,
    /// Seconds after which no new round begins.
    pub(crate) max_seconds: f64,
}

/// An operation to measure, which returns the time that it took.
pub(crate) type Operation<'a> = &'a mut dyn FnMut() -> io::Result<Duration>;

/// The median, range and number of measured values, which are seconds or ratios.
#[derive(Clone)]
pub(crate) struct Summary {
    median: f64,
    min: f64,
    max: f64,
    count: usize,
}

/// The times of two operations that were measured alternately.
pub(crate) struct PairedTimes {
    /// Bulla's times in seconds.
    pub(crate) ours: Summary,
    /// The peer's times in seconds.
    pub(crate) theirs: Summary,
    /// The ratios of bulla's time to the peer's, one for each round.
    pub(crate) ratios: Summary,
}

/// Runs a fixed number of operations alternately, like [`alternate_all`].
pub(crate) fn alternate<const N: usize>(
    effort: Effort,
    mut operations: [Operation<'_>; N],
) -> io::Result<[Vec<f64>; N]> {
    let seconds = alternate_all(effort, &mut operations)?;
    Ok(seconds.try_into().expect("there is one list per operation"))
}

/// Runs all operations in each round, and returns the seconds of each operation by round.
///
/// Every other round runs the operations in reverse order, because the machine may be in a
/// different state for the first operation than for the last one. The caller has to warm up first.
pub(crate) fn alternate_all(
    effort: Effort,
    operations: &mut [Operation<'_>],
) -> io::Result<Vec<Vec<f64>>> {
    let start = Instant::now();
    let mut seconds = vec![Vec::new(); operations.len()];
    for round in 0..effort.max_rounds {
        if round >= effort.min_rounds && start.elapsed().as_secs_f64() > effort.max_seconds {
            break;
        }
        for step in 0..operations.len() {
            let which = if round % 2 == 0 { step } else { operations.len() - 1 - step };
            seconds[which].push(operations[which]()?.as_secs_f64());
        }
    }
    Ok(seconds)
}

/// Compares two operations that run alternately.
pub(crate) fn alternate_pair(
    effort: Effort,
    ours: Operation<'_>,
    theirs: Operation<'_>,
) -> io::Result<PairedTimes> {
    let [ours, theirs] = alternate(effort, [ours, theirs])?;
    Ok(PairedTimes::new(&ours, &theirs))
}

/// Returns the time that `operation` takes.
pub(crate) fn time(operation: impl FnOnce()) -> Duration {
    let start = Instant::now();
    operation();
    start.elapsed()
}

impl PairedTimes {
    /// Compares two operations by their seconds in each round.
    pub(crate) fn new(ours: &[f64], theirs: &[f64]) -> PairedTimes {
        let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
        PairedTimes {
            ratios: Summary::new(ratios),
            ours: Summary::new(ours.to_vec()),
            theirs: Summary::new(theirs.to_vec()),
        }
    }
}

impl Summary {
    /// Summarizes at least one value.
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Summary {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        Summary {
            // The mean of the two middle values if the number of values is even.
            median: (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
            min: sorted[0],
            max: sorted[count - 1],
            count,
        }
    }

    /// Restores a summary from the values that the CSV files store.
    pub(crate) fn from_parts(median: f64, min: f64, max: f64, count: usize) -> Summary {
        Summary { median, min, max, count }
    }

    pub(crate) fn median(&self) -> f64 {
        self.median
    }

    pub(crate) fn min(&self) -> f64 {
        self.min
    }

    pub(crate) fn max(&self) -> f64 {
        self.max
    }

    /// Returns the number of values that were summarized.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// Displays the median and the range as a table cell.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median, self.min, self.max].map(two_digits);
        write!(f, "**{median}** ({min} to {max})")
    }
}

/// Formats a ratio with two decimals, or with three below 0.1.
pub(crate) fn two_digits(ratio: f64) -> String {
    if ratio < 0.0995 { format!("{ratio:.3}") } else { format!("{ratio:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE_ROUNDS: Effort = Effort { max_rounds: 3, min_rounds: 1, max_seconds: 60.0 };

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        assert_eq!(Summary::new([4.0, 1.0, 3.0, 2.0]).median(), 2.5);
        assert_eq!(Summary::new([5.0, 1.0, 3.0]).median(), 3.0);
    }

    #[test]
    fn ratios_have_at_least_two_significant_digits() {
        assert_eq!(Summary::new([1.0 / 3.0]).to_string(), "**0.33** (0.33 to 0.33)");
        assert_eq!([0.0839, 0.0999, 1.5].map(two_digits), ["0.084", "0.10", "1.50"]);
    }

    #[test]
    fn ratios_are_taken_within_each_round() {
        let pair = PairedTimes::new(&[1.0, 20.0], &[2.0, 10.0]);
        assert_eq!((pair.ratios.min(), pair.ratios.max()), (0.5, 2.0));
    }

    #[test]
    fn every_other_round_runs_in_reverse_order() {
        let order = std::cell::RefCell::new(String::new());
        let log = |name: char| {
            order.borrow_mut().push(name);
            Ok(Duration::from_secs(1))
        };
        let [a, b] = alternate(THREE_ROUNDS, [&mut || log('a'), &mut || log('b')]).unwrap();
        assert_eq!(*order.borrow(), "abbaab");
        assert_eq!((a.len(), b.len()), (3, 3));
    }

    #[test]
    fn begins_no_round_after_the_time_limit() {
        let slow = || {
            std::thread::sleep(Duration::from_millis(20));
            Ok(Duration::from_millis(20))
        };
        let effort = Effort { max_rounds: 1000, min_rounds: 2, max_seconds: 0.01 };
        let pair = alternate_pair(effort, &mut { slow }, &mut { slow }).unwrap();
        assert_eq!(pair.ratios.count(), 2);
    }
}
