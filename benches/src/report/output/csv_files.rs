//! The report's CSV files, from which all other outputs can be rendered.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use csv::StringRecord;

use crate::measure::alternate::{PairedTimes, Summary};
use crate::measure::machine::Machine;
use crate::measure::results::{CONDITIONS, Conditions, Point, Results, Row, Table, Variable};

const COMPARISON: &str = "comparison.csv";
const GROWTH: &str = "growth.csv";
const FACTS: &str = "facts.csv";
const MACHINE: &str = "machine.csv";

/// Writes all results to `directory`.
pub(crate) fn write(results: &Results, directory: &Path) -> io::Result<()> {
    write_comparison(results, &directory.join(COMPARISON))?;
    write_growth(results, &directory.join(GROWTH))?;
    write_pairs(&results.facts, &directory.join(FACTS))?;
    write_pairs(results.machine.facts(), &directory.join(MACHINE))
}

/// Reads the results that an earlier run wrote to `directory`.
///
/// # Errors
///
/// Returns an error if a file is missing or malformed.
pub(crate) fn read(directory: &Path) -> io::Result<Results> {
    let machine = directory.join(MACHINE);
    if !machine.exists() {
        return Err(io::Error::new(
            ErrorKind::NotFound,
            format!("{}: not found; measure first", machine.display()),
        ));
    }
    let mut results = Results::new(Machine::from_facts(read_pairs(&machine)?));
    add_unmeasured(&mut results, directory)?;
    Ok(results)
}

/// Adds the tables, series and facts that `results` lacks, from the files in `directory`.
///
/// If the directory has no report, nothing is added.
pub(crate) fn add_unmeasured(results: &mut Results, directory: &Path) -> io::Result<()> {
    let measured: Vec<_> =
        Table::ALL.into_iter().filter(|table| results.table(*table).next().is_some()).collect();
    let file = directory.join(COMPARISON);
    for record in records(&file)? {
        let row = parse_row(&record).ok_or_else(|| malformed(&file))?;
        if !measured.contains(&row.table) {
            results.rows.push(row);
        }
    }
    let series: Vec<_> =
        results.points.iter().map(|point| (point.variable, point.series.clone())).collect();
    let file = directory.join(GROWTH);
    for record in records(&file)? {
        let point = parse_point(&record).ok_or_else(|| malformed(&file))?;
        if !series.contains(&(point.variable, point.series.clone())) {
            results.points.push(point);
        }
    }
    for (name, value) in read_pairs(&directory.join(FACTS))? {
        if results.facts.iter().all(|(known, _)| *known != name) {
            results.facts.push((name, value));
        }
    }
    Ok(())
}

fn write_comparison(results: &Results, file: &Path) -> io::Result<()> {
    let mut out = csv::Writer::from_path(file)?;
    let mut head = vec![
        "table",
        "operation",
        "peer",
        "bulla command",
        "peer command",
        "bytes",
        "rounds",
        "ratio median",
        "ratio min",
        "ratio max",
        "target",
        "bulla s median",
        "bulla s min",
        "bulla s max",
        "peer s median",
        "peer s min",
        "peer s max",
        "not measured because",
    ];
    head.extend(CONDITIONS);
    out.write_record(head)?;
    for row in Table::ALL.into_iter().flat_map(|table| results.table(table)) {
        let mut record = vec![
            row.table.title().to_owned(),
            row.operation.clone(),
            row.peer.clone(),
            row.ours.clone(),
            row.theirs.clone(),
            row.bytes.to_string(),
        ];
        let target = row.target.map(|target| format!("{target:.4}")).unwrap_or_default();
        match &row.outcome {
            Ok(pair) => {
                record.push(pair.ratios.count().to_string());
                let numbers = |summary: &Summary| {
                    [summary.median(), summary.min(), summary.max()]
                        .map(|value| format!("{value:.6}"))
                };
                record.extend(numbers(&pair.ratios));
                record.push(target);
                record.extend(numbers(&pair.ours));
                record.extend(numbers(&pair.theirs));
                record.push(String::new());
            }
            Err(reason) => {
                record.extend(["0", "", "", ""].map(str::to_owned));
                record.push(target);
                record.extend([""; 6].map(str::to_owned));
                record.push(reason.clone());
            }
        }
        record.extend(results.conditions(row.stored.as_ref()).0);
        out.write_record(record)?;
    }
    out.flush()
}

