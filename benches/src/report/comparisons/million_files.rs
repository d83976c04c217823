//! One entry in an archive of a million small files: the time and the number of bytes that it takes
//! to read the entry, and the peak memory when the archive is created.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::comparisons::peers::installed;
use crate::measure::results::{Results, Table};
use crate::measure::scratch::{Comparison, Scratch, bulla, value};
use crate::measure::settings::Settings;
use crate::units::count;

/// Adds a row and facts. Creates as many files as the archive has entries.
pub(crate) fn compare(results: &mut Results, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, 0)?;
    let root = scratch.path("many");
    for directory in 0..settings.million / 1000 {
        let directory = root.join(format!("{directory:04}"));
        fs::create_dir_all(&directory)?;
        for file in 0..1000 {
            File::create(directory.join(format!("{file:04}.txt")))?.write_all(b"a message")?;
        }
    }
    let bulla = bulla()?;
    let backup = scratch
        .probe(&format!("exec {bulla} backup -q -k key --threads 2 --no-sync many.bulla many"))?;
    results.add_fact(
        format!("peak memory of a backup of {} files, 2 threads", count(settings.million)),
        format!("{:.0} MiB", value(&backup, "peak")?),
    );
    let cat = format!(
        "{bulla} cat -k key many.bulla many/{:04}/0890.txt > /dev/null",
        settings.million / 2000
    );
    let start = format!("{bulla} --version > /dev/null");
    let operation = format!("read one of {} files", count(settings.million));
    scratch.compare(
        results,
        &Comparison::new(Table::MillionFiles, &operation, "bulla --version", &cat, &start),
    )?;

    let bytes_read = if !installed("strace") {
        "`strace` is not installed".to_owned()
    } else if let Err(error) =
        scratch.shell(&format!("strace -f -y -e trace=pread64,read -o trace {cat}"))
    {
        error.to_string()
    } else {
        let trace = fs::read_to_string(scratch.path("trace"))?;
        let reads = trace.lines().filter(|line| line.contains("many.bulla>"));
        let lens = reads.filter_map(|line| line.rsplit("= ").next()?.trim().parse::<u64>().ok());
        format!("{} bytes", lens.sum::<u64>())
    };
    results.add_fact(
        format!("bytes of the archive read to get one of {} files", count(settings.million)),
        bytes_read,
    );
    Ok(())
}
