//! Which charts are drawn of what was measured.

use crate::chart::{Axis, Bar, BarChart, Line, LineChart, powers_of_ten, ticks};
use crate::growth;
use crate::memory;
use crate::pairs::Values;
use crate::sheet::{Chart, Origin, Part, Point, Sheet};

/// A chart as a file.
pub(crate) struct Drawn {
    pub(crate) file: &'static str,
    /// What it shows, for who cannot see it.
    pub(crate) title: &'static str,
    pub(crate) svg: String,
}

/// Lines that are limits, not measurements of bulla.
const LIMITS: [&str; 3] = [memory::BARE_SEAL, memory::COPY, growth::COPY_FILE];

/// All charts that there are points or rows for.
pub(crate) fn draw(sheet: &Sheet) -> Vec<Drawn> {
    let throughput = |point: &Point| point.bytes as f64 / point.seconds.median() / 1e9;
    let seconds = |point: &Point| Some(point.seconds.median());
    let in_memory = [memory::SEAL, memory::OPEN, memory::BARE_SEAL, memory::COPY];
    let with_file =
        [memory::SEAL, memory::OPEN, growth::SEAL_FILE, memory::BARE_SEAL, memory::COPY];
    let files = [growth::SEAL_FILE, growth::OPEN_FILE, growth::SEAL_PIPE, growth::COPY_FILE];
    let entries = [growth::SEAL_ENTRIES, growth::LIST_ENTRIES, growth::LOOK_UP];
    let drawing = Drawing { sheet };
    let charts = [
        drawing.bars("peers-seal.svg", "Sealing a file, file to file", Part::Seal),
        drawing.bars("peers-open.svg", "Opening a file, file to file", Part::Open),
        drawing.bars("peers-backup.svg", "Backing up a directory of small files", Part::Backup),
        drawing.lines(
            Kind { file: "threads.svg", title: "Throughput by threads", y: "GB/s", log: false },
            Chart::Threads,
            &with_file,
            |point| Some(throughput(point)),
        ),
        drawing.lines(
            Kind {
                file: "chunks.svg",
                title: "Throughput by chunk size, one thread",
                y: "GB/s",
                log: false,
            },
            Chart::Chunk,
            &in_memory,
            |point| Some(throughput(point)),
        ),
        drawing.lines(
            Kind {
                file: "input-time.svg",
                title: "Time by input size, 2 threads, fastest of its runs",
                y: "time",
                log: true,
            },
            Chart::Input,
            &files,
            // What the input's size costs; what a shared machine adds is in the table.
            |point| Some(point.seconds.min()),
        ),
        drawing.lines(
            Kind {
                file: "input-memory.svg",
                title: "Peak memory by input size, 2 threads",
                y: "MiB",
                log: false,
            },
            Chart::Input,
            &files,
            |point| point.peak,
        ),
        drawing.lines(
            Kind {
                file: "entries-time.svg",
                title: "Time by number of entries, in memory",
                y: "seconds",
                log: true,
            },
            Chart::Entries,
            &entries,
            seconds,
        ),
        drawing.lines(
            Kind {
                file: "entries-memory.svg",
                title: "Peak memory by number of entries",
                y: "MiB",
                log: false,
            },
            Chart::Entries,
            &entries,
            |point| point.peak,
        ),
    ];
    charts.into_iter().flatten().collect()
}

struct Drawing<'a> {
    sheet: &'a Sheet,
}

/// What a chart of lines is.
struct Kind {
    file: &'static str,
    title: &'static str,
    /// The unit of the upright axis.
    y: &'static str,
    log: bool,
}

