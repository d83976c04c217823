//! Writes results: CSV files, charts, the Markdown report, and the generated parts of READMEs.
//!
//! Modules are listed in dependency order: each imports only from those above it.

pub(crate) mod csv_files;
mod drawing;
mod charts;
mod markdown;
pub(crate) mod readme;

use std::fs;
use std::io;
use std::path::Path;

use crate::measure::results::Results;

/// Writes the CSV files, the charts and report.md, and creates the directory if necessary.
pub(crate) fn write(results: &Results, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    csv_files::write(results, directory)?;
    let charts = charts::draw(results);
    for chart in &charts {
        fs::write(directory.join(chart.file), &chart.svg)?;
    }
    fs::write(directory.join("report.md"), markdown::report(results, &charts))
}
