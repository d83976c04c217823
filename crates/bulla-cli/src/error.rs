//! Exit codes, and failures: what a command says when it ends with one.

use std::fmt;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use bulla::Error;

/// How a command ended. The numbers are part of the interface, as [`EXIT_CODES`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Environment = 1,
    Usage = 2,
    WrongKey = 3,
    Damaged = 4,
    Unsupported = 5,
    Warnings = 6,
}

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  a file could not be read or written, or exists already
  2  the command line, or the key file, cannot be used as it is
  3  wrong key or passphrase
  4  the container is damaged, truncated or tampered with
  5  not a container, or one that this release cannot open
  6  done, but with a warning that says what is not as it should be: the container's
     header, footer or envelope is damaged, what was sealed changed or grew meanwhile, or
     some files are missing or incomplete
  128 + n  stopped by signal n (130: Ctrl-C); what was unfinished is removed";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command failed: shown as "subject: fact; likely cause; what to do". Public data only.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    subject: String,
    text: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, subject: impl Into<String>, text: impl Into<String>) -> Failure {
        Failure { exit, subject: subject.into(), text: text.into() }
    }

    pub(crate) fn usage(subject: impl Into<String>, text: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, subject, text)
    }

    /// Reading, writing or creating `subject` failed.
    pub(crate) fn io(subject: impl Into<String>, error: &io::Error) -> Failure {
        Failure::new(Exit::Environment, subject, describe(error))
    }

    /// Work between `input` and `output` failed; the core does not say which of them an I/O error
    /// came from, so that is told from its kind.
    pub(crate) fn of_work(error: &Error, input: &str, output: &str) -> Failure {
        let (exit, text) = match error {
            Error::Io(e) => return Failure::io(side(e, input, output), e),
            Error::NotAContainer => {
                let cause = "this may be the wrong file, or a program changed it on its way here";
                (Exit::Unsupported, format!("{error}; {cause}"))
            }
            Error::UnsupportedVersion { .. }
            | Error::UnsupportedSuite { .. }
            | Error::UnsupportedFeature(_) => (Exit::Unsupported, error.to_string()),
            Error::ContextRequired => {
                let text = "sealed with a context, which this command cannot give; \
                            open it with the application that made it";
                (Exit::Unsupported, text.to_owned())
            }
            Error::WrongKey => (Exit::WrongKey, error.to_string()),
            Error::ChunkRejected { .. } => {
                (Exit::Damaged, format!("{error}; fetch the container again from where it is kept"))
            }
            Error::DamagedHeader | Error::Truncated { .. } | Error::TrailingData { .. } => {
                (Exit::Damaged, error.to_string())
            }
            _ => (Exit::Environment, error.to_string()),
        };
        Failure::new(exit, input, text)
    }

    /// Work on an archive failed: between the files and the archive that is made of them, or
    /// between the archive and what is made of it.
    pub(crate) fn of_archive(error: &bulla_archive::Error, input: &str, output: &str) -> Failure {
        use bulla_archive::Error;
        let exit = match error {
            Error::Container(error) => return Failure::of_work(error, input, output),
            Error::NotAnArchive { content_type: 0 } => {
                return Failure::new(Exit::Unsupported, input, error.to_string())
                    .and("open it with `bulla open`");
            }
            Error::NotAnArchive { .. } => {
                return Failure::new(Exit::Unsupported, input, error.to_string())
                    .and("open it with the application that made it");
            }
            Error::Malformed { .. } => Exit::Damaged,
            // Sealing finds these out before it starts; what is read was made so.
            Error::Duplicate { .. } | Error::ParentNotDirectory { .. } => {
                return Failure::new(Exit::Damaged, input, format!("malformed archive: {error}"))
                    .and("it is authentic, so the program that made it is at fault");
            }
            Error::UnknownKind { .. }
            | Error::UnknownEncoding { .. }
            | Error::ExternalContent { .. } => Exit::Unsupported,
            Error::NoContent | Error::InvalidPath { .. } => Exit::Usage,
            _ => Exit::Environment,
        };
        Failure::new(exit, input, error.to_string())
    }

    /// Adds a clause at the end.
    pub(crate) fn and(mut self, clause: &str) -> Failure {
        self.text.push_str("; ");
        self.text.push_str(clause);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.text)
    }
}

