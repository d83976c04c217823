//! The results of a run: comparison rows, points of scaling measurements, and individual facts.

use crate::measure::alternate::{PairedTimes, Summary};
use crate::measure::machine::Machine;

/// Everything that was measured.
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
    pub(crate) points: Vec<Point>,
    /// The names and values of all results that are neither rows nor points.
    pub(crate) facts: Vec<(String, String)>,
}

/// A comparison of bulla with a peer.
pub(crate) struct Row {
    pub(crate) table: Table,
    /// What bulla does.
    pub(crate) operation: String,
    pub(crate) peer: String,
    /// Bulla's exact command or library call.
    pub(crate) ours: String,
    /// The peer's exact command or library call.
    pub(crate) theirs: String,
    /// Bytes of input; 0 where they do not matter.
    pub(crate) bytes: u64,
    /// The highest ratio of times that meets the target.
    pub(crate) target: Option<f64>,
    /// The times, or why the peer was not measured.
    pub(crate) outcome: Result<PairedTimes, String>,
    /// The conditions of an earlier run; `None` if this run measured the row.
    pub(crate) stored: Option<Conditions>,
}

/// One measurement in a series by size, number of entries or number of threads.
pub(crate) struct Point {
    pub(crate) variable: Variable,
    /// The name of the series.
    pub(crate) series: String,
    /// The value of the variable: bytes, entries, or threads.
    pub(crate) x: u64,
    pub(crate) seconds: Summary,
    /// Bytes of input; 0 where they do not matter.
    pub(crate) bytes: u64,
    /// Peak memory in MiB, where it was measured.
    pub(crate) peak: Option<f64>,
    /// The conditions of an earlier run; `None` if this run measured the point.
    pub(crate) stored: Option<Conditions>,
}

/// A table of comparisons. The variants are in the order of the report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Memory,
    Messages,
    Libraries,
    Seal,
    Open,
    Synced,
    Pipe,
    DevNull,
    Backup,
    Restore,
    ReadEntry,
    MillionFiles,
}

/// The quantity that a series of points varies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable {
    ChunkSize,
    Threads,
    InputSize,
    Entries,
}

/// The machine, time and command of a measurement, with one value for each of [`CONDITIONS`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Conditions(pub(crate) [String; CONDITIONS.len()]);

/// The machine's facts that are stored with each measurement.
pub(crate) const CONDITIONS: [&str; 8] =
    ["processor", "cores", "memory", "kernel", "file system", "date", "cipher backend", "command"];

impl Results {
    /// Starts a run on `machine`, without any results yet.
    pub(crate) fn new(machine: Machine) -> Results {
        Results { machine, rows: Vec::new(), points: Vec::new(), facts: Vec::new() }
    }

    /// Adds a row and prints it.
    pub(crate) fn add_row(&mut self, row: Row) {
        if self.rows.last().is_none_or(|last| last.table != row.table) {
            println!("\n{}\n{}", row.table.title(), "-".repeat(row.table.title().len()));
        }
        match &row.outcome {
            Ok(pair) => println!(
                "{}, compared with {}: {:.2} ({:.2} to {:.2}), rounds: {}",
                row.operation,
                row.peer,
                pair.ratios.median(),
                pair.ratios.min(),
                pair.ratios.max(),
                pair.ratios.count()
            ),
            Err(reason) => println!("{}, compared with {}: {reason}", row.operation, row.peer),
        }
        self.rows.push(row);
    }

    /// Adds a point and prints it.
    pub(crate) fn add_point(&mut self, point: Point) {
        let peak = point.peak.map(|mib| format!(", {mib:.1} MiB")).unwrap_or_default();
        println!(
            "{}, {}: {}: {:.4} s{peak}",
            point.series,
            point.variable.name(),
            point.x,
            point.seconds.median()
        );
        self.points.push(point);
    }

    /// Adds a fact and prints it.
    pub(crate) fn add_fact(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        println!("{name}: {value}");
        self.facts.push((name, value));
    }

    /// Returns the rows of one table.
    pub(crate) fn table(&self, table: Table) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.table == table)
    }

    /// Returns the stored conditions, or those of this run if there are none.
    pub(crate) fn conditions(&self, stored: Option<&Conditions>) -> Conditions {
        stored.cloned().unwrap_or_else(|| {
            Conditions(CONDITIONS.map(|name| self.machine.fact(name).to_owned()))
        })
    }
}

impl Row {
    /// Returns whether the median meets the target, or `None` without a target or a measurement.
    pub(crate) fn meets_target(&self) -> Option<bool> {
        Some(self.outcome.as_ref().ok()?.ratios.median() <= self.target?)
    }
}

impl Conditions {
    /// Returns the condition called `name`, or an empty string.
    pub(crate) fn get(&self, name: &str) -> &str {
        CONDITIONS.iter().position(|known| *known == name).map_or("", |at| &self.0[at])
    }
}

impl Table {
    /// All tables, in order.
    pub(crate) const ALL: [Table; 12] = [
        Table::Memory,
        Table::Messages,
        Table::Libraries,
        Table::Seal,
        Table::Open,
        Table::Synced,
        Table::Pipe,
        Table::DevNull,
        Table::Backup,
        Table::Restore,
        Table::ReadEntry,
        Table::MillionFiles,
    ];

    /// Returns the table's heading, which is also its name in CSV files.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Table::Memory => "In memory, compared with a bare loop over the cipher",
            Table::Messages => "Short messages, one container each",
            Table::Libraries => "In memory, compared with other libraries",
            Table::Seal => "Seal a file",
            Table::Open => "Open a file",
            Table::Synced => "File to file, synced to disk",
            Table::Pipe => "Through a pipe",
            Table::DevNull => "Seal to /dev/null",
            Table::Backup => "Back up a directory",
            Table::Restore => "Restore a directory",
            Table::ReadEntry => "Read one entry from an archive",
            Table::MillionFiles => "Read one of a million entries",
        }
    }
}

impl Variable {
    /// All variables.
    pub(crate) const ALL: [Variable; 4] =
        [Variable::ChunkSize, Variable::Threads, Variable::InputSize, Variable::Entries];

    /// Returns the unit of the variable.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Variable::ChunkSize | Variable::InputSize => "bytes",
            Variable::Threads => "threads",
            Variable::Entries => "entries",
        }
    }

    /// Returns the name of the variable in CSV files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Variable::ChunkSize => "chunk size",
            Variable::Threads => "threads",
            Variable::InputSize => "input size",
            Variable::Entries => "entries",
        }
    }
}
