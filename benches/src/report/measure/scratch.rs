//! The directory that holds the measured files, and the commands that run in it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rand::RngCore;

use crate::measure::alternate::{Effort, alternate_pair, time};
use crate::measure::results::{Results, Row, Table};
use crate::measure::settings::Settings;

/// A temporary directory, removed on drop.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    effort: Effort,
    /// The effort of comparisons with a target.
    target_effort: Effort,
    /// The approximate number of bytes that a command reads or writes.
    bytes: u64,
    /// Whether nothing is measured, so the disk need not be idle.
    quick: bool,
}

/// Whether a peer can be measured, and the reason if it cannot.
pub(crate) type Availability = Result<(), String>;

/// Two commands to compare.
pub(crate) struct Comparison<'a> {
    pub(crate) available: Availability,
    pub(crate) table: Table,
    pub(crate) operation: &'a str,
    pub(crate) peer: &'a str,
    pub(crate) ours: &'a str,
    pub(crate) theirs: &'a str,
    pub(crate) target: Option<f64>,
}

impl<'a> Comparison<'a> {
    /// Creates a comparison with a peer that is available on every machine.
    pub(crate) fn new(
        table: Table,
        operation: &'a str,
        peer: &'a str,
        ours: &'a str,
        theirs: &'a str,
    ) -> Comparison<'a> {
        Comparison { available: Ok(()), table, operation, peer, ours, theirs, target: None }
    }

    /// Skips the comparison unless the peer is available.
    pub(crate) fn if_available(self, available: Availability) -> Comparison<'a> {
        Comparison { available, ..self }
    }

    /// Sets the highest ratio that meets the target.
    pub(crate) fn target(self, target: Option<f64>) -> Comparison<'a> {
        Comparison { target, ..self }
    }
}

impl Scratch {
    /// Creates a directory in `parent` that contains a key file and a password file.
    pub(crate) fn new(parent: &Path, settings: &Settings, bytes: u64) -> io::Result<Scratch> {
        let directory = tempfile::Builder::new().prefix("bulla-report-").tempdir_in(parent)?;
        let scratch = Scratch {
            directory,
            effort: settings.effort,
            target_effort: settings.target_effort,
            bytes,
            quick: settings.quick,
        };
        scratch.shell(&format!("{} keygen -q -o key", bulla()?))?;
        fs::write(scratch.path("pass"), "not a secret\n")?;
        Ok(scratch)
    }

    /// Returns the path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Creates a file of random bytes. Its length is `len` rounded down to a multiple of 1 MiB.
    pub(crate) fn create_random(&self, name: &str, len: u64) -> io::Result<()> {
        let mut file = File::create(self.path(name))?;
        let mut block = vec![0; 1 << 20];
        for _ in 0..len >> 20 {
            rand::rng().fill_bytes(&mut block);
            file.write_all(&block)?;
        }
        Ok(())
    }

    /// Runs a script in the directory.
    ///
    /// # Errors
    ///
    /// If the script fails, the error contains the last line of its standard error.
    pub(crate) fn shell(&self, script: &str) -> io::Result<()> {
        let output =
            Command::new("sh").args(["-c", script]).current_dir(self.directory.path()).output()?;
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        Err(io::Error::other(format!("`{script}`: {}: {last}", output.status)))
    }

    /// Returns how long a script takes when [`prepared`](Self::prepared) runs it.
    pub(crate) fn timed(&self, script: &str) -> io::Result<Duration> {
        self.prepared(|| {
            let mut result = Ok(());
            let taken = time(|| result = self.shell(script));
            result.map(|()| taken)
        })
    }

    /// Touches memory, runs a measurement, then removes its outputs and syncs the disk.
    pub(crate) fn prepared<T>(&self, measurement: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // Touch three times the output, because a process gets only some of the pages that another
        // process has just freed. Do it in a child process, because Linux adds a parent's peak
        // memory to that of its children.
        let touched = (self.bytes + (2 * self.bytes).min(4 << 30)).to_string();
        Command::new(std::env::current_exe()?).args(["probe", "touch", &touched]).status()?;
        let result = measurement();
        for name in ["out1", "out2"] {
            self.remove(name);
        }
        if !self.quick {
            self.shell("sync")?;
        }
        result
    }

    /// Removes a file or a directory, if it exists.
    pub(crate) fn remove(&self, name: &str) {
        // It is either a file or a directory, so at least one of the calls fails.
        let _ = fs::remove_file(self.path(name));
        let _ = fs::remove_dir_all(self.path(name));
    }

    /// Compares two commands and adds the row.
    ///
    /// If the peer fails, its error becomes the outcome of the row.
    ///
    /// # Errors
    ///
    /// Returns an error if bulla's command fails.
    pub(crate) fn compare(
        &self,
        results: &mut Results,
        comparison: &Comparison<'_>,
    ) -> io::Result<()> {
        let Comparison { ours, theirs, target, .. } = comparison;
        // No warm-up is needed, because the inputs were just written and each program has already
        // printed its version.
        let mut peer_failure = None;
        let outcome = match comparison.available.clone() {
            Err(reason) => Err(reason),
            Ok(()) => {
                let effort = if target.is_some() { self.target_effort } else { self.effort };
                let pair = alternate_pair(effort, &mut || self.timed(ours), &mut || {
                    self.timed(theirs).inspect_err(|error| peer_failure = Some(failed(error)))
                });
                match (pair, peer_failure) {
                    (Ok(pair), _) => Ok(pair),
                    (Err(_), Some(reason)) => Err(reason),
                    (Err(error), None) => return Err(error),
                }
            }
        };
        results.add_row(Row {
            table: comparison.table,
            operation: comparison.operation.to_owned(),
            peer: comparison.peer.to_owned(),
            ours: without_directory(ours),
            theirs: without_directory(theirs),
            bytes: self.bytes,
            target: *target,
            outcome,
            stored: None,
        });
        Ok(())
    }

    /// Runs a script from a small process and returns named values: its `time` in seconds, its
    /// `peak` memory in MiB, and the values that it prints.
    pub(crate) fn probe(&self, script: &str) -> io::Result<Vec<(String, f64)>> {
        let output = Command::new(std::env::current_exe()?)
            .args(["probe", "peak", script])
            .current_dir(self.directory.path())
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let parse = |line: &str| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(printed.lines().filter_map(parse).collect())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.path("gpg").exists() {
            // gpg leaves its agent running.
            let _ = self.shell("gpgconf --homedir gpg --kill all");
        }
    }
}

/// Returns the outcome for a peer that failed.
pub(crate) fn failed(error: &io::Error) -> String {
    format!("failed: {error}")
}

/// Returns the probe's value called `name`.
pub(crate) fn value(values: &[(String, f64)], name: &str) -> io::Result<f64> {
    let found = values.iter().find(|(known, _)| known == name);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| io::Error::other(format!("probe: no value for {name} was printed")))
}

/// Returns the path of the `bulla` command, which is in the same directory as this executable.
pub(crate) fn bulla() -> io::Result<String> {
    let bulla = std::env::current_exe()?.with_file_name("bulla");
    if bulla.exists() {
        Ok(bulla.display().to_string())
    } else {
        let path = bulla.display();
        Err(io::Error::other(format!(
            "{path}: not found; run `cargo build --release -p bulla-cli`"
        )))
    }
}

/// Removes the directory of this executable from a command, for display.
fn without_directory(command: &str) -> String {
    let directory = std::env::current_exe()
        .ok()
        .and_then(|this| Some(format!("{}/", this.parent()?.display())));
    directory.map_or(command.to_owned(), |directory| command.replace(&directory, ""))
}