/// Which side an I/O error belongs to, as far as its kind tells.
fn side(error: &io::Error, input: &str, output: &str) -> String {
    match error.kind() {
        ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::FileTooLarge
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::BrokenPipe
        | ErrorKind::AlreadyExists
        | ErrorKind::WriteZero => output.to_owned(),
        ErrorKind::IsADirectory | ErrorKind::UnexpectedEof => input.to_owned(),
        _ if input == output => input.to_owned(),
        _ => format!("from {input} to {output}"),
    }
}

/// An I/O error in words, and what to do about it where that is clear.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = match error.kind() {
        ErrorKind::NotFound => "no such file or directory",
        ErrorKind::NotADirectory => "a part of the path is a file and no directory",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::IsADirectory => "this is a directory",
        ErrorKind::AlreadyExists => "already exists",
        ErrorKind::StorageFull => {
            "no space is left on the device; free some, or write to another one"
        }
        ErrorKind::QuotaExceeded => {
            "your quota of disk space is used up; free some, or write elsewhere"
        }
        ErrorKind::FileTooLarge => {
            "the file would become larger than the system allows; see `ulimit -f`"
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only; write to another place",
        ErrorKind::BrokenPipe => "broken pipe: whoever was reading stopped early",
        _ => return without_number(&error.to_string()),
    };
    text.to_owned()
}

/// Without the "(os error 5)" that the standard library appends, and the temporary name that
/// tempfile appends to that.
fn without_number(text: &str) -> String {
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_in_the_help() {
        for code in 0..=6 {
            assert!(EXIT_CODES.contains(&format!("\n  {code}  ")), "{code}");
        }
        assert_eq!(Exit::Warnings as u8, 6);
    }

    #[test]
    fn faults_of_archives() {
        use bulla_archive::Error::*;
        for (error, exit, says) in [
            (Container(Error::WrongKey), Exit::WrongKey, "the key does not belong"),
            (NotAnArchive { content_type: 0 }, Exit::Unsupported, "open it with `bulla open`"),
            (
                NotAnArchive { content_type: 200 },
                Exit::Unsupported,
                "with the application that made it",
            ),
            (
                Malformed { offset: 7, what: "a name is none" },
                Exit::Damaged,
                "a name is none (at byte 7)",
            ),
            (
                Duplicate { path: b"a\x1b".to_vec() },
                Exit::Damaged,
                "two entries are named a\\u{1b}",
            ),
            (ParentNotDirectory { path: b"a/b".to_vec() }, Exit::Damaged, "malformed archive"),
            (UnknownKind { offset: 7, kind: 9 }, Exit::Unsupported, "a newer release"),
            (UnknownEncoding { encoding: 1 }, Exit::Unsupported, "a newer release"),
            (ExternalContent { container: 1 }, Exit::Unsupported, "in another container"),
            (NoContent, Exit::Usage, "no content"),
            (TooLarge { what: "more than 2^32 - 1 entries" }, Exit::Environment, "too large"),
        ] {
            let failure = Failure::of_archive(&error, "in", "out");
            assert_eq!(failure.exit, exit, "{error}");
            let shown = failure.to_string();
            assert!(shown.starts_with("in: ") && shown.contains(says), "{shown}");
        }
    }

    #[test]
    fn a_full_disk_is_the_outputs() {
        let error = Error::Io(ErrorKind::StorageFull.into());
        let shown = Failure::of_work(&error, "in", "out").to_string();
        assert!(shown.starts_with("out: no space"), "{shown}");
    }

    #[test]
    fn numbers_of_the_system_are_left_out() {
        let error = io::Error::from_raw_os_error(5);
        assert!(!Failure::io("x", &error).to_string().contains("os error"));
    }
}
