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
struct Bench {
    folder: tempfile::TempDir,
    rounds: usize,
    len: u64,
}

/// Prints a row for each pair of commands.
pub(crate) fn compare(parent: &Path, len: u64, rounds: usize) -> io::Result<()> {
    let bench = Bench { folder: tempfile::tempdir_in(parent)?, rounds, len };
    bench.prepare()?;
    println!("\n| {} MiB of random data | bulla | the other | ratio of time |\n|---|---|---|---|", len >> 20);
    let bulla = bench.bulla();
    let seal = format!("{bulla} seal -q -k key");
    let open = format!("{bulla} open -q -k key");
    for (name, ours, theirs) in [
        ("seal to `cp`, unsynced", format!("{seal} --no-sync plain -o out1"), "cp plain out2"),
        ("open to `cp`, unsynced", format!("{open} --no-sync sealed -o out1"), "cp plain out2"),
        ("seal to `cp` and `sync`", format!("{seal} plain -o out1"), "cp plain out2 && sync out2"),
        ("open to `cp` and `sync`", format!("{open} sealed -o out1"), "cp plain out2 && sync out2"),
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
    fn prepare(&self) -> io::Result<()> {
        let mut plain = File::create(self.path("plain"))?;
        let mut block = vec![0; 1 << 20];
        for _ in 0..self.len >> 20 {
            rand::rng().fill_bytes(&mut block);
            plain.write_all(&block)?;
        }
        self.shell(&format!(
            "{0} keygen -o key 2> /dev/null && {0} seal -q -k key plain -o sealed",
            self.bulla()
        ))?;
        // Without age, its rows are left out.
        let _ = self.shell("age-keygen -o age.key 2> /dev/null");
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command that was built beside this one.
    fn bulla(&self) -> String {
        let here = std::env::current_exe().unwrap_or_default();
        let bulla = here.with_file_name("bulla");
        assert!(bulla.exists(), "build it first: cargo build --release --workspace");
        bulla.display().to_string()
    }

    fn shell(&self, script: &str) -> io::Result<()> {
        let done = Command::new("sh").args(["-c", script]).current_dir(self.folder.path()).status()?;
        if done.success() { Ok(()) } else { Err(io::Error::other(format!("{script}: {done}"))) }
    }

    /// The time of a script; its outputs are removed, and the disk is idle again, before the next.
    fn timed(&self, script: &str) -> Duration {
        touch_memory(self.len as usize + (256 << 20));
        let taken = time(|| self.shell(script).expect("the command runs"));
        for name in ["out1", "out2"] {
            let _ = std::fs::remove_file(self.path(name));
        }
        let _ = self.shell("sync");
        taken
    }

    fn row(&self, name: &str, ours: &str, theirs: &str) -> io::Result<()> {
        if theirs.contains("age ") && !self.path("age.key").exists() {
            println!("| {name} | `age` is not installed | | |");
            return Ok(());
        }
        let pair = in_turn(self.rounds, || self.timed(ours), || self.timed(theirs));
        println!("| {name} | {pair} |");
        io::stdout().flush()
    }

    /// Peak memory of sealing and opening a file of zeros.
    fn memory(&self, name: &str, len: u64, seal: &str, open: &str) -> io::Result<()> {
        File::create(self.path("zeros"))?.set_len(len)?;
        for (verb, command) in [
            ("seal", format!("exec {seal} --threads 2 --no-sync zeros -o zeros.sealed")),
            ("open", format!("exec {open} --threads 2 --no-sync zeros.sealed -o zeros.opened")),
            ("seal in a pipe", format!("exec {seal} --threads 2 < zeros > /dev/null")),
        ] {
            let mut child = Command::new("sh")
                .args(["-c", &command])
                .stdin(Stdio::null())
                .current_dir(self.folder.path())
                .spawn()?;
            let used = child.wait4()?;
            println!("| {verb} {name} | {:.1} |", used.rusage.maxrss as f64 / f64::from(1 << 20));
        }
        for name in ["zeros", "zeros.sealed", "zeros.opened"] {
            std::fs::remove_file(self.path(name))?;
        }
        Ok(())
    }
}

/// Takes as much memory as the output needs, and gives it back. On a virtual machine, a page that the host has not backed yet
/// costs three times as much as one in use before; without this, whoever comes second is faster.
fn touch_memory(len: usize) {
    std::hint::black_box(vec![1u8; len]);
}
