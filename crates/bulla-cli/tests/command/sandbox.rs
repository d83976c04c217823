//! A temporary directory to run the command in, and the outcome of a run.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The path to the `bulla` executable.
pub(crate) const BULLA: &str = env!("CARGO_BIN_EXE_bulla");
/// The `env` option that resets signal actions on Linux. Under `nohup` and in a script's background
/// jobs, some signals are ignored, and the command leaves them ignored.
pub(crate) const DEFAULT_SIGNALS: &str = "--default-signal=HUP,INT,QUIT,TERM";

/// The time after which a run counts as hanging.
pub(crate) const HANG_TIMEOUT: Duration = Duration::from_secs(60);

/// A temporary directory with a key in the file `k`.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let sandbox = Sandbox(tempfile::tempdir().unwrap());
        sandbox.run("keygen -o k").exits(0);
        sandbox
    }

    /// Returns a sandbox with `plain`, a file of `len` bytes, and its container `c` with 4 KiB
    /// chunks.
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

    /// Applies `change` to the contents of a file.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.read(name);
        change(&mut bytes);
        self.write(name, &bytes);
    }

    /// Returns the names of all files, including hidden ones.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Returns the command with the arguments in `args`, which are separated by spaces. It runs in
    /// this directory, with empty input and without a key file from the environment.
    pub(crate) fn command(&self, args: &str) -> Command {
        self.wrapped(BULLA, args)
    }

    /// Like [`command`](Sandbox::command), but with the default signal actions.
    pub(crate) fn command_with_signals(&self, args: &str) -> Command {
        if cfg!(target_os = "linux") {
            self.wrapped("env", &format!("{DEFAULT_SIGNALS} {BULLA} {args}"))
        } else {
            self.command(args)
        }
    }

    /// Returns a command that runs another program in this directory.
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

    pub(crate) fn run(&self, args: &str) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    pub(crate) fn run_with_input(&self, args: &str, input: &[u8]) -> Outcome {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // The command may stop reading early.
            let _ = stdin.write_all(&input);
        });
        let outcome = child.wait_with_output().unwrap().into();
        writer.join().unwrap();
        outcome
    }

    /// Runs a shell script in this directory. `$BULLA` is the path to the command.
    pub(crate) fn shell(&self, script: &str) -> Outcome {
        self.shell_command(script).output().unwrap().into()
    }

    pub(crate) fn shell_command(&self, script: &str) -> Command {
        let mut command = self.wrapped("sh", "-c");
        command.arg(script).env("BULLA", BULLA);
        command
    }
}

/// The outcome of a run.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Outcome {
    /// Checks the exit code and that the command did not panic.
    pub(crate) fn exits(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Checks that standard error contains `text`.
    pub(crate) fn says(self, text: &str) -> Outcome {
        assert!(self.err.contains(text), "{text:?} is missing from:\n{}", self.err);
        self
    }

    /// Checks that standard output and standard error are empty.
    pub(crate) fn says_nothing(self) -> Outcome {
        assert_eq!((self.out.len(), self.err.as_str()), (0, ""));
        self
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Outcome {
        Outcome {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Waits for a command to end, and panics if it hangs.
pub(crate) fn finish(mut child: Child) -> Outcome {
    wait_until("the command ends", || child.try_wait().unwrap().is_some());
    child.wait_with_output().unwrap().into()
}

/// Waits until `holds` returns true, for at most [`HANG_TIMEOUT`].
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < HANG_TIMEOUT, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns pseudorandom bytes that are the same in every run.
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
