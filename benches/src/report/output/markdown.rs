//! The Markdown report, and the parts that it shares with READMEs.

use std::fmt::Write;

use crate::measure::alternate::two_digits;
use crate::measure::results::{CONDITIONS, Point, Results, Row, Table, Variable};
use crate::output::charts::Chart;
use crate::units;

/// Explains how to read a ratio.
const LEGEND: &str = "\
A ratio is bulla's time divided by the peer's time, so a ratio below 1 means that bulla is faster.
Each ratio is the median over rounds in which the two run back to back, with the range over all
rounds in parentheses.";

/// Returns report.md.
pub(crate) fn report(results: &Results, charts: &[Chart]) -> String {
    let mut out = format!(
        "# Speed report\n\n{LEGEND} The tables include all peers, even those that are faster.\n"
    );
    write_machine(&mut out, results);
    for table in Table::ALL {
        let rows: Vec<&Row> = results.table(table).collect();
        if !rows.is_empty() {
            write_table(&mut out, results, table, &rows);
        }
    }
    write_points(&mut out, results);
    if !results.facts.is_empty() {
        let _ = writeln!(out, "\n## Other measurements\n\n| quantity | value |\n|---|---|");
        for (name, value) in &results.facts {
            let _ = writeln!(out, "| {} | {} |", cell(name), cell(value));
        }
    }
    if !charts.is_empty() {
        let _ = writeln!(out, "\n## Charts");
        for chart in charts {
            let _ = writeln!(out, "\n![{}]({})", chart.title, chart.file);
        }
    }
    out
}

/// Returns the median and range of a row's ratio, or the reason why it was not measured.
pub(crate) fn ratio(row: &Row) -> String {
    match &row.outcome {
        Ok(pair) => pair.ratios.to_string(),
        Err(reason) => cell(reason),
    }
}

/// Returns a row's target as a table cell.
pub(crate) fn target(row: &Row) -> String {
    row.target.map(|target| format!("≤ {}", two_digits(target))).unwrap_or_default()
}

/// Returns whether a row meets its target, as a table cell.
pub(crate) fn met(row: &Row) -> &'static str {
    match row.meets_target() {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    }
}

/// Returns a row's input size as a table cell.
pub(crate) fn input(row: &Row) -> String {
    if row.bytes == 0 { String::new() } else { units::bytes(row.bytes) }
}

/// Escapes text for a table cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn write_machine(out: &mut String, results: &Results) {
    let _ = writeln!(
        out,
        "\n## Conditions\n\n\
         These are the conditions of the latest run. A section that an earlier run measured gives \
         the\nconditions of that run.\n\n\
         | condition | value |\n|---|---|"
    );
    for (name, value) in results.machine.facts() {
        let _ = writeln!(out, "| {name} | {} |", cell(value));
    }
}

fn write_table(out: &mut String, results: &Results, table: Table, rows: &[&Row]) {
    let _ = writeln!(out, "\n## {}\n", table.title());
    let conditions = results.conditions(rows[0].stored.as_ref());
    if CONDITIONS.iter().any(|name| conditions.get(name) != results.machine.fact(name)) {
        let _ = writeln!(
            out,
            "Measured at {} on {} with\n`{}`.\n",
            conditions.get("date"),
            conditions.get("processor"),
            conditions.get("command")
        );
    }
    let _ = writeln!(
        out,
        "| operation | input | peer | ratio | target | met | bulla time | peer time | rounds |\n\
         |---|---|---|---|---|---|---|---|---|"
    );
    for row in rows {
        let times = match &row.outcome {
            Ok(pair) => format!(
                "{:.4} s | {:.4} s | {}",
                pair.ours.median(),
                pair.theirs.median(),
                pair.ratios.count()
            ),
            Err(_) => "| |".to_owned(),
        };
        let (operation, peer) = (cell(&row.operation), cell(&row.peer));
        let _ = writeln!(
            out,
            "| {operation} | {} | {peer} | {} | {} | {} | {times} |",
            input(row),
            ratio(row),
            target(row),
            met(row)
        );
    }
    let _ = writeln!(
        out,
        "\n<details><summary>Exact commands</summary>\n\n| bulla | peer |\n|---|---|"
    );
    let mut written = Vec::new();
    for Row { ours, theirs, .. } in rows {
        if !written.contains(&(ours, theirs)) {
            written.push((ours, theirs));
            let _ = writeln!(out, "| `{}` | `{}` |", cell(ours), cell(theirs));
        }
    }
    let _ = writeln!(out, "\n</details>");
}

fn write_points(out: &mut String, results: &Results) {
    if results.points.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n## Scaling\n\n\
         | series | at | seconds | throughput | peak memory | measured |\n|---|---|---|---|---|---|"
    );
    for variable in Variable::ALL {
        for point in results.points.iter().filter(|point| point.variable == variable) {
            let _ = writeln!(
                out,
                "| {} | {} | {:.6} ({:.6} to {:.6}) | {} | {} | {} |",
                point.series,
                at(point),
                point.seconds.median(),
                point.seconds.min(),
                point.seconds.max(),
                throughput(point),
                point.peak.map(|mib| format!("{mib:.1} MiB")).unwrap_or_default(),
                results.conditions(point.stored.as_ref()).get("date")
            );
        }
    }
}

/// Returns the value of a point's variable, as a table cell.
fn at(point: &Point) -> String {
    match (point.variable, point.x) {
        (Variable::ChunkSize, x) => format!("{} chunks, 1 thread", units::bytes(x)),
        (Variable::InputSize, x) => units::bytes(x),
        (Variable::Threads, 1) => "1 thread".to_owned(),
        (variable, x) => format!("{} {}", units::count(x), variable.unit()),
    }
}

fn throughput(point: &Point) -> String {
    if point.bytes == 0 {
        return String::new();
    }
    format!("{:.0} MB/s", point.bytes as f64 / point.seconds.median() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_does_not_end_the_cell() {
        assert_eq!(cell("cat a | cat"), "cat a \\| cat");
    }
}
