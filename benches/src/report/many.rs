//! One small entry among a million: the time and the bytes that it takes to read it, and the memory
//! that it takes to make the archive.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::programs::installed;
use crate::scratch::{Comparison, Scratch, bulla, value};
use crate::settings::Settings;
use crate::sheet::{Part, Sheet};

/// Adds a row, and facts. It makes as many files as there are entries.
pub(crate) fn compare(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, 0)?;
    let root = scratch.path("many");
    for directory in 0..settings.many / 1000 {
        let directory = root.join(format!("{directory:04}"));
        fs::create_dir_all(&directory)?;
        for file in 0..1000 {
            File::create(directory.join(format!("{file:04}.txt")))?.write_all(b"a message")?;
        }
    }
    let bulla = bulla()?;
    let made = scratch
        .peak(&format!("exec {bulla} backup -q -k key --threads 2 --no-sync many.bulla many"))?;
    sheet.fact(
        format!("peak memory of a backup of {} files, 2 threads", settings.many),
        format!("{:.0} MiB", value(&made, "peak")?),
    );
    let cat = format!(
        "{bulla} cat -k key many.bulla many/{:04}/0890.txt > /dev/null",
        settings.many / 2000
    );
    let start = format!("{bulla} --version > /dev/null");
    let what = format!("read one of {} files", settings.many);
    scratch.compare(
        sheet,
        &Comparison::new(Part::Many, &what, "starting the command at all", &cat, &start),
    )?;

    let read = if !installed("strace") {
        "`strace` is not installed".to_owned()
    } else if let Err(why) =
        scratch.shell(&format!("strace -f -y -e trace=pread64,read -o trace {cat}"))
    {
        why.to_string()
    } else {
        let trace = fs::read_to_string(scratch.path("trace"))?;
        let of_archive = trace.lines().filter(|line| line.contains("many.bulla>"));
        let lens =
            of_archive.filter_map(|line| line.rsplit("= ").next()?.trim().parse::<u64>().ok());
        format!("{} bytes", lens.sum::<u64>())
    };
    sheet.fact(format!("read of the archive for one of {} files", settings.many), read);
    Ok(())
}