fn parse_row(record: &StringRecord) -> Option<Row> {
    let text = |at| Some(record.get(at)?.to_owned());
    let number = |at| record.get(at)?.parse::<f64>().ok();
    let rounds = record.get(6)?.parse().ok()?;
    let summary =
        |at| Some(Summary::from_parts(number(at)?, number(at + 1)?, number(at + 2)?, rounds));
    let outcome = match rounds {
        0 => Err(text(17)?),
        _ => Ok(PairedTimes { ratios: summary(7)?, ours: summary(11)?, theirs: summary(14)? }),
    };
    Some(Row {
        table: Table::ALL.into_iter().find(|table| Some(table.title()) == record.get(0))?,
        operation: text(1)?,
        peer: text(2)?,
        ours: text(3)?,
        theirs: text(4)?,
        bytes: record.get(5)?.parse().ok()?,
        target: number(10),
        outcome,
        stored: Some(parse_conditions(record, 18)?),
    })
}

fn write_growth(results: &Results, file: &Path) -> io::Result<()> {
    let mut out = csv::Writer::from_path(file)?;
    let head = [
        "variable", "series", "x", "unit", "rounds", "s median", "s min", "s max", "bytes",
        "peak MiB",
    ];
    out.write_record(head.into_iter().chain(CONDITIONS))?;
    for point in &results.points {
        let record = [
            point.variable.name(),
            &point.series,
            &point.x.to_string(),
            point.variable.unit(),
            &point.seconds.count().to_string(),
            &format!("{:.9}", point.seconds.median()),
            &format!("{:.9}", point.seconds.min()),
            &format!("{:.9}", point.seconds.max()),
            &point.bytes.to_string(),
            &point.peak.map(|mib| format!("{mib:.2}")).unwrap_or_default(),
        ];
        let conditions = results.conditions(point.stored.as_ref());
        out.write_record(record.into_iter().chain(conditions.0.iter().map(String::as_str)))?;
    }
    out.flush()
}

fn parse_point(record: &StringRecord) -> Option<Point> {
    let number = |at| record.get(at)?.parse::<f64>().ok();
    let rounds = record.get(4)?.parse().ok()?;
    Some(Point {
        variable: Variable::ALL
            .into_iter()
            .find(|variable| Some(variable.name()) == record.get(0))?,
        series: record.get(1)?.to_owned(),
        x: record.get(2)?.parse().ok()?,
        seconds: Summary::from_parts(number(5)?, number(6)?, number(7)?, rounds),
        bytes: record.get(8)?.parse().ok()?,
        peak: number(9),
        stored: Some(parse_conditions(record, 10)?),
    })
}

fn parse_conditions(record: &StringRecord, from: usize) -> Option<Conditions> {
    let mut values = [const { String::new() }; CONDITIONS.len()];
    for (at, value) in values.iter_mut().enumerate() {
        *value = record.get(from + at)?.to_owned();
    }
    Some(Conditions(values))
}

/// Writes a CSV file of names and values.
fn write_pairs(pairs: &[(String, String)], file: &Path) -> io::Result<()> {
    let mut out = csv::Writer::from_path(file)?;
    out.write_record(["name", "value"])?;
    for (name, value) in pairs {
        out.write_record([name, value])?;
    }
    out.flush()
}

fn read_pairs(file: &Path) -> io::Result<Vec<(String, String)>> {
    let pair = |record: &StringRecord| Some((record.get(0)?.to_owned(), record.get(1)?.to_owned()));
    records(file)?.iter().map(|record| pair(record).ok_or_else(|| malformed(file))).collect()
}

