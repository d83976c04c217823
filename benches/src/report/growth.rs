//! How cost grows: time and peak memory over input size and over entries; and throughput over
//! threads.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::memory::thread_counts;
use crate::pairs::{Effort, Values, Work, rotate, rotate_all};
use crate::scratch::{Scratch, bulla, value};
use crate::settings::Settings;
use crate::sheet::{Chart, Point, Sheet};

/// Lines of the charts.
pub(crate) const SEAL_FILE: &str = "seal, file to file";
pub(crate) const OPEN_FILE: &str = "open, file to file";
pub(crate) const SEAL_PIPE: &str = "seal, pipe to /dev/null";
pub(crate) const COPY_FILE: &str = "cp";
pub(crate) const SEAL_ENTRIES: &str = "seal";
pub(crate) const LIST_ENTRIES: &str = "list all";
pub(crate) const LOOK_UP: &str = "read one";

/// Adds points over input size and entries.
pub(crate) fn measure(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    inputs(sheet, parent, settings)?;
    let scratch = Scratch::new(parent, settings, settings.file)?;
    let nothing = scratch.peak("exec true")?;
    sheet.fact(
        "peak memory of a process that does nothing",
        format!("{:.1} MiB", value(&nothing, "peak")?),
    );
    entries(sheet, &scratch, settings)
}

/// Over the size of the input, on two threads so that memory compares between machines. Twice the
/// input lies on the disk at most.
///
/// The input is random: `cp` writes zeros where it reads zeros, and those cost a disk less.
fn inputs(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let bulla = bulla()?;
    let seal = format!("exec {bulla} seal -q -k key --threads 2 --no-sync in -o out1");
    let pipe = format!("exec {bulla} seal -q -k key --threads 2 < in > /dev/null");
    let copy = "exec cp in out2".to_owned();
    let open = format!("exec {bulla} open -q -k key --threads 2 --no-sync sealed -o out1");
    for &len in &settings.inputs {
        let scratch = Scratch::new(parent, settings, len)?;
        scratch.make_random("in", len)?;
        let rounds = if len > LONG { 2 } else { 5 };
        let effort = so_many(rounds, settings);
        let mut seal = Line::new(SEAL_FILE, &scratch, &seal);
        let mut pipe = Line::new(SEAL_PIPE, &scratch, &pipe);
        let mut copy = Line::new(COPY_FILE, &scratch, &copy);
        let [sealed, piped, copied] =
            rotate(effort, [&mut || seal.run(), &mut || pipe.run(), &mut || copy.run()])?;
        scratch.shell(&format!("{bulla} seal -q -k key in -o sealed && rm in"))?;
        let mut open = Line::new(OPEN_FILE, &scratch, &open);
        let [opened] = rotate(effort, [&mut || open.run()])?;
        for (line, seconds) in [(seal, sealed), (open, opened), (pipe, piped), (copy, copied)] {
            sheet.point(line.point(len, seconds));
        }
    }
    Ok(())
}

/// A line of the chart, while it is measured.
struct Line<'a> {
    name: &'static str,
    scratch: &'a Scratch,
    script: &'a str,
    peak: f64,
}

impl<'a> Line<'a> {
    fn new(name: &'static str, scratch: &'a Scratch, script: &'a str) -> Line<'a> {
        Line { name, scratch, script, peak: 0.0 }
    }

    fn run(&mut self) -> io::Result<Duration> {
        let values = self.scratch.run(|| self.scratch.peak(self.script))?;
        self.peak = self.peak.max(value(&values, "peak")?);
        Ok(Duration::from_secs_f64(value(&values, "time")?))
    }

    fn point(self, len: u64, seconds: Vec<f64>) -> Point {
        Point {
            chart: Chart::Input,
            line: self.name.to_owned(),
            x: len,
            seconds: Values::new(seconds),
            bytes: len,
            peak: Some(self.peak),
            kept: None,
        }
    }
}

/// Over the number of entries, by the library in memory: files of a file system would cost more
/// than the archive.
fn entries(sheet: &mut Sheet, scratch: &Scratch, settings: &Settings) -> io::Result<()> {
    let this = std::env::current_exe()?.display().to_string();
    for entries in &settings.entries {
        let mut seconds = [const { Vec::new() }; 3];
        let mut peak = 0.0f64;
        for _ in 0..so_many(3, settings).rounds {
            let sealed = scratch.peak(&format!("exec {this} probe seal-entries {entries}"))?;
            let read = scratch.peak(&format!("exec {this} probe read-entries {entries}"))?;
            peak = peak.max(value(&sealed, "peak")?);
            for (which, (values, name)) in
                [(&sealed, "seal"), (&read, "list"), (&read, "lookup")].into_iter().enumerate()
            {
                seconds[which].push(value(values, name)?);
            }
        }
        let lines = [(SEAL_ENTRIES, Some(peak)), (LIST_ENTRIES, None), (LOOK_UP, None)];
        for ((line, peak), seconds) in lines.into_iter().zip(seconds) {
            let seconds = Values::new(seconds);
            sheet.point(Point {
                chart: Chart::Entries,
                line: line.to_owned(),
                x: *entries,
                seconds,
                bytes: 0,
                peak,
                kept: None,
            });
        }
    }
    Ok(())
}

/// Over threads, file to file, in turn.
pub(crate) fn threads(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.file)?;
    scratch.make_random("plain", settings.file)?;
    let bulla = bulla()?;
    let counts = thread_counts(std::thread::available_parallelism()?.get());
    let commands: Vec<_> = counts
        .iter()
        .map(|threads| {
            format!("{bulla} seal -q -k key --threads {threads} --no-sync plain -o out1")
        })
        .collect();
    let mut runs: Vec<_> = commands.iter().map(|seal| || scratch.timed(seal)).collect();
    let mut works: Vec<Work<'_>> = runs.iter_mut().map(|run| run as Work<'_>).collect();
    let measured = rotate_all(so_many(9, settings), &mut works)?;
    for (threads, seconds) in counts.into_iter().zip(measured) {
        let (seconds, x) = (Values::new(seconds), threads as u64);
        let point = Point {
            chart: Chart::Threads,
            line: SEAL_FILE.to_owned(),
            x,
            seconds,
            bytes: settings.file,
            peak: None,
            kept: None,
        };
        sheet.point(point);
    }
    Ok(())
}

/// Bytes above which there are two rounds: the disk decides, and takes minutes.
const LONG: u64 = 4 << 30;

/// So many rounds, or as many as there are of everything if that is less.
fn so_many(rounds: usize, settings: &Settings) -> Effort {
    let rounds = settings.effort.rounds.min(rounds);
    Effort { rounds, at_least: rounds, ..settings.effort }
}
