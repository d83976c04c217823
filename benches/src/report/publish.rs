//! Writes what was measured into a directory: tables as Markdown and as CSV, and charts; and the
//! short table of the README.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::charts::{bytes, count, draw};
use crate::files::BOUNDS;
use crate::kept::{COMPARISON, FACTS, GROWTH};
use crate::pairs::Values;
use crate::sheet::{Chart, ORIGIN, PARTS, Part, Row, Sheet};

/// Writes all files; the directory is made if it is not there.
pub(crate) fn publish(sheet: &Sheet, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut charts = String::new();
    for chart in draw(sheet) {
        fs::write(directory.join(chart.file), chart.svg)?;
        let _ = writeln!(charts, "![{}]({})\n", chart.title, chart.file);
    }
    fs::write(directory.join("report.md"), markdown(sheet, &charts))?;
    comparison(sheet, &directory.join(COMPARISON))?;
    growth(sheet, &directory.join(GROWTH))?;
    facts(sheet, &directory.join(FACTS))
}

/// Puts the short table, and charts that lie in `directory`, between the marks of the README.
pub(crate) fn into_readme(sheet: &Sheet, readme: &Path, directory: &Path) -> io::Result<()> {
    let text = fs::read_to_string(readme)?;
    let changed = between_marks(&text, &short(sheet, directory));
    fs::write(readme, changed.ok_or_else(|| io::Error::other("it has no <!-- speed --> marks"))?)
}

/// How a table of ratios is to be read.
const LEGEND: &str = "Ratios of time, bulla to the other: below 1 bulla is faster. Each is the median of the ratios of its rounds, in which\n\
                      the two run one right after the other; the range is that of all rounds.";

fn markdown(sheet: &Sheet, charts: &str) -> String {
    let mut out = format!("# What was measured\n\n{LEGEND} Losses are shown like wins.\n\n");
    let _ = writeln!(out, "| where and when | |\n|---|---|");
    for (name, value) in sheet.machine.facts() {
        let _ = writeln!(out, "| {name} | {} |", cell(value));
    }
    for part in PARTS {
        let rows: Vec<&Row> = sheet.part(part).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n## {}\n", part.title());
        if let Some(kept) = &rows[0].kept {
            let _ = writeln!(
                out,
                "Measured {}, {}, by `{}`.\n",
                kept.fact("date"),
                kept.fact("processor"),
                kept.fact("command")
            );
        }
        let _ = writeln!(out, "{TABLE_HEAD}");
        for row in &rows {
            let _ = writeln!(out, "{}", table_row(row));
        }
        let _ = writeln!(
            out,
            "\n<details><summary>The exact commands</summary>\n\n| bulla | the other |\n|---|---|"
        );
        let mut shown = Vec::new();
        for Row { ours, theirs, .. } in &rows {
            if shown.contains(&(ours, theirs)) {
                continue;
            }
            shown.push((ours, theirs));
            let _ = writeln!(out, "| `{}` | `{}` |", cell(ours), cell(theirs));
        }
        let _ = writeln!(out, "\n</details>");
    }
    if !sheet.points.is_empty() {
        let _ = writeln!(
            out,
            "\n## How cost grows\n\n| what | over | seconds | throughput | peak memory | measured |\n|---|---|---|---|---|---|"
        );
        for point in &sheet.points {
            let over = match point.chart {
                Chart::Chunk => format!("{} chunks, 1 thread", bytes(point.x)),
                Chart::Input => bytes(point.x),
                Chart::Threads | Chart::Entries => {
                    format!("{} {}", count(point.x), point.chart.unit())
                }
            };
            let speed = if point.bytes == 0 {
                String::new()
            } else {
                format!("{:.0} MB/s", point.bytes as f64 / point.seconds.median() / 1e6)
            };
            let peak = point.peak.map(|mib| format!("{mib:.1} MiB")).unwrap_or_default();
            let _ = writeln!(
                out,
                "| {} | {over} | {:.6} ({:.6} to {:.6}) | {speed} | {peak} | {} |",
                point.line,
                point.seconds.median(),
                point.seconds.min(),
                point.seconds.max(),
                sheet.origin(point.kept.as_ref()).fact("date")
            );
        }
    }
    if !sheet.facts.is_empty() {
        let _ = writeln!(out, "\n## Besides\n\n| what | value |\n|---|---|");
        for (name, value) in &sheet.facts {
            let _ = writeln!(out, "| {} | {} |", cell(name), cell(value));
        }
    }
    if !charts.is_empty() {
        let _ = write!(out, "\n## Charts\n\n{charts}");
    }
    out
}

