//! What has to run in a small process of its own, so that its memory, or its time, is that of
//! nothing else.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use bulla::{Key, Options};
use bulla_archive::{ArchiveBuilder, ArchiveReader, Metadata};
use bytes::Bytes;
use clap::Subcommand;
use wait4::Wait4;

use crate::pairs::time;

/// What such a process does.
#[derive(Subcommand)]
pub(crate) enum Probe {
    /// Write that many bytes from memory to a file: what a command cannot be faster than
    Write { file: PathBuf, bytes: u64 },
    /// Take that many bytes of memory, as far as they are free, and give them back
    Touch { bytes: usize },
    /// Run a script, and say its seconds and its peak memory in MiB
    Peak { script: String },
    /// Seal an archive of that many small entries in memory, and say its seconds
    SealEntries { entries: u64 },
    /// List such an archive and look one entry up, and say the seconds of both
    ReadEntries { entries: u64 },
}

impl Probe {
    pub(crate) fn run(self) -> io::Result<()> {
        match self {
            Probe::Write { file, bytes } => write_only(&file, bytes),
            Probe::Touch { bytes } => {
                touch_memory(bytes);
                Ok(())
            }
            Probe::Peak { script } => peak(&script),
            Probe::SealEntries { entries } => {
                let writer = plan(entries).map_err(io::Error::other)?;
                let key = Key::generate().map_err(io::Error::other)?;
                let mut sealed = Ok(());
                let taken = time(|| {
                    sealed = writer.seal_to(&key, io::sink(), &Options::new()).map(drop);
                });
                sealed.map_err(io::Error::other)?;
                println!("seal {}", taken.as_secs_f64());
                Ok(())
            }
            Probe::ReadEntries { entries } => read_entries(entries).map_err(io::Error::other),
        }
    }
}

/// Linux lets one write to a file at a time, so sealing into a file cannot be faster than this one
/// thread, whatever the number of threads.
fn write_only(file: &Path, bytes: u64) -> io::Result<()> {
    let mut file = File::create_new(file)?;
    let block = vec![7; 960 << 10];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(block.len() as u64);
        file.write_all(&block[..now as usize])?;
        left -= now;
    }
    Ok(())
}

/// On a virtual machine, a page that the host has not backed yet costs three times as much as one
/// in use before; without this, whoever comes second is faster. No more than is free, or the input
/// would be lost from the page cache.
fn touch_memory(bytes: usize) {
    std::hint::black_box(vec![1u8; bytes.min(free_memory())]);
}

/// Bytes of memory that nothing uses, as Linux says; no limit elsewhere.
fn free_memory() -> usize {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemFree:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kib.map_or(usize::MAX, |kib| kib << 10)
}

/// Linux counts what a process had before it became another program as the peak memory of that
/// program, so the process that starts it has to be small.
fn peak(script: &str) -> io::Result<()> {
    let start = Instant::now();
    let mut child = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn()?;
    let done = child.wait4()?;
    let seconds = start.elapsed().as_secs_f64();
    if !done.status.success() {
        return Err(io::Error::other(format!("{script}: {}", done.status)));
    }
    println!("time {seconds}\npeak {}", done.rusage.maxrss as f64 / f64::from(1 << 20));
    Ok(())
}

/// Bytes of each entry: a short message.
pub(crate) const ENTRY_LEN: usize = 200;

/// All entries share their content, so that the sources take no memory to speak of.
fn plan(entries: u64) -> bulla_archive::Result<ArchiveBuilder<Bytes>> {
    let mut writer = ArchiveBuilder::new();
    let content = Bytes::from_static(&[b'm'; ENTRY_LEN]);
    for entry in 0..entries {
        writer.file(&name(entry), &Metadata::new(), ENTRY_LEN as u64, content.clone())?;
    }
    Ok(writer)
}

fn name(entry: u64) -> Vec<u8> {
    format!("messages/{:04}/{:04}.txt", entry / 1000, entry % 1000).into_bytes()
}

fn read_entries(entries: u64) -> bulla_archive::Result<()> {
    let key = Key::generate()?;
    let (archive, _) = plan(entries)?.seal_to(&key, Vec::new(), &Options::new())?;
    let start = Instant::now();
    let reader = ArchiveReader::new(&key, archive, &Options::new())?;
    let mut listed = 0;
    for entry in reader.entries() {
        entry?;
        listed += 1;
    }
    println!("list {}", start.elapsed().as_secs_f64());
    assert_eq!(listed, entries);

    // Some more than once, spread over the archive: a single look-up is too short to be timed.
    const LOOKUPS: u64 = 100;
    let start = Instant::now();
    for lookup in 0..LOOKUPS {
        let entry = reader.lookup(&name(lookup * entries / LOOKUPS))?.expect("it was planned");
        assert_eq!(reader.content(&entry)?.range(0..entry.len())?.len(), ENTRY_LEN);
    }
    println!("lookup {}", start.elapsed().as_secs_f64() / LOOKUPS as f64);
    Ok(())
}
