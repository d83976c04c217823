//! The generated parts of READMEs: five rows for the project's README, and all rows with a target
//! for the README of the benches.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::comparisons::files::BOUNDS;
use crate::measure::alternate::Summary;
use crate::measure::results::{Results, Row, Table, Variable};
use crate::output::charts::{self, PEERS_SEAL};
use crate::output::markdown::{cell, input, met, ratio, target};
use crate::units;

/// The comparisons in the project's README, by table and peer.
const FIVE_ROWS: [(Table, &str); 5] = [
    (Table::Seal, "cp"),
    (Table::Open, "cp"),
    (Table::Seal, "age"),
    (Table::Backup, "tar (unencrypted)"),
    (Table::Restore, "cp -r"),
];

/// Updates the generated text in a README.
///
/// The text between `<!-- speed -->` and `<!-- /speed -->` is replaced with five rows, their
/// conditions, and a chart in `directory`. The text between `<!-- results -->` and
/// `<!-- /results -->` is replaced with all rows that have a target or a lower bound.
///
/// # Errors
///
/// Returns an error if the README cannot be read or written, or if it has neither pair of markers.
pub(crate) fn update(results: &Results, readme: &Path, directory: &Path) -> io::Result<()> {
    let mut text = fs::read_to_string(readme)?;
    // Links are relative to the README.
    let parent = readme.parent().unwrap_or(Path::new(""));
    let directory = directory.strip_prefix(parent).unwrap_or(directory);
    let mut found = false;
    for (name, content) in [("speed", speed(results, directory)), ("results", all_targets(results))]
    {
        if let Some(updated) = replace_between(&text, name, &content) {
            (text, found) = (updated, true);
        }
    }
    if !found {
        return Err(io::Error::other(format!(
            "{}: no <!-- speed --> or <!-- results --> markers; add a pair where the text belongs",
            readme.display()
        )));
    }
    fs::write(readme, text)
}

/// Returns the five rows, a chart and the conditions.
fn speed(results: &Results, directory: &Path) -> String {
    let mut out = String::from(
        "The ratio is the time of `bulla` divided by the time of the other program, so a ratio \
         below 1 means that `bulla` is\nfaster. Each ratio is the median over alternating runs, \
         with the range over all runs in parentheses.\n\n\
         | operation | input | compared with | time ratio | target | met |\n|---|---|---|---|---|---|\n",
    );
    let rows: Vec<&Row> = FIVE_ROWS
        .iter()
        .filter_map(|(table, peer)| results.table(*table).find(|row| row.peer == *peer))
        .collect();
    for row in &rows {
        let (operation, peer) = (cell(&row.operation), cell(&row.peer));
        let _ = writeln!(
            out,
            "| {operation} | {} | {peer} | {} | {} | {} |",
            input(row),
            ratio(row),
            target(row),
            met(row)
        );
    }
    for chart in charts::draw(results).iter().filter(|chart| chart.file == PEERS_SEAL) {
        let _ = writeln!(out, "\n![{}]({}/{})", chart.title, directory.display(), chart.file);
    }
    let _ = writeln!(
        out,
        "\n{} Inputs are random data in the page cache; outputs are not synced.\n\
         [All results]({}), with the reasons for missed targets. To repeat these measurements:\n\n\
         {COMMANDS}",
        conditions(results, &rows),
        directory.parent().unwrap_or(directory).join("README.md").display()
    );
    out
}

/// The commands that measure [`FIVE_ROWS`] again.
const COMMANDS: &str = "    cargo build --release -p bulla-cli -p bulla-benches\n    \
                        target/release/report --only files,trees";

/// Returns all rows that have a target or a lower bound, and the range of peak memory.
fn all_targets(results: &Results) -> String {
    let rows: Vec<&Row> = Table::ALL
        .into_iter()
        .flat_map(|table| results.table(table))
        .filter(|row| row.target.is_some() || BOUNDS.contains(&row.peer.as_str()))
        .collect();
    let mut out = conditions(results, &rows);
    let _ = writeln!(
        out,
        "\n\n| operation | input | peer | ratio | target | met |\n|---|---|---|---|---|---|"
    );
    for row in rows {
        let (operation, peer) = (cell(&row.operation), cell(&row.peer));
        let _ = writeln!(
            out,
            "| {operation} | {} | {peer} | {} | {} | {} |",
            input(row),
            ratio(row),
            target(row),
            met(row)
        );
    }
    let inputs = || results.points.iter().filter(|point| point.variable == Variable::InputSize);
    if let (Some(smallest), Some(largest)) =
        (inputs().map(|point| point.x).min(), inputs().map(|point| point.x).max())
    {
        let peaks = Summary::new(
            inputs().filter(|point| point.series != "cp").filter_map(|point| point.peak),
        );
        let _ = writeln!(
            out,
            "\nPeak memory of `bulla seal` and `bulla open` with 2 threads: {:.1} to {:.1} MiB for \
             inputs of {} to {}.",
            peaks.min(),
            peaks.max(),
            units::bytes(smallest),
            units::bytes(largest)
        );
    }
    out
}

/// Returns a sentence with the machine and the dates on which the rows were measured.
fn conditions(results: &Results, rows: &[&Row]) -> String {
    let all: Vec<_> = rows.iter().map(|row| results.conditions(row.stored.as_ref())).collect();
    let values = |name: &str| {
        let distinct: BTreeSet<&str> = all.iter().map(|conditions| conditions.get(name)).collect();
        distinct.into_iter().collect::<Vec<_>>().join("; ")
    };
    let days: BTreeSet<&str> =
        all.iter().filter_map(|conditions| conditions.get("date").split(' ').next()).collect();
    let dates = match (days.first(), days.last()) {
        (Some(first), Some(last)) if first != last => format!("from {first} to {last}"),
        (Some(day), _) => format!("on {day}"),
        _ => "on an unknown date".to_owned(),
    };
    format!(
        "Measured {dates} with bulla {} on {}, {} cores,\n{} of memory, {}.",
        results.machine.fact("bulla"),
        values("processor"),
        values("cores"),
        values("memory"),
        values("file system")
    )
}

/// Returns `text` with `content` between the markers called `name`, or `None` if `text` does not
/// contain them.
fn replace_between(text: &str, name: &str, content: &str) -> Option<String> {
    let start_marker = format!("<!-- {name} -->\n");
    let start = text.find(&start_marker)? + start_marker.len();
    let end = start + text[start..].find(&format!("<!-- /{name} -->"))?;
    Some(format!("{}{content}{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_only_the_text_between_the_markers() {
        let text = "a\n<!-- speed -->\nold\n<!-- /speed -->\nb\n";
        let updated = replace_between(text, "speed", "new\n").unwrap();
        assert_eq!(updated, "a\n<!-- speed -->\nnew\n<!-- /speed -->\nb\n");
        assert_eq!(replace_between("no markers", "speed", "new"), None);
        assert_eq!(replace_between(text, "results", "new"), None);
    }
}