const TABLE_HEAD: &str = "| what | to | input | ratio | asked | as asked | bulla | the other | rounds |\n\
                          |---|---|---|---|---|---|---|---|---|";

fn table_row(row: &Row) -> String {
    let input = if row.bytes == 0 { String::new() } else { format!("{} MiB", row.bytes >> 20) };
    let what = format!("| {} | {} | {input} |", cell(&row.what), cell(&row.peer));
    match &row.outcome {
        Ok(pair) => format!(
            "{what} {} | {} | {} | {:.4} s | {:.4} s | {} |",
            pair.ratios,
            asked(row),
            match row.met() {
                Some(true) => "yes",
                Some(false) => "no",
                None => "",
            },
            pair.ours.median(),
            pair.theirs.median(),
            pair.ratios.count()
        ),
        Err(why) => format!("{what} {} | {} | | | | |", cell(why), asked(row)),
    }
}

fn asked(row: &Row) -> String {
    row.asked.map(|asked| format!("≤ {asked:.2}")).unwrap_or_default()
}

/// What the README shows.
fn short(sheet: &Sheet, directory: &Path) -> String {
    let fact = |name| sheet.machine.fact(name);
    let directory = directory.display();
    let mut out = format!(
        "{LEGEND} The [whole report]({directory}/report.md) has\nthe exact commands, more peers, the libraries, how cost grows \
         with size, entries and threads, and peak memory;\n[benches](benches/README.md) says how to repeat it:\n\n{COMMAND}\n\
         {}, {} cores, {}, {}, {}.\n\n",
        fact("processor"),
        fact("cores"),
        fact("memory"),
        fact("file system"),
        dates(sheet)
    );
    for chart in
        draw(sheet).iter().filter(|chart| ["peers-seal.svg", "threads.svg"].contains(&chart.file))
    {
        let _ = writeln!(out, "![{}]({directory}/{})\n", chart.title, chart.file);
    }
    let _ = writeln!(out, "| what | to | ratio | asked |\n|---|---|---|---|");
    for part in [
        Part::Seal,
        Part::Open,
        Part::Synced,
        Part::Pipe,
        Part::Backup,
        Part::Restore,
        Part::Memory,
        Part::Messages,
    ] {
        // All that is asked for, and what cannot be passed, and archives: the charts show more.
        let shown = |row: &&Row| {
            row.asked.is_some() || BOUNDS.contains(&&*row.peer) || part == Part::Backup
        };
        for row in sheet.part(part).filter(shown) {
            if let Ok(pair) = &row.outcome {
                let (what, peer) = (readable(part, &row.what), cell(&row.peer));
                let _ = writeln!(out, "| {what} | {peer} | {} | {} |", pair.ratios, asked(row));
            }
        }
    }
    let sizes: Vec<_> = sheet.points.iter().filter(|point| point.chart == Chart::Input).collect();
    if let (Some(first), Some(last)) = (sizes.first(), sizes.last()) {
        let peaks = Values::new(
            sizes.iter().filter(|point| point.line != "cp").filter_map(|point| point.peak),
        );
        let _ = writeln!(
            out,
            "\nPeak memory of sealing, opening and piping with 2 threads: {:.1} to {:.1} MiB, for inputs of {} to {}.",
            peaks.min(),
            peaks.max(),
            bytes(first.x),
            bytes(last.x)
        );
    }
    out
}

/// When the comparisons were measured: one date, or the first and the last.
fn dates(sheet: &Sheet) -> String {
    let date = |row: &Row| sheet.origin(row.kept.as_ref()).fact("date").to_owned();
    let dates: BTreeSet<_> = sheet.rows.iter().map(date).collect();
    match (dates.first(), dates.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (Some(date), _) => date.clone(),
        _ => sheet.machine.fact("date").to_owned(),
    }
}

/// What makes the report anew.
const COMMAND: &str = "    cargo build --release -p bulla-cli\n    \
                       cargo build --release -p bulla-benches --features libraries\n    \
                       target/release/report --out benches/results --readme README.md\n";

