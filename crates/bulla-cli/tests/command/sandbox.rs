//! A directory to run the command in, and what came of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The command that is tested.
pub(crate) const BULLA: &str = env!("CARGO_BIN_EXE_bulla");
/// Tells `env` of Linux that signals do what they do by default. Under `nohup`, and in the
/// background of a script, some are ignored, and the command leaves it so.
pub(crate) const DEFAULT_SIGNALS: &str = "--default-signal=HUP,INT,QUIT,TERM";

/// The longest that a run of the command may take. It is for runs that hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a key in the file `k`, removed when dropped.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let sandbox = Sandbox(tempfile::tempdir().unwrap());
        sandbox.run("keygen -o k").exits(0);
        sandbox
    }

    /// Also with `plain`, of so many bytes, and with the container `c` of it, in chunks of 4 KiB.
    pub(crate) fn with_container(len: usize) -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.write("plain", &noise(len));
        sandbox.run("seal -k k plain -o c --chunk-size 4K").exits(0);
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Writes `name` anew with `change` made to it.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.read(name);
        change(&mut bytes);
        self.write(name, &bytes);
    }

    /// The names of all files, hidden ones included.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The command in this directory, with arguments that are separated by spaces, and without a
    /// key or an input from outside.
    pub(crate) fn command(&self, args: &str) -> Command {
        self.wrapped(BULLA, args)
    }

    /// As [`command`](Sandbox::command), where signals do what they do by default.
    pub(crate) fn command_with_signals(&self, args: &str) -> Command {
        if cfg!(target_os = "linux") {
            self.wrapped("env", &format!("{DEFAULT_SIGNALS} {BULLA} {args}"))
        } else {
            self.command(args)
        }
    }

    /// Another command in this directory.
    pub(crate) fn wrapped(&self, program: impl AsRef<Path>, args: &str) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .args(args.split_whitespace())
            .current_dir(self.0.path())
            .env_remove("BULLA_KEY_FILE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &str) -> Ran {
        self.command(args).output().unwrap().into()
    }

    pub(crate) fn run_with_input(&self, args: &str, input: &[u8]) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // The command may stop reading early.
            let _ = stdin.write_all(&input);
        });
        let ran = child.wait_with_output().unwrap().into();
        writer.join().unwrap();
        ran
    }

    /// A shell script in this directory, with the command as `$BULLA`.
    pub(crate) fn shell(&self, script: &str) -> Ran {
        self.shell_command(script).output().unwrap().into()
    }

    pub(crate) fn shell_command(&self, script: &str) -> Command {
        let mut command = self.wrapped("sh", "-c");
        command.arg(script).env("BULLA", BULLA);
        command
    }
}

/// What came of a run.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ran {
    /// Checks how it ended, and that it did not panic.
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Checks that it said something.
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(self.err.contains(text), "{text:?} is missing in:\n{}", self.err);
        self
    }

    pub(crate) fn says_nothing(self) -> Ran {
        assert_eq!((self.out.len(), self.err.as_str()), (0, ""));
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Waits for a run that could hang.
pub(crate) fn finish(mut child: Child) -> Ran {
    wait_until("the command ends", || child.try_wait().unwrap().is_some());
    child.wait_with_output().unwrap().into()
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Bytes without a pattern, the same in every run.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}
