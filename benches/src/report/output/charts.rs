//! The charts in a report: which results each chart shows, and how it is labelled.

use crate::comparisons::{growth, memory};
use crate::measure::alternate::Summary;
use crate::measure::machine::NO_MEASUREMENT;
use crate::measure::probe::ENTRY_LEN;
use crate::measure::results::{Conditions, Point, Results, Table, Variable};
use crate::output::drawing::{Axis, Bar, BarChart, Line, LineChart, powers_of_ten, ticks};
use crate::units;

/// A chart, drawn as SVG.
pub(crate) struct Chart {
    /// The file name of the SVG.
    pub(crate) file: &'static str,
    /// The title, which is also the alt text.
    pub(crate) title: &'static str,
    pub(crate) svg: String,
}

/// The chart that the project's README shows.
pub(crate) const PEERS_SEAL: &str = "peers-seal.svg";

/// Series that are bounds rather than measurements of bulla. Their lines are dashed.
const BOUNDS: [&str; 3] = [memory::BARE_SEAL, memory::COPY, growth::COPY_FILE];

/// The labels and the scale of a line chart.
struct LineChartSpec {
    file: &'static str,
    title: &'static str,
    variable: Variable,
    /// The quantity on the y axis and its unit.
    y_label: &'static str,
    /// Whether the y axis is logarithmic, which is only supported for times.
    log: bool,
}

/// Draws every chart for which there are results.
pub(crate) fn draw(results: &Results) -> Vec<Chart> {
    let in_memory = [memory::SEAL, memory::OPEN, memory::BARE_SEAL, memory::COPY];
    let with_file =
        [memory::SEAL, memory::OPEN, growth::SEAL_FILE, memory::BARE_SEAL, memory::COPY];
    let files = [growth::SEAL_FILE, growth::OPEN_FILE, growth::SEAL_PIPE, growth::COPY_FILE];
    let entries = [growth::SEAL_ENTRIES, growth::LIST_ENTRIES, growth::READ_ENTRY];
    let throughput = |point: &Point| Some(point.bytes as f64 / point.seconds.median() / 1e9);
    let charts = [
        bar_chart(results, Table::Seal, PEERS_SEAL, "Throughput of sealing a file"),
        bar_chart(results, Table::Open, "peers-open.svg", "Throughput of opening a file"),
        bar_chart(results, Table::Backup, "peers-backup.svg", "Throughput of backing up files"),
        line_chart(
            results,
            LineChartSpec {
                file: "threads.svg",
                title: "Throughput by number of threads",
                variable: Variable::Threads,
                y_label: "throughput in GB/s",
                log: false,
            },
            &with_file,
            throughput,
        ),
        line_chart(
            results,
            LineChartSpec {
                file: "chunks.svg",
                title: "Throughput by chunk size, one thread",
                variable: Variable::ChunkSize,
                y_label: "throughput in GB/s",
                log: false,
            },
            &in_memory,
            throughput,
        ),
        line_chart(
            results,
            LineChartSpec {
                file: "input-time.svg",
                title: "Time by input size, two threads",
                variable: Variable::InputSize,
                y_label: "time, fastest run",
                log: true,
            },
            &files,
            // The fastest run shows the cost of the input size. The median and the range, which
            // other load on a shared machine affects, are in the report's table.
            |point| Some(point.seconds.min()),
        ),
        line_chart(
            results,
            LineChartSpec {
                file: "input-memory.svg",
                title: "Peak memory by input size, two threads",
                variable: Variable::InputSize,
                y_label: "peak memory in MiB",
                log: false,
            },
            &files,
            |point| point.peak,
        ),
        line_chart(
            results,
            LineChartSpec {
                file: "entries-time.svg",
                title: "Time by number of archive entries, in memory",
                variable: Variable::Entries,
                y_label: "time",
                log: true,
            },
            &entries,
            |point| Some(point.seconds.median()),
        ),
        line_chart(
            results,
            LineChartSpec {
                file: "entries-memory.svg",
                title: "Peak memory by number of archive entries",
                variable: Variable::Entries,
                y_label: "peak memory in MiB",
                log: false,
            },
            &entries,
            |point| point.peak,
        ),
    ];
    charts.into_iter().flatten().collect()
}

