//! Runs things in turn and compares them: A B, B A, A B …, the ratio of each round, and the
//! medians.
//!
//! On a machine that is shared, single times drift by a factor of two within minutes. What is run
//! back to back drifts together, so the ratio of a round holds where its times do not.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// How often to repeat.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Rounds at most.
    pub(crate) rounds: usize,
    /// Rounds at least, however long they take.
    pub(crate) at_least: usize,
    /// Time after which no further round is begun.
    pub(crate) seconds: f64,
}

/// Something to be timed.
pub(crate) type Work<'a> = &'a mut dyn FnMut() -> io::Result<Duration>;

/// Seconds, or ratios: what is told of them.
#[derive(Clone)]
pub(crate) struct Values {
    median: f64,
    min: f64,
    max: f64,
    count: usize,
}

/// What a comparison came to.
pub(crate) struct Pair {
    /// Seconds of the first thing.
    pub(crate) ours: Values,
    /// Seconds of the second thing.
    pub(crate) theirs: Values,
    /// Ratio of first to second, round by round.
    pub(crate) ratios: Values,
}

/// Runs all of them in turn, as [`rotate_all`].
pub(crate) fn rotate<const N: usize>(
    effort: Effort,
    mut works: [Work<'_>; N],
) -> io::Result<[Vec<f64>; N]> {
    let seconds = rotate_all(effort, &mut works)?;
    Ok(seconds.try_into().expect("as many as there are works"))
}

/// Runs all of them in turn; seconds by round. Every other round goes backwards: who comes first
/// may find the machine in another state. What has to warm up runs once before.
pub(crate) fn rotate_all(effort: Effort, works: &mut [Work<'_>]) -> io::Result<Vec<Vec<f64>>> {
    let start = Instant::now();
    let mut seconds = vec![Vec::new(); works.len()];
    for round in 0..effort.rounds {
        if round >= effort.at_least && start.elapsed().as_secs_f64() > effort.seconds {
            break;
        }
        for step in 0..works.len() {
            let which = if round % 2 == 0 { step } else { works.len() - 1 - step };
            seconds[which].push(works[which]()?.as_secs_f64());
        }
    }
    Ok(seconds)
}

/// Compares two things, as [`rotate`] runs them.
pub(crate) fn in_turn(effort: Effort, ours: Work<'_>, theirs: Work<'_>) -> io::Result<Pair> {
    let [ours, theirs] = rotate(effort, [ours, theirs])?;
    Ok(Pair::new(&ours, &theirs))
}

/// The time that `work` takes.
pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

impl Pair {
    /// Of seconds by round.
    pub(crate) fn new(ours: &[f64], theirs: &[f64]) -> Pair {
        let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
        Pair {
            ratios: Values::new(ratios),
            ours: Values::new(ours.to_vec()),
            theirs: Values::new(theirs.to_vec()),
        }
    }
}

impl Values {
    /// Of at least one value.
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Values {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        Values {
            // The middle one, or the mean of the two in the middle.
            median: (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
            min: sorted[0],
            max: sorted[count - 1],
            count,
        }
    }

    /// As an earlier report told them.
    pub(crate) fn told(median: f64, min: f64, max: f64, count: usize) -> Values {
        Values { median, min, max, count }
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.median
    }

    /// The least one.
    pub(crate) fn min(&self) -> f64 {
        self.min
    }

    /// The greatest one.
    pub(crate) fn max(&self) -> f64 {
        self.max
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

/// Median and range, as a cell of a table.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "**{:.2}** ({:.2} to {:.2})", self.median(), self.min(), self.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: Effort = Effort { rounds: 3, at_least: 1, seconds: 60.0 };

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(Values::new([4.0, 1.0, 3.0, 2.0]).median(), 2.5);
        assert_eq!(Values::new([5.0, 1.0, 3.0]).median(), 3.0);
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let pair = Pair::new(&[1.0, 20.0], &[2.0, 10.0]);
        assert_eq!((pair.ratios.min(), pair.ratios.max()), (0.5, 2.0));
    }

    #[test]
    fn every_other_round_goes_backwards() {
        let order = std::cell::RefCell::new(String::new());
        let log = |name: char| {
            order.borrow_mut().push(name);
            Ok(Duration::from_secs(1))
        };
        let [a, b] = rotate(ONCE, [&mut || log('a'), &mut || log('b')]).unwrap();
        assert_eq!(*order.borrow(), "abbaab");
        assert_eq!((a.len(), b.len()), (3, 3));
    }

    #[test]
    fn no_round_is_begun_after_the_time_is_up() {
        let slow = || {
            std::thread::sleep(Duration::from_millis(20));
            Ok(Duration::from_millis(20))
        };
        let effort = Effort { rounds: 1000, at_least: 2, seconds: 0.01 };
        let pair = in_turn(effort, &mut { slow }, &mut { slow }).unwrap();
        assert_eq!(pair.ratios.count(), 2);
    }
}