impl Drawing<'_> {
    fn caption(&self, kept: Option<&Origin>) -> String {
        let machine = &self.sheet.machine;
        let origin = self.sheet.origin(kept);
        let quick = if machine.fact("no measurement").is_empty() {
            ""
        } else {
            "NO MEASUREMENT: a quick run. "
        };
        let processor = origin.fact("processor").split(" (").next().unwrap_or_default();
        let (cores, date) =
            (origin.fact("cores"), origin.fact("date").split(' ').next().unwrap_or_default());
        format!("{quick}{processor}, {cores} cores, {}, {date}", origin.fact("file system"))
    }

    fn lines(
        &self,
        kind: Kind,
        chart: Chart,
        names: &[&'static str],
        value: impl Fn(&Point) -> Option<f64>,
    ) -> Option<Drawn> {
        let points = || self.sheet.points.iter().filter(|point| point.chart == chart);
        let lines: Vec<Line<'_>> = names
            .iter()
            .map(|name| Line {
                name,
                points: points()
                    .filter(|point| point.line == *name)
                    .filter_map(|point| Some((point.x as f64, value(point)?)))
                    .collect(),
                limit: LIMITS.contains(name),
            })
            .filter(|line| !line.points.is_empty())
            .collect();
        if lines.is_empty() {
            return None;
        }
        let mut xs: Vec<u64> = points().map(|point| point.x).collect();
        xs.sort_unstable();
        xs.dedup();
        let all = || lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
        let y_ticks = if kind.log { powers_of_ten(all(), time_label) } else { ticks(all()) };
        let x_label = match chart {
            Chart::Chunk => "chunk size in bytes",
            Chart::Threads => "threads",
            Chart::Input => "input in bytes",
            Chart::Entries => "entries",
        };
        let svg = LineChart {
            title: kind.title,
            caption: &self.caption(points().find_map(|point| point.kept.as_ref())),
            x: Axis {
                label: x_label,
                log: true,
                ticks: xs.into_iter().map(|x| (x as f64, x_tick(chart, x))).collect(),
            },
            y: Axis { label: kind.y, log: kind.log, ticks: y_ticks },
            lines,
        };
        Some(Drawn { file: kind.file, title: kind.title, svg: svg.draw() })
    }

    /// The throughput of every peer, with how many times as fast bulla was beside it.
    fn bars(&self, file: &'static str, title: &'static str, part: Part) -> Option<Drawn> {
        // The rows of one and the same work of ours: that of the first.
        let first = self.sheet.part(part).find(|row| row.outcome.is_ok())?;
        let pairs: Vec<_> = self
            .sheet
            .part(part)
            .filter(|row| row.ours == first.ours)
            .filter_map(|row| Some((row, row.outcome.as_ref().ok()?)))
            .collect();
        let speed = |seconds: f64| first.bytes as f64 / seconds / 1e6;
        let ours = Values::new(pairs.iter().map(|(_, pair)| pair.ours.median()));
        let mut bars: Vec<Bar> = pairs
            .iter()
            .map(|(row, pair)| {
                // Ratios hold where times drift: a bar is that of bulla, times the ratio.
                let value = speed(ours.median()) * pair.ratios.median();
                let note = format!("{value:.0} MB/s, bulla ×{:.2}", 1.0 / pair.ratios.median());
                Bar { name: row.peer.clone(), value, note, ours: false }
            })
            .collect();
        let note = format!("{:.0} MB/s", speed(ours.median()));
        bars.push(Bar { name: "bulla".to_owned(), value: speed(ours.median()), note, ours: true });
        bars.sort_by(|a, b| b.value.total_cmp(&a.value));
        let caption = format!("{} MiB. {}", first.bytes >> 20, self.caption(first.kept.as_ref()));
        let svg = BarChart {
            title,
            caption: &caption,
            label: "MB/s (bulla ×2: run in turn with it, bulla was twice as fast)",
            bars,
        }
        .draw();
        Some(Drawn { file, title, svg })
    }
}

fn x_tick(chart: Chart, x: u64) -> String {
    match chart {
        Chart::Chunk | Chart::Input => bytes(x),
        Chart::Threads => x.to_string(),
        Chart::Entries => count(x),
    }
}

/// A power of two with its unit.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        _ if bytes >= 1 << 30 => format!("{} GiB", bytes >> 30),
        _ if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        _ => format!("{} KiB", bytes >> 10),
    }
}

/// With a space between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(" ")
}

fn time_label(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 0.999 => format!("{seconds:.0} s"),
        _ if seconds >= 0.000_999 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{:.0} µs", seconds * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short() {
        assert_eq!(bytes(65536), "64 KiB");
        assert_eq!(bytes(4 << 30), "4 GiB");
        assert_eq!(count(1_000_000), "1 000 000");
        assert_eq!(count(100), "100");
        assert_eq!(time_label(0.01), "10 ms");
        assert_eq!(time_label(0.000_01), "10 µs");
    }
}
