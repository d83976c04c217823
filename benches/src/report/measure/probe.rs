//! Measurements that run in a small separate process, so that nothing else adds to their memory or
//! time.

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

use crate::measure::alternate::time;

/// A measurement in a separate process.
#[derive(Subcommand)]
pub(crate) enum Probe {
    /// Write bytes from memory to a new file: a lower bound on any command's time
    Write { file: PathBuf, bytes: u64 },
    /// Touch free memory, so that the host of a virtual machine backs it
    Touch { bytes: usize },
    /// Run a script, and print its time in seconds and its peak memory in MiB
    Peak { script: String },
    /// Seal an archive of small entries in memory, and print the time in seconds
    SealEntries { entries: u64 },
    /// List such an archive, look up entries, and print both times in seconds
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

/// Writes `bytes` bytes from one thread.
///
/// Linux serializes writes to a file, so sealing into a file cannot be faster than this, no matter
/// how many threads it uses.
fn write_only(file: &Path, bytes: u64) -> io::Result<()> {
    let mut file = File::create_new(file)?;
    let block = vec![7; 960 << 10];
    let mut remaining = bytes;
    while remaining > 0 {
        let len = remaining.min(block.len() as u64);
        file.write_all(&block[..len as usize])?;
        remaining -= len;
    }
    Ok(())
}

/// Touches `bytes` bytes of memory, but no more than is free, because touching more would evict the
/// input from the page cache.
///
/// On a virtual machine, the first use of a page is three times as expensive if the host has not
/// backed the page yet. Without this step, the second of two commands is faster.
fn touch_memory(bytes: usize) {
    std::hint::black_box(vec![1u8; bytes.min(free_memory())]);
}

/// Returns the bytes of unused memory on Linux, or `usize::MAX` elsewhere.
fn free_memory() -> usize {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemFree:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kib.map_or(usize::MAX, |kib| kib << 10)
}

/// Runs a script, and prints its time in seconds and its peak memory in MiB.
///
/// On Linux, a program's peak memory includes the memory that its process had before `exec`, so the
/// process that starts the program has to be small.
fn peak(script: &str) -> io::Result<()> {
    let start = Instant::now();
    let mut child = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn()?;
    let finished = child.wait4()?;
    let seconds = start.elapsed().as_secs_f64();
    if !finished.status.success() {
        return Err(io::Error::other(format!("{script}: {}", finished.status)));
    }
    println!("time {seconds}\npeak {}", finished.rusage.maxrss as f64 / f64::from(1 << 20));
    Ok(())
}

/// Bytes in each entry, about the size of a short message.
pub(crate) const ENTRY_LEN: usize = 200;

/// Plans an archive whose entries share the same content, so that the sources take little memory.
fn plan(entries: u64) -> bulla_archive::Result<ArchiveBuilder<Bytes>> {
    let mut writer = ArchiveBuilder::new();
    let content = Bytes::from_static(&[b'm'; ENTRY_LEN]);
    for entry in 0..entries {
        writer.file(&path(entry), &Metadata::new(), ENTRY_LEN as u64, content.clone())?;
    }
    Ok(writer)
}

fn path(entry: u64) -> Vec<u8> {
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

    // A single lookup is too fast to time. The lookups are spread over the archive. If the archive
    // is small, some paths repeat.
    const LOOKUPS: u64 = 100;
    let start = Instant::now();
    for lookup in 0..LOOKUPS {
        let entry =
            reader.lookup(&path(lookup * entries / LOOKUPS))?.expect("the archive has this entry");
        assert_eq!(reader.content(&entry)?.range(0..entry.len())?.len(), ENTRY_LEN);
    }
    println!("lookup {}", start.elapsed().as_secs_f64() / LOOKUPS as f64);
    Ok(())
}
