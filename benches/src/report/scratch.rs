//! The directory where the measured files lie, and how commands are run in it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rand::RngCore;

use crate::pairs::{Effort, in_turn, time};
use crate::settings::Settings;
use crate::sheet::{Part, Row, Sheet};

/// A directory that is gone when this is dropped.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
    effort: Effort,
    /// The effort where a ratio is asked for.
    decisive: Effort,
    /// Bytes that a command reads or writes, about.
    bytes: u64,
    /// Whether nothing is measured, so that the machine need not be quiet.
    quick: bool,
}

/// A comparison to be made.
pub(crate) struct Comparison<'a> {
    /// Whether the peer is there, or why not.
    pub(crate) ready: Ready,
    pub(crate) part: Part,
    pub(crate) what: &'a str,
    pub(crate) peer: &'a str,
    pub(crate) ours: &'a str,
    pub(crate) theirs: &'a str,
    pub(crate) asked: Option<f64>,
}

impl<'a> Comparison<'a> {
    /// With a peer that is on every machine.
    pub(crate) fn new(
        part: Part,
        what: &'a str,
        peer: &'a str,
        ours: &'a str,
        theirs: &'a str,
    ) -> Comparison<'a> {
        Comparison { ready: Ok(()), part, what, peer, ours, theirs, asked: None }
    }

    /// With a peer that may be missing.
    pub(crate) fn ready(self, ready: Ready) -> Comparison<'a> {
        Comparison { ready, ..self }
    }

    /// What the ratio should be at most.
    pub(crate) fn asked(self, asked: Option<f64>) -> Comparison<'a> {
        Comparison { asked, ..self }
    }
}

impl Scratch {
    /// A new directory, below `parent`.
    pub(crate) fn new(parent: &Path, settings: &Settings, bytes: u64) -> io::Result<Scratch> {
        let directory = tempfile::Builder::new().prefix("bulla-report-").tempdir_in(parent)?;
        let scratch = Scratch {
            directory,
            effort: settings.effort,
            decisive: settings.decisive,
            bytes,
            quick: settings.quick,
        };
        scratch.shell(&format!("{} keygen -q -o key", bulla()?))?;
        fs::write(scratch.path("pass"), "a password of no value\n")?;
        Ok(scratch)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
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

    /// Runs a script in the directory; what it says is kept for the error.
    pub(crate) fn shell(&self, script: &str) -> io::Result<()> {
        let done =
            Command::new("sh").args(["-c", script]).current_dir(self.directory.path()).output()?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        Err(io::Error::other(format!("`{script}`: {}: {last}", done.status)))
    }

    /// The time of a script.
    pub(crate) fn timed(&self, script: &str) -> io::Result<Duration> {
        self.run(|| {
            let mut done = Ok(());
            let taken = time(|| done = self.shell(script));
            done.map(|()| taken)
        })
    }

    /// Runs what is measured. Memory for its output is there before; its outputs are removed, and
    /// the disk is idle again, after it.
    pub(crate) fn run<T>(&self, measured: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // Three times what is written: of what a process has just freed, the next one is not given
        // all. A process of its own: what a process once took counts as its children's peak
        // memory too.
        let touched = (self.bytes + (2 * self.bytes).min(4 << 30)).to_string();
        Command::new(std::env::current_exe()?).args(["probe", "touch", &touched]).status()?;
        let done = measured();
        for name in ["out1", "out2"] {
            self.remove(name);
        }
        if !self.quick {
            self.shell("sync")?;
        }
        done
    }

    /// Removes a file or a directory, if it is there.
    pub(crate) fn remove(&self, name: &str) {
        // It is one of the two; the other fails.
        let _ = fs::remove_file(self.path(name));
        let _ = fs::remove_dir_all(self.path(name));
    }

    /// Compares two commands, and adds the row. What is wrong with ours is an error; what is wrong
    /// with theirs is said in its row.
    pub(crate) fn compare(&self, sheet: &mut Sheet, comparison: &Comparison<'_>) -> io::Result<()> {
        let Comparison { ours, theirs, .. } = comparison;
        // Nothing has to warm up: inputs were just written, and each program was asked for its
        // version.
        let mut broken = None;
        let outcome = match comparison.ready.clone() {
            Err(why) => Err(why),
            Ok(()) => {
                let effort = if comparison.asked.is_some() { self.decisive } else { self.effort };
                let pair = in_turn(effort, &mut || self.timed(ours), &mut || {
                    self.timed(theirs).inspect_err(|why| broken = Some(failed(why)))
                });
                match (pair, broken) {
                    (Ok(pair), _) => Ok(pair),
                    (Err(_), Some(why)) => Err(why),
                    (Err(why), None) => return Err(why),
                }
            }
        };
        sheet.row(Row {
            part: comparison.part,
            what: comparison.what.to_owned(),
            peer: comparison.peer.to_owned(),
            ours: named(ours),
            theirs: named(theirs),
            bytes: self.bytes,
            asked: comparison.asked,
            outcome,
            kept: None,
        });
        Ok(())
    }

    /// What a probe says in a small process of its own, by name: `time` and `peak`, and what else
    /// it measures.
    pub(crate) fn peak(&self, script: &str) -> io::Result<Vec<(String, f64)>> {
        let done = Command::new(std::env::current_exe()?)
            .args(["probe", "peak", script])
            .current_dir(self.directory.path())
            .output()?;
        if !done.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned()));
        }
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let named = |line: &str| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(said.lines().filter_map(named).collect())
    }
}

/// Whether a peer can be compared with; if not, why.
pub(crate) type Ready = Result<(), String>;

/// Why a peer cannot be compared with.
pub(crate) fn failed(why: &io::Error) -> String {
    format!("failed: {why}")
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.path("gpg").exists() {
            // It starts a process that stays.
            let _ = self.shell("gpgconf --homedir gpg --kill all");
        }
    }
}

/// The value of a probe.
pub(crate) fn value(values: &[(String, f64)], name: &str) -> io::Result<f64> {
    let found = values.iter().find(|(known, _)| known == name);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| io::Error::other(format!("a probe did not say its {name}")))
}

/// The command that was built beside this one.
pub(crate) fn bulla() -> io::Result<String> {
    let bulla = std::env::current_exe()?.with_file_name("bulla");
    if bulla.exists() {
        Ok(bulla.display().to_string())
    } else {
        Err(io::Error::other("build the command first: cargo build --release -p bulla-cli"))
    }
}

/// A command as it is shown: without the directory that the binaries lie in.
fn named(command: &str) -> String {
    let directory = std::env::current_exe()
        .ok()
        .and_then(|this| Some(format!("{}/", this.parent()?.display())));
    directory.map_or(command.to_owned(), |directory| command.replace(&directory, ""))
}
