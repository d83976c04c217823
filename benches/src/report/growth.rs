//! How cost grows: time and peak memory over input size and over entries, throughput over threads.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::memory::thread_counts;
use crate::pairs::Values;
use crate::scratch::{Scratch, bulla, value};
use crate::settings::Settings;
use crate::sheet::{Chart, Point, Sheet};

/// Lines of the charts.
pub(crate) const SEAL_FILE: &str = "seal, file to file";
pub(crate) const OPEN_FILE: &str = "open, file to file";
pub(crate) const SEAL_PIPE: &str = "seal, pipe to /dev/null";
pub(crate) const COPY_FILE: &str = "cp";
pub(crate) const SEAL_ENTRIES: &str = "seal";
pub(crate) const LIST_ENTRIES: &str = "list all";
pub(crate) const LOOK_UP: &str = "read one";

/// Adds points of every kind.
pub(crate) fn measure(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.inputs[0])?;
    let nothing = scratch.peak("exec true")?;
    sheet.fact("peak memory of a process that does nothing", format!("{:.1} MiB", value(&nothing, "peak")?));
    inputs(sheet, &scratch, settings)?;
    entries(sheet, &scratch, settings)?;
    drop(scratch);
    threads(sheet, parent, settings)
}

/// Over the size of the input, on two threads so that memory compares between machines.
fn inputs(sheet: &mut Sheet, scratch: &Scratch, settings: &Settings) -> io::Result<()> {
    let bulla = bulla()?;
    let seal = format!("exec {bulla} seal -q -k key --threads 2 --no-sync zeros -o zeros.sealed");
    let open = format!("exec {bulla} open -q -k key --threads 2 --no-sync zeros.sealed -o zeros.opened");
    let pipe = format!("exec {bulla} seal -q -k key --threads 2 < zeros > /dev/null");
    let copy = "exec cp --sparse=never zeros zeros.copy".to_owned();
    for len in &settings.inputs {
        // What is in it makes no difference; zeros need no disk.
        File::create(scratch.path("zeros"))?.set_len(*len)?;
        let lines = [(SEAL_FILE, &seal), (OPEN_FILE, &open), (SEAL_PIPE, &pipe), (COPY_FILE, &copy)];
        let mut seconds = lines.map(|_| Vec::new());
        let mut peaks = [0.0f64; 4];
        let rounds = if *len > LONG { 1 } else { rounds(settings) };
        for _ in 0..rounds {
            for (which, (line, script)) in lines.iter().enumerate() {
                // Twice the input lies on the disk at most.
                if *line == COPY_FILE {
                    scratch.remove("zeros.opened");
                }
                let values = scratch.peak(script)?;
                seconds[which].push(value(&values, "time")?);
                peaks[which] = peaks[which].max(value(&values, "peak")?);
            }
            scratch.remove("zeros.sealed");
            scratch.remove("zeros.copy");
            scratch.settle()?;
        }
        for (((line, _), seconds), peak) in lines.iter().zip(seconds).zip(peaks) {
            let seconds = Values::new(seconds);
            sheet.point(Point {
                chart: Chart::Input,
                line: (*line).to_owned(),
                x: *len,
                seconds,
                bytes: *len,
                peak: Some(peak),
                kept: None,
            });
        }
        scratch.remove("zeros");
    }
    Ok(())
}

/// Over the number of entries, by the library in memory: files of a file system would cost more than the archive.
fn entries(sheet: &mut Sheet, scratch: &Scratch, settings: &Settings) -> io::Result<()> {
    let this = std::env::current_exe()?.display().to_string();
    for entries in &settings.entries {
        let mut seconds = [const { Vec::new() }; 3];
        let mut peak = 0.0f64;
        for _ in 0..rounds(settings) {
            let sealed = scratch.peak(&format!("exec {this} probe seal-entries {entries}"))?;
            let read = scratch.peak(&format!("exec {this} probe read-entries {entries}"))?;
            peak = peak.max(value(&sealed, "peak")?);
            for (which, (values, name)) in
                [(&sealed, "seal"), (&read, "list"), (&read, "lookup")].into_iter().enumerate()
            {
                seconds[which].push(value(values, name)?);
            }
        }
        let lines = [(SEAL_ENTRIES, Some(peak)), (LIST_ENTRIES, None), (LOOK_UP, None)];
        for ((line, peak), seconds) in lines.into_iter().zip(seconds) {
            let seconds = Values::new(seconds);
            sheet.point(Point {
                chart: Chart::Entries,
                line: line.to_owned(),
                x: *entries,
                seconds,
                bytes: 0,
                peak,
                kept: None,
            });
        }
    }
    Ok(())
}

/// Over threads, file to file.
fn threads(sheet: &mut Sheet, parent: &Path, settings: &Settings) -> io::Result<()> {
    let scratch = Scratch::new(parent, settings, settings.file)?;
    scratch.make_random("plain", settings.file)?;
    let bulla = bulla()?;
    for threads in thread_counts(std::thread::available_parallelism()?.get()) {
        let seal = format!("{bulla} seal -q -k key --threads {threads} --no-sync plain -o out1");
        let mut seconds = Vec::new();
        for _ in 0..rounds(settings) {
            seconds.push(scratch.timed(&seal)?.as_secs_f64());
        }
        let (seconds, x) = (Values::new(seconds), threads as u64);
        let point = Point {
            chart: Chart::Threads,
            line: SEAL_FILE.to_owned(),
            x,
            seconds,
            bytes: settings.file,
            peak: None,
            kept: None,
        };
        sheet.point(point);
    }
    Ok(())
}

/// Bytes above which once is enough: the disk decides, and takes minutes.
const LONG: u64 = 4 << 30;

/// Rounds of what is long.
fn rounds(settings: &Settings) -> usize {
    settings.effort.rounds.min(3)
}