/// Draws the series in `names`, or returns `None` if they have no points.
fn line_chart(
    results: &Results,
    spec: LineChartSpec,
    names: &[&'static str],
    y: impl Fn(&Point) -> Option<f64>,
) -> Option<Chart> {
    let points = || results.points.iter().filter(|point| point.variable == spec.variable);
    let lines: Vec<Line<'_>> = names
        .iter()
        .map(|name| Line {
            name,
            points: points()
                .filter(|point| point.series == *name)
                .filter_map(|point| Some((point.x as f64, y(point)?)))
                .collect(),
            bound: BOUNDS.contains(name),
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let first = points().next().filter(|_| !lines.is_empty())?;
    let mut xs: Vec<u64> = points().map(|point| point.x).collect();
    xs.sort_unstable();
    xs.dedup();
    let ys = || lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
    let y_ticks = if spec.log { powers_of_ten(ys(), units::seconds) } else { ticks(ys()) };
    let input = match spec.variable {
        Variable::ChunkSize => format!("{} in memory", units::bytes(first.bytes)),
        Variable::Threads => {
            let mut sizes: Vec<u64> = points().map(|point| point.bytes).collect();
            sizes.sort_unstable();
            let (smallest, largest) = (sizes[0], sizes[sizes.len() - 1]);
            let (memory, file) = (units::bytes(smallest), units::bytes(largest));
            format!("{memory} in memory, {file} file to file, not synced")
        }
        Variable::InputSize => "random data, not synced".to_owned(),
        Variable::Entries => format!("{ENTRY_LEN} bytes per entry"),
    };
    let x_label = match spec.variable {
        Variable::ChunkSize => "chunk size",
        Variable::Threads => "threads",
        Variable::InputSize => "input size",
        Variable::Entries => "entries",
    };
    let x_tick = |x| match spec.variable {
        Variable::ChunkSize | Variable::InputSize => units::bytes(x),
        Variable::Threads | Variable::Entries => units::count(x),
    };
    let svg = LineChart {
        title: spec.title,
        caption: &caption(results, &input, first.stored.as_ref()),
        x: Axis {
            label: x_label,
            log: true,
            ticks: xs.into_iter().map(|x| (x as f64, x_tick(x))).collect(),
        },
        y: Axis { label: spec.y_label, log: spec.log, ticks: y_ticks },
        lines,
    };
    Some(Chart { file: spec.file, title: spec.title, svg: svg.draw() })
}

/// Draws the throughput of every peer in a table, or returns `None` if no peer was measured.
fn bar_chart(
    results: &Results,
    table: Table,
    file: &'static str,
    title: &'static str,
) -> Option<Chart> {
    // A table may contain several operations, of which the chart shows the first.
    let first = results.table(table).find(|row| row.outcome.is_ok())?;
    let pairs: Vec<_> = results
        .table(table)
        .filter(|row| row.ours == first.ours)
        .filter_map(|row| Some((row, row.outcome.as_ref().ok()?)))
        .collect();
    let ours = Summary::new(pairs.iter().map(|(_, pair)| pair.ours.median()));
    let our_speed = first.bytes as f64 / ours.median() / 1e6;
    let mut bars: Vec<Bar> = pairs
        .iter()
        .map(|(row, pair)| {
            // Ratios are more stable than times, so a peer's bar is bulla's bar multiplied by the
            // ratio.
            let ratio = pair.ratios.median();
            let value = our_speed * ratio;
            let note = format!("{value:.0} MB/s (bulla ×{:.2})", 1.0 / ratio);
            Bar { name: row.peer.clone(), value, note, ours: false }
        })
        .collect();
    let note = format!("{our_speed:.0} MB/s");
    bars.push(Bar { name: "bulla".to_owned(), value: our_speed, note, ours: true });
    bars.sort_by(|a, b| b.value.total_cmp(&a.value));
    let input = format!("{}, {}, not synced", first.operation, units::bytes(first.bytes));
    let svg = BarChart {
        title,
        caption: &caption(results, &input, first.stored.as_ref()),
        label: "throughput in MB/s; in parentheses, bulla's speed relative to the peer",
        bars,
    }
    .draw();
    Some(Chart { file, title, svg })
}

/// Returns one line with the input and the conditions of a measurement.
fn caption(results: &Results, input: &str, stored: Option<&Conditions>) -> String {
    let quick = if results.machine.fact(NO_MEASUREMENT).is_empty() {
        ""
    } else {
        "NO MEASUREMENT: a quick run. "
    };
    let conditions = results.conditions(stored);
    let first_word = |name, separator| {
        conditions.get(name).split(separator).next().unwrap_or_default().to_owned()
    };
    format!(
        "{quick}{input}. {}, {} cores, {}, {}",
        first_word("processor", " ("),
        conditions.get("cores"),
        conditions.get("file system"),
        first_word("date", " ")
    )
}
