//! Whole commands: file to file, synced and not, through pipes, and their peak memory.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::RngCore;
use wait4::Wait4;

use crate::pairs::{in_turn, time};

/// Where the measured files lie, and the commands that work on them.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    pub(crate) rounds: usize,
    /// Bytes that a command writes, about.
    len: u64,
}

/// Prints a row for each pair of commands.
pub(crate) fn compare(parent: &Path, len: u64, rounds: usize) -> io::Result<()> {
    let bench = Bench::new(parent, rounds, len)?;
    bench.make_random("plain", len)?;
    bench.make_key()?;
    bench.shell(&format!("{} seal -q -k key plain -o sealed", bench.bulla()))?;
    println!("\n| {} MiB of random data | bulla | the other | ratio of time |\n|---|---|---|---|", len >> 20);
    let bulla = bench.bulla();
    let seal = format!("{bulla} seal -q -k key");
    let open = format!("{bulla} open -q -k key");
    let this = std::env::current_exe()?;
    let write = format!("{} --write out2 --mib {}", this.display(), len >> 20);
    let disk = format!("dd if=/dev/zero of=out2 bs=4M count={} oflag=direct 2> /dev/null", len >> 22);
    for (name, ours, theirs) in [
        ("seal to `cp`, unsynced", format!("{seal} --no-sync plain -o out1"), "cp plain out2"),
        ("open to `cp`, unsynced", format!("{open} --no-sync sealed -o out1"), "cp plain out2"),
        ("seal to writing as much, from memory", format!("{seal} --no-sync plain -o out1"), &write),
        ("seal to `cp` and `sync`", format!("{seal} plain -o out1"), "cp plain out2 && sync out2"),
        ("open to `cp` and `sync`", format!("{open} sealed -o out1"), "cp plain out2 && sync out2"),
        ("seal, synced, to the disk alone", format!("{seal} plain -o out1"), &disk),
        (
            "seal in a pipe to `cat` in it",
            format!("cat plain | {seal} | cat > /dev/null"),
            "cat plain | cat | cat > /dev/null",
        ),
        (
            "open in a pipe to `cat` in it",
            format!("cat sealed | {open} | cat > /dev/null"),
            "cat sealed | cat | cat > /dev/null",
        ),
        (
            "seal to /dev/null to `age`",
            format!("{seal} plain -o /dev/null"),
            "age -e -i age.key -o /dev/null plain",
        ),
        (
            "seal in a pipe to `age` in it",
            format!("cat plain | {seal} | cat > /dev/null"),
            "cat plain | age -e -i age.key | cat > /dev/null",
        ),
    ] {
        bench.row(name, &ours, theirs)?;
    }

    println!("\n| peak memory, 2 threads | MiB |\n|---|---|");
    for (name, len) in [("64 MiB", 64 << 20), ("8 GiB", 8 << 30)] {
        bench.memory(name, len, &seal, &open)?;
    }
    Ok(())
}

impl Bench {
    pub(crate) fn new(parent: &Path, rounds: usize, len: u64) -> io::Result<Bench> {
        Ok(Bench { folder: tempfile::tempdir_in(parent)?, rounds, len })
    }

    /// A file of random bytes.
    pub(crate) fn make_random(&self, name: &str, len: u64) -> io::Result<()> {
        let mut file = File::create(self.path(name))?;
        let mut block = vec![0; 1 << 20];
        for _ in 0..len >> 20 {
            rand::rng().fill_bytes(&mut block);
            file.write_all(&block)?;
        }
        Ok(())
    }

    /// Keys for both sides.
    pub(crate) fn make_key(&self) -> io::Result<()> {
        self.shell(&format!("{} keygen -q -o key", self.bulla()))?;
        // Without age, its rows are left out.
        let _ = self.shell("age-keygen -o age.key 2> /dev/null");
        Ok(())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command that was built beside this one.
    pub(crate) fn bulla(&self) -> String {
        let here = std::env::current_exe().unwrap_or_default();
        let bulla = here.with_file_name("bulla");
        assert!(bulla.exists(), "build it first: cargo build --release --workspace");
        bulla.display().to_string()
    }

    pub(crate) fn shell(&self, script: &str) -> io::Result<()> {
        let done = Command::new("sh").args(["-c", script]).current_dir(self.folder.path()).status()?;
        if done.success() { Ok(()) } else { Err(io::Error::other(format!("{script}: {done}"))) }
    }

    /// The time of a script; its outputs are removed, and the disk is idle again, before the next.
    fn timed(&self, script: &str) -> Duration {
        let mib = (self.len >> 20) + 256;
        // A process of its own: what a process once took counts as its children's peak memory too.
        let this = std::env::current_exe().expect("it has a path");
        let _ = Command::new(this).args(["--touch", &mib.to_string()]).status();
        let taken = time(|| self.shell(script).expect("the command runs"));
        for name in ["out1", "out2"] {
            // A file or a tree, whichever it is; one of the two fails.
            let _ = std::fs::remove_file(self.path(name));
            let _ = std::fs::remove_dir_all(self.path(name));
        }
        let _ = self.shell("sync");
        taken
    }

    pub(crate) fn row(&self, name: &str, ours: &str, theirs: &str) -> io::Result<()> {
        if theirs.contains("age ") && !self.path("age.key").exists() {
            println!("| {name} | `age` is not installed | | |");
            return Ok(());
        }
        let pair = in_turn(self.rounds, || self.timed(ours), || self.timed(theirs));
        println!("| {name} | {pair} |");
        io::stdout().flush()
    }

    /// Peak memory of a command, in MiB.
    pub(crate) fn peak_memory(&self, command: &str) -> io::Result<f64> {
        let mut child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .current_dir(self.folder.path())
            .spawn()?;
        Ok(child.wait4()?.rusage.maxrss as f64 / f64::from(1 << 20))
    }

    /// Peak memory of sealing and opening a file of zeros.
    fn memory(&self, name: &str, len: u64, seal: &str, open: &str) -> io::Result<()> {
        File::create(self.path("zeros"))?.set_len(len)?;
        for (verb, command) in [
            ("seal", format!("exec {seal} --threads 2 --no-sync zeros -o zeros.sealed")),
            ("open", format!("exec {open} --threads 2 --no-sync zeros.sealed -o zeros.opened")),
            ("seal in a pipe", format!("exec {seal} --threads 2 < zeros > /dev/null")),
        ] {
            println!("| {verb} {name} | {:.1} |", self.peak_memory(&command)?);
        }
        for name in ["zeros", "zeros.sealed", "zeros.opened"] {
            std::fs::remove_file(self.path(name))?;
        }
        Ok(())
    }
}

/// Writes `len` bytes to a new file, on one thread: Linux lets one write to a file at a time, so sealing into a file cannot be
/// faster, whatever the number of threads.
pub(crate) fn write_only(file: &Path, len: u64) -> io::Result<()> {
    let mut file = File::create_new(file)?;
    let block = vec![7; 960 << 10];
    let mut left = len as usize;
    while left > 0 {
        let now = left.min(block.len());
        file.write_all(&block[..now])?;
        left -= now;
    }
    Ok(())
}

/// Takes as much memory as the output needs, and gives it back. On a virtual machine, a page that the host has not backed yet
/// costs three times as much as one in use before; without this, whoever comes second is faster.
pub(crate) fn touch_memory(len: usize) {
    std::hint::black_box(vec![1u8; len]);
}