/// Returns the records of a file without its header, or no records if the file does not exist.
fn records(file: &Path) -> io::Result<Vec<StringRecord>> {
    match File::open(file) {
        Ok(file) => Ok(csv::Reader::from_reader(file).records().collect::<Result<_, _>>()?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn malformed(file: &Path) -> io::Error {
    let path = file.display();
    io::Error::new(
        ErrorKind::InvalidData,
        format!("{path}: not in this version's format; measure again without --keep"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(table: Table, peer: &str, outcome: Result<PairedTimes, String>) -> Row {
        Row {
            table,
            operation: "seal".to_owned(),
            peer: peer.to_owned(),
            ours: "bulla, a".to_owned(),
            theirs: "b \"c\"".to_owned(),
            bytes: 7,
            target: Some(0.8),
            outcome,
            stored: None,
        }
    }

    fn no_results() -> Results {
        Results::new(Machine::detect(Path::new("."), true))
    }

    fn some_results() -> Results {
        let mut results = no_results();
        let pair = PairedTimes::new(&[1.0, 3.0], &[2.0, 4.0]);
        results.add_row(row_of(Table::Seal, "cp", Ok(pair)));
        results.add_row(row_of(Table::Open, "cp", Ok(PairedTimes::new(&[1.0], &[4.0]))));
        let reason = "`rage` is not installed".to_owned();
        results.add_row(row_of(Table::Open, "rage", Err(reason)));
        results.add_point(Point {
            variable: Variable::InputSize,
            series: "cp".into(),
            x: 1 << 20,
            seconds: Summary::new([1.5]),
            bytes: 9,
            peak: Some(6.5),
            stored: None,
        });
        results.add_fact("memory", "7 MiB");
        results
    }

    #[test]
    fn keeps_the_tables_that_were_not_measured() {
        let directory = tempfile::tempdir().unwrap();
        let first = some_results();
        write(&first, directory.path()).unwrap();

        let mut second = no_results();
        second.add_row(row_of(Table::Seal, "cp", Ok(PairedTimes::new(&[1.0], &[5.0]))));
        add_unmeasured(&mut second, directory.path()).unwrap();
        write(&second, directory.path()).unwrap();

        // Stored results do not change when they are stored again.
        let mut third = no_results();
        add_unmeasured(&mut third, directory.path()).unwrap();
        let stored: Vec<_> = third
            .rows
            .iter()
            .map(|row| {
                let median = row.outcome.as_ref().ok().map(|pair| pair.ratios.median());
                (row.table, row.peer.as_str(), median)
            })
            .collect();
        assert!(
            stored
                == [
                    (Table::Seal, "cp", Some(0.2)),
                    (Table::Open, "cp", Some(0.25)),
                    (Table::Open, "rage", None)
                ]
        );
        assert_eq!((third.points.len(), third.points[0].peak), (1, Some(6.5)));
        assert_eq!(third.facts, [("memory".to_owned(), "7 MiB".to_owned())]);
        let date = first.machine.fact("date");
        assert!(third.rows.iter().all(|row| row.stored.as_ref().unwrap().get("date") >= date));
    }

    #[test]
    fn reading_and_writing_changes_no_file() {
        let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(&some_results(), before.path()).unwrap();
        write(&read(before.path()).unwrap(), after.path()).unwrap();
        for file in [COMPARISON, GROWTH, FACTS, MACHINE] {
            let text = |directory: &tempfile::TempDir| {
                std::fs::read_to_string(directory.path().join(file)).unwrap()
            };
            assert_eq!(text(&before), text(&after), "{file}");
        }
    }

    #[test]
    fn a_directory_without_a_report_adds_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut results = no_results();
        add_unmeasured(&mut results, directory.path()).unwrap();
        assert!(results.rows.is_empty() && results.points.is_empty() && results.facts.is_empty());
        assert_eq!(read(directory.path()).err().unwrap().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn rejects_a_file_with_other_columns() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(COMPARISON), "a,b\n1,2\n").unwrap();
        let error = add_unmeasured(&mut no_results(), directory.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}
