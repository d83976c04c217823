//! What was measured: rows of comparisons, points of charts, and single facts.

use std::path::Path;

use crate::machine::Machine;
use crate::pairs::{Pair, Values};

/// What is compared in a row; also the order of the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Memory,
    Messages,
    Libraries,
    Seal,
    Open,
    Synced,
    Pipe,
    Null,
    Backup,
    Restore,
    Entry,
    Many,
}

/// All parts, in order.
pub(crate) const PARTS: [Part; 12] = [
    Part::Memory,
    Part::Messages,
    Part::Libraries,
    Part::Seal,
    Part::Open,
    Part::Synced,
    Part::Pipe,
    Part::Null,
    Part::Backup,
    Part::Restore,
    Part::Entry,
    Part::Many,
];

/// A comparison of bulla with something else.
pub(crate) struct Row {
    pub(crate) part: Part,
    /// What bulla does.
    pub(crate) what: String,
    /// What the other is.
    pub(crate) peer: String,
    /// The exact commands.
    pub(crate) ours: String,
    pub(crate) theirs: String,
    /// Bytes that go in.
    pub(crate) bytes: u64,
    /// The ratio that is asked for: at most this.
    pub(crate) asked: Option<f64>,
    /// What it came to, or why it came to nothing.
    pub(crate) outcome: Result<Pair, String>,
    /// Where and when, if that was not here and now.
    pub(crate) kept: Option<Origin>,
}

/// One measurement among several sizes, or several numbers of threads.
pub(crate) struct Point {
    pub(crate) chart: Chart,
    /// What was measured: the line of the chart that it belongs to.
    pub(crate) line: String,
    /// Bytes, entries, or threads.
    pub(crate) x: u64,
    pub(crate) seconds: Values,
    /// Bytes that go in; 0 where they are not what counts.
    pub(crate) bytes: u64,
    /// MiB, where it was measured.
    pub(crate) peak: Option<f64>,
    /// Where and when, if that was not here and now.
    pub(crate) kept: Option<Origin>,
}

/// Where and when something was measured: the values of [`ORIGIN`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) [String; ORIGIN.len()]);

/// What an origin has, as the machine's facts name it.
pub(crate) const ORIGIN: [&str; 8] = [
    "processor",
    "cores",
    "memory",
    "kernel",
    "file system",
    "date",
    "cipher's backend",
    "command",
];

/// All charts.
pub(crate) const CHARTS: [Chart; 4] = [Chart::Chunk, Chart::Threads, Chart::Input, Chart::Entries];

/// What a point is put over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chart {
    Chunk,
    Threads,
    Input,
    Entries,
}

/// Everything that was measured.
pub(crate) struct Sheet {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
    pub(crate) points: Vec<Point>,
    /// What is neither: a name and a value.
    pub(crate) facts: Vec<(String, String)>,
}

impl Sheet {
    pub(crate) fn new(directory: &Path, quick: bool) -> Sheet {
        Sheet {
            machine: Machine::new(directory, quick),
            rows: Vec::new(),
            points: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// Adds a row, and says so.
    pub(crate) fn row(&mut self, row: Row) {
        if self.rows.last().is_none_or(|last| last.part != row.part) {
            println!("\n{}\n{}", row.part.title(), "-".repeat(row.part.title().len()));
        }
        match &row.outcome {
            Ok(pair) => println!(
                "{} to {}: {:.2} ({:.2} to {:.2}), {} rounds",
                row.what,
                row.peer,
                pair.ratios.median(),
                pair.ratios.min(),
                pair.ratios.max(),
                pair.ratios.count()
            ),
            Err(why) => println!("{} to {}: {why}", row.what, row.peer),
        }
        self.rows.push(row);
    }

    /// Adds a point, and says so.
    pub(crate) fn point(&mut self, point: Point) {
        let peak = point.peak.map(|mib| format!(", {mib:.1} MiB")).unwrap_or_default();
        println!(
            "{} over {} {}: {:.4} s{peak}",
            point.line,
            point.x,
            point.chart.unit(),
            point.seconds.median()
        );
        self.points.push(point);
    }

    /// Adds a fact, and says it.
    pub(crate) fn fact(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        println!("{name}: {value}");
        self.facts.push((name, value));
    }

    /// Where and when this was measured.
    pub(crate) fn origin(&self, kept: Option<&Origin>) -> Origin {
        kept.cloned()
            .unwrap_or_else(|| Origin(ORIGIN.map(|name| self.machine.fact(name).to_owned())))
    }

    /// The rows of one part.
    pub(crate) fn part(&self, part: Part) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.part == part)
    }
}

impl Row {
    /// Whether it is as asked; `None` if nothing is, or nothing came of it.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(self.outcome.as_ref().ok()?.ratios.median() <= self.asked?)
    }
}

impl Origin {
    /// The value of this name.
    pub(crate) fn fact(&self, name: &str) -> &str {
        ORIGIN.iter().position(|known| *known == name).map_or("", |at| &self.0[at])
    }
}

impl Part {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Part::Memory => "In memory, to a bare loop over the cipher",
            Part::Messages => "Short messages, each a container",
            Part::Libraries => "As libraries, in memory",
            Part::Seal => "Seal, file to file",
            Part::Open => "Open, file to file",
            Part::Synced => "File to file, synced to the disk",
            Part::Pipe => "In a pipe",
            Part::Null => "Seal to /dev/null",
            Part::Backup => "Back up a directory",
            Part::Restore => "Restore a directory",
            Part::Entry => "Read one entry of an archive",
            Part::Many => "Read one entry among very many",
        }
    }
}

impl Chart {
    /// What its points lie over.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Chart::Chunk | Chart::Input => "bytes",
            Chart::Threads => "threads",
            Chart::Entries => "entries",
        }
    }

    /// Its name in files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Chart::Chunk => "chunk size",
            Chart::Threads => "threads",
            Chart::Input => "input size",
            Chart::Entries => "entries",
        }
    }
}
