//! What an earlier report in the same directory has of the parts that were not measured now.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::pairs::{Pair, Values};
use crate::sheet::{CHARTS, ORIGIN, Origin, PARTS, Point, Row, Sheet};

/// A file of the report.
pub(crate) const COMPARISON: &str = "comparison.csv";
pub(crate) const GROWTH: &str = "growth.csv";
pub(crate) const FACTS: &str = "facts.csv";

/// Adds the rows of each part, the lines of each chart, and the facts that the sheet has none of. A
/// directory without a report adds nothing.
pub(crate) fn add(sheet: &mut Sheet, directory: &Path) -> io::Result<()> {
    let measured: Vec<_> =
        PARTS.into_iter().filter(|part| sheet.part(*part).next().is_some()).collect();
    for record in records(&directory.join(COMPARISON))? {
        let row = row(&record).ok_or_else(|| unreadable(COMPARISON))?;
        if !measured.contains(&row.part) {
            sheet.rows.push(row);
        }
    }
    let lines: Vec<_> =
        sheet.points.iter().map(|point| (point.chart, point.line.clone())).collect();
    for record in records(&directory.join(GROWTH))? {
        let point = point(&record).ok_or_else(|| unreadable(GROWTH))?;
        if !lines.contains(&(point.chart, point.line.clone())) {
            sheet.points.push(point);
        }
    }
    for record in records(&directory.join(FACTS))? {
        let (Some(name), Some(value)) = (record.get(0), record.get(1)) else {
            return Err(unreadable(FACTS));
        };
        if sheet.facts.iter().all(|(known, _)| known != name) {
            sheet.facts.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(())
}

fn unreadable(file: &str) -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        format!("{file} is not as this report writes it; keep nothing of it"),
    )
}

fn records(file: &Path) -> io::Result<Vec<csv::StringRecord>> {
    match File::open(file) {
        Ok(file) => Ok(csv::Reader::from_reader(file).records().collect::<Result<_, _>>()?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// As `publish::comparison` writes it.
fn row(record: &csv::StringRecord) -> Option<Row> {
    let text = |at| Some(record.get(at)?.to_owned());
    let number = |at| record.get(at)?.parse::<f64>().ok();
    let rounds = record.get(6)?.parse().ok()?;
    let values = |at| Some(Values::told(number(at)?, number(at + 1)?, number(at + 2)?, rounds));
    let outcome = match rounds {
        0 => Err(text(17)?),
        _ => Ok(Pair { ratios: values(7)?, ours: values(11)?, theirs: values(14)? }),
    };
    Some(Row {
        part: PARTS.into_iter().find(|part| Some(part.title()) == record.get(0))?,
        what: text(1)?,
        peer: text(2)?,
        ours: text(3)?,
        theirs: text(4)?,
        bytes: record.get(5)?.parse().ok()?,
        asked: number(10),
        outcome,
        kept: Some(origin(record, 18)?),
    })
}

/// As `publish::growth` writes it.
fn point(record: &csv::StringRecord) -> Option<Point> {
    let number = |at| record.get(at)?.parse::<f64>().ok();
    let rounds = record.get(4)?.parse().ok()?;
    Some(Point {
        chart: CHARTS.into_iter().find(|chart| Some(chart.name()) == record.get(0))?,
        line: record.get(1)?.to_owned(),
        x: record.get(2)?.parse().ok()?,
        seconds: Values::told(number(5)?, number(6)?, number(7)?, rounds),
        bytes: record.get(8)?.parse().ok()?,
        peak: number(9),
        kept: Some(origin(record, 10)?),
    })
}

fn origin(record: &csv::StringRecord, from: usize) -> Option<Origin> {
    let mut values = [const { String::new() }; ORIGIN.len()];
    for (at, value) in values.iter_mut().enumerate() {
        *value = record.get(from + at)?.to_owned();
    }
    Some(Origin(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish;
    use crate::sheet::{Chart, Part};

    fn row_of(part: Part, peer: &str, outcome: Result<Pair, String>) -> Row {
        let (what, ours, theirs) = ("seal".to_owned(), "bulla, a".to_owned(), "b \"c\"".to_owned());
        Row {
            part,
            what,
            peer: peer.to_owned(),
            ours,
            theirs,
            bytes: 7,
            asked: Some(0.8),
            outcome,
            kept: None,
        }
    }

    fn sheet() -> Sheet {
        Sheet::new(Path::new("."), true)
    }

    #[test]
    fn parts_that_were_not_measured_stay() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = sheet();
        first.row(row_of(Part::Seal, "cp", Ok(Pair::new(&[1.0, 3.0], &[2.0, 4.0]))));
        first.row(row_of(Part::Open, "cp", Ok(Pair::new(&[1.0], &[4.0]))));
        first.row(row_of(Part::Open, "rage", Err("`rage` is not installed".to_owned())));
        let seconds = Values::new([1.5]);
        first.point(Point {
            chart: Chart::Input,
            line: "cp".into(),
            x: 1 << 20,
            seconds,
            bytes: 9,
            peak: Some(6.5),
            kept: None,
        });
        first.fact("memory", "7 MiB");
        publish::publish(&first, directory.path()).unwrap();

        let mut second = sheet();
        second.row(row_of(Part::Seal, "cp", Ok(Pair::new(&[1.0], &[5.0]))));
        add(&mut second, directory.path()).unwrap();
        publish::publish(&second, directory.path()).unwrap();

        // What was kept once is kept again, as it was told first.
        let mut third = sheet();
        add(&mut third, directory.path()).unwrap();
        let told: Vec<_> = third
            .rows
            .iter()
            .map(|row| {
                (
                    row.part,
                    row.peer.as_str(),
                    row.outcome.as_ref().ok().map(|pair| pair.ratios.median()),
                )
            })
            .collect();
        assert!(
            told == [
                (Part::Seal, "cp", Some(0.2)),
                (Part::Open, "cp", Some(0.25)),
                (Part::Open, "rage", None)
            ]
        );
        assert_eq!((third.points.len(), third.points[0].peak), (1, Some(6.5)));
        assert_eq!(third.facts, [("memory".to_owned(), "7 MiB".to_owned())]);
        let date = first.machine.fact("date");
        assert!(third.rows.iter().all(|row| row.kept.as_ref().unwrap().fact("date") >= date));
    }

    #[test]
    fn a_directory_without_a_report_adds_nothing() {
        let mut sheet = sheet();
        add(&mut sheet, tempfile::tempdir().unwrap().path()).unwrap();
        assert!(sheet.rows.is_empty() && sheet.points.is_empty() && sheet.facts.is_empty());
    }

    #[test]
    fn a_file_of_another_shape_is_told() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(COMPARISON), "a,b\n1,2\n").unwrap();
        assert_eq!(add(&mut sheet(), directory.path()).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
