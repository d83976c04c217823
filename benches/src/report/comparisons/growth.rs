//! Scaling: time and peak memory by input size and by number of entries, and throughput by number
//! of threads.

use std::io;
use std::path::Path;
use std::time::Duration;

use bulla_benches::threads::counts;

use crate::measure::alternate::{Effort, Operation, Summary, alternate, alternate_all};
use crate::measure::results::{Point, Results, Variable};
use crate::measure::scratch::{Scratch, bulla, value};
use crate::measure::settings::Settings;

/// Names of the series.
pub(crate) const SEAL_FILE: &str = "seal, file to file";
pub(crate) const OPEN_FILE: &str = "open, file to file";
pub(crate) const SEAL_PIPE: &str = "seal, pipe to /dev/null";
pub(crate) const COPY_FILE: &str = "cp";
pub(crate) const SEAL_ENTRIES: &str = "seal";
pub(crate) const LIST_ENTRIES: &str = "list all";
pub(crate) const READ_ENTRY: &str = "read one";

/// Adds points by input size and by number of entries.
pub(crate) fn measure_sizes(
    results: &mut Results,
    parent: &Path,
    settings: &Settings,
) -> io::Result<()> {
    measure_inputs(results, parent, settings)?;
    let scratch = Scratch::new(parent, settings, settings.file)?;
    let idle = scratch.probe("exec true")?;
    let peak = value(&idle, "peak")?;
    results.add_fact("peak memory of an idle process", format!("{peak:.1} MiB"));
    measure_entries(results, &scratch, settings)
}

/// Measures by input size, on two threads so that memory is comparable between machines.
///
/// Needs disk space for up to twice the largest input.
fn measure_inputs(results: &mut Results, parent: &Path, settings: &Settings) -> io::Result<()> {
    let bulla = bulla()?;
    let seal = format!("exec {bulla} seal -q -k key --threads 2 --no-sync in -o out1");
    let pipe = format!("exec {bulla} seal -q -k key --threads 2 < in > /dev/null");
    let copy = "exec cp in out2".to_owned();
    let open = format!("exec {bulla} open -q -k key --threads 2 --no-sync sealed -o out1");
    for &len in &settings.inputs {
        let scratch = Scratch::new(parent, settings, len)?;
        scratch.create_random("in", len)?;
        let rounds = if len > TWO_ROUNDS_ABOVE { 2 } else { 5 };
        let effort = effort_for(rounds, settings);
        let mut seal = Series::new(SEAL_FILE, &scratch, &seal);
        let mut pipe = Series::new(SEAL_PIPE, &scratch, &pipe);
        let mut copy = Series::new(COPY_FILE, &scratch, &copy);
        let [sealed, piped, copied] =
            alternate(effort, [&mut || seal.run(), &mut || pipe.run(), &mut || copy.run()])?;
        scratch.shell(&format!("{bulla} seal -q -k key in -o sealed && rm in"))?;
        let mut open = Series::new(OPEN_FILE, &scratch, &open);
        let [opened] = alternate(effort, [&mut || open.run()])?;
        for (series, seconds) in [(seal, sealed), (open, opened), (pipe, piped), (copy, copied)] {
            results.add_point(series.point(len, seconds));
        }
    }
    Ok(())
}

/// A series by input size, with its command and its highest peak memory so far.
struct Series<'a> {
    name: &'static str,
    scratch: &'a Scratch,
    script: &'a str,
    peak: f64,
}

impl<'a> Series<'a> {
    fn new(name: &'static str, scratch: &'a Scratch, script: &'a str) -> Series<'a> {
        Series { name, scratch, script, peak: 0.0 }
    }

    fn run(&mut self) -> io::Result<Duration> {
        let values = self.scratch.prepared(|| self.scratch.probe(self.script))?;
        self.peak = self.peak.max(value(&values, "peak")?);
        Ok(Duration::from_secs_f64(value(&values, "time")?))
    }

    fn point(self, len: u64, seconds: Vec<f64>) -> Point {
        Point {
            variable: Variable::InputSize,
            series: self.name.to_owned(),
            x: len,
            seconds: Summary::new(seconds),
            bytes: len,
            peak: Some(self.peak),
            stored: None,
        }
    }
}

/// Measures by number of entries, with the library in memory, because the file system would cost
/// more than the archive.
fn measure_entries(
    results: &mut Results,
    scratch: &Scratch,
    settings: &Settings,
) -> io::Result<()> {
    let this = std::env::current_exe()?.display().to_string();
    for entries in &settings.entries {
        let mut seconds = [const { Vec::new() }; 3];
        let mut peak = 0.0f64;
        for _ in 0..effort_for(3, settings).max_rounds {
            let sealed = scratch.probe(&format!("exec {this} probe seal-entries {entries}"))?;
            let read = scratch.probe(&format!("exec {this} probe read-entries {entries}"))?;
            peak = peak.max(value(&sealed, "peak")?);
            for (which, (values, name)) in
                [(&sealed, "seal"), (&read, "list"), (&read, "lookup")].into_iter().enumerate()
            {
                seconds[which].push(value(values, name)?);
            }
        }
        let series = [(SEAL_ENTRIES, Some(peak)), (LIST_ENTRIES, None), (READ_ENTRY, None)];
        for ((series, peak), seconds) in series.into_iter().zip(seconds) {
            results.add_point(Point {
                variable: Variable::Entries,
                series: series.to_owned(),
                x: *entries,
                seconds: Summary::new(seconds),
                bytes: 0,
                peak,
                stored: None,
            });
        }
    }
    Ok(())
}

/// Adds points by number of threads, from file to file.
pub(crate) fn measure_threads(
    results: &mut Results,
    parent: &Path,
    settings: &Settings,
) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.file)?;
    scratch.create_random("plain", settings.file)?;
    let bulla = bulla()?;
    let thread_counts = counts(std::thread::available_parallelism()?.get());
    let commands: Vec<_> = thread_counts
        .iter()
        .map(|threads| {
            format!("{bulla} seal -q -k key --threads {threads} --no-sync plain -o out1")
        })
        .collect();
    let mut runs: Vec<_> = commands.iter().map(|seal| || scratch.timed(seal)).collect();
    let mut operations: Vec<Operation<'_>> =
        runs.iter_mut().map(|run| run as Operation<'_>).collect();
    let measured = alternate_all(effort_for(9, settings), &mut operations)?;
    for (threads, seconds) in thread_counts.into_iter().zip(measured) {
        results.add_point(Point {
            variable: Variable::Threads,
            series: SEAL_FILE.to_owned(),
            x: threads as u64,
            seconds: Summary::new(seconds),
            bytes: settings.file,
            peak: None,
            stored: None,
        });
    }
    Ok(())
}

/// Inputs with more bytes than this get only two rounds, because each round takes minutes, most of
/// which is spent on the disk.
const TWO_ROUNDS_ABOVE: u64 = 4 << 30;

/// Returns an effort of `rounds` rounds, or fewer if the settings allow fewer.
fn effort_for(rounds: usize, settings: &Settings) -> Effort {
    let rounds = settings.effort.max_rounds.min(rounds);
    Effort { max_rounds: rounds, min_rounds: rounds, ..settings.effort }
}