fn readable(part: Part, what: &str) -> String {
    match part {
        Part::Seal | Part::Open => format!("{what} a file"),
        Part::Synced => format!("{what} a file, synced"),
        Part::Pipe => format!("{what} in a pipe"),
        Part::Memory => format!("in memory: {what}"),
        _ => what.to_owned(),
    }
}

/// The text, with what is between the marks replaced.
fn between_marks(text: &str, table: &str) -> Option<String> {
    const START: &str = "<!-- speed -->\n";
    const END: &str = "<!-- /speed -->";
    let start = text.find(START)? + START.len();
    let end = start + text[start..].find(END)?;
    Some(format!("{}{table}{}", &text[..start], &text[end..]))
}

/// Text that does not end its cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn comparison(sheet: &Sheet, file: &Path) -> io::Result<()> {
    let mut out = csv::Writer::from_path(file)?;
    let mut head = vec![
        "part",
        "what",
        "to",
        "bulla",
        "other",
        "bytes",
        "rounds",
        "ratio median",
        "ratio min",
        "ratio max",
        "asked",
        "bulla s median",
        "bulla s min",
        "bulla s max",
        "other s median",
        "other s min",
        "other s max",
        "why not",
    ];
    head.extend(ORIGIN);
    out.write_record(head)?;
    let in_order = PARTS.into_iter().flat_map(|part| sheet.part(part));
    for row in in_order {
        let mut record = vec![
            row.part.title().to_owned(),
            row.what.clone(),
            row.peer.clone(),
            row.ours.clone(),
            row.theirs.clone(),
            row.bytes.to_string(),
        ];
        let asked = row.asked.map(|asked| format!("{asked:.4}")).unwrap_or_default();
        match &row.outcome {
            Ok(pair) => {
                record.push(pair.ratios.count().to_string());
                let numbers = |values: &Values| {
                    [values.median(), values.min(), values.max()].map(|value| format!("{value:.6}"))
                };
                record.extend(numbers(&pair.ratios));
                record.push(asked);
                record.extend(numbers(&pair.ours));
                record.extend(numbers(&pair.theirs));
                record.push(String::new());
            }
            Err(why) => {
                record.extend(["0", "", "", ""].map(str::to_owned));
                record.push(asked);
                record.extend([""; 6].map(str::to_owned));
                record.push(why.clone());
            }
        }
        record.extend(sheet.origin(row.kept.as_ref()).0);
        out.write_record(record)?;
    }
    out.flush()
}

fn growth(sheet: &Sheet, file: &Path) -> io::Result<()> {
    let mut out = csv::Writer::from_path(file)?;
    let head =
        ["over", "what", "x", "unit", "rounds", "s median", "s min", "s max", "bytes", "peak MiB"];
    out.write_record(head.into_iter().chain(ORIGIN))?;
    for point in &sheet.points {
        let record = [
            point.chart.name(),
            &point.line,
            &point.x.to_string(),
            point.chart.unit(),
            &point.seconds.count().to_string(),
            &format!("{:.9}", point.seconds.median()),
            &format!("{:.9}", point.seconds.min()),
            &format!("{:.9}", point.seconds.max()),
            &point.bytes.to_string(),
            &point.peak.map(|mib| format!("{mib:.2}")).unwrap_or_default(),
        ];
        let origin = sheet.origin(point.kept.as_ref());
        out.write_record(record.into_iter().chain(origin.0.iter().map(String::as_str)))?;
    }
    out.flush()
}

fn facts(sheet: &Sheet, file: &Path) -> io::Result<()> {
    let mut out = csv::Writer::from_path(file)?;
    out.write_record(["what", "value"])?;
    for (name, value) in &sheet.facts {
        out.write_record([name, value])?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = "a\n<!-- speed -->\nold\n<!-- /speed -->\nb\n";
        let changed = between_marks(text, "new\n").unwrap();
        assert_eq!(changed, "a\n<!-- speed -->\nnew\n<!-- /speed -->\nb\n");
        assert_eq!(between_marks("no marks", "new"), None);
    }

    #[test]
    fn a_pipe_does_not_end_its_cell() {
        assert_eq!(cell("cat a | cat"), "cat a \\| cat");
    }
}
