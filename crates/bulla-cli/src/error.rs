//! Exit codes, and the failure that ends a command.

use std::fmt;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use bulla::Error;

/// An exit code. The numbers are part of the command's interface (`bulla help exit-codes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Environment = 1,
    Usage = 2,
    WrongKey = 3,
    Damaged = 4,
    Unsupported = 5,
    Warnings = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The reason why a command failed, displayed as "object: problem; remedy".
///
/// It contains public data only: no key, passphrase or plaintext.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    object: String,
    problem: String,
}

impl Failure {
    pub(crate) fn new(
        exit: Exit,
        object: impl Into<String>,
        problem: impl Into<String>,
    ) -> Failure {
        Failure { exit, object: object.into(), problem: problem.into() }
    }

    pub(crate) fn usage(object: impl Into<String>, problem: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, object, problem)
    }

    /// Creates the failure of reading, writing or creating `object`.
    pub(crate) fn io(object: impl Into<String>, error: &io::Error) -> Failure {
        Failure::new(Exit::Environment, object, describe(error))
    }

    /// Creates the failure of sealing or opening a container.
    ///
    /// The core does not report whether an I/O error came from the input or the output, so the
    /// object is inferred from the error kind.
    pub(crate) fn container(error: &Error, input: &str, output: &str) -> Failure {
        let (exit, problem) = match error {
            Error::Io(e) => return Failure::io(side(e, input, output), e),
            Error::NotAContainer => {
                let remedy = "check that this is the right file and that it was not converted";
                (Exit::Unsupported, format!("{error}; {remedy}"))
            }
            Error::UnsupportedVersion { .. }
            | Error::UnsupportedSuite { .. }
            | Error::UnsupportedFeature(_) => (Exit::Unsupported, error.to_string()),
            Error::ContextRequired => {
                let problem = "sealed with a context, which this command cannot provide; \
                               open it with the application that created it";
                (Exit::Unsupported, problem.to_owned())
            }
            Error::WrongKey => (Exit::WrongKey, error.to_string()),
            Error::ChunkRejected { .. } => {
                (Exit::Damaged, format!("{error}; fetch another copy of the container"))
            }
            Error::DamagedHeader | Error::Truncated { .. } | Error::TrailingData { .. } => {
                (Exit::Damaged, error.to_string())
            }
            _ => (Exit::Environment, error.to_string()),
        };
        Failure::new(exit, input, problem)
    }

    /// Creates the failure of writing or reading an archive.
    pub(crate) fn archive(error: &bulla_archive::Error, input: &str, output: &str) -> Failure {
        use bulla_archive::Error;
        let exit = match error {
            Error::Container(error) => return Failure::container(error, input, output),
            Error::NotAnArchive { content_type: 0 } => {
                let problem = "not an archive: it holds a single stream; use `bulla open`";
                return Failure::new(Exit::Unsupported, input, problem);
            }
            Error::NotAnArchive { content_type } => {
                let problem = format!(
                    "not an archive: it holds content of type {content_type}; \
                     open it with the application that created it"
                );
                return Failure::new(Exit::Unsupported, input, problem);
            }
            Error::Malformed { .. } => Exit::Damaged,
            // The writer rejects these before it seals anything, so the archive was made this way.
            Error::Duplicate { .. } | Error::ParentNotDirectory { .. } => {
                let problem = format!(
                    "malformed archive: {error}; its authentication is valid, so the program that \
                     wrote it has a bug"
                );
                return Failure::new(Exit::Damaged, input, problem);
            }
            Error::UnknownKind { .. }
            | Error::UnknownEncoding { .. }
            | Error::ExternalContent { .. } => Exit::Unsupported,
            Error::NoContent | Error::InvalidPath { .. } => Exit::Usage,
            _ => Exit::Environment,
        };
        Failure::new(exit, input, error.to_string())
    }

    /// Appends a clause, such as the remedy.
    pub(crate) fn and(mut self, clause: &str) -> Failure {
        self.problem.push_str("; ");
        self.problem.push_str(clause);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.problem)
    }
}

/// Returns the side that an I/O error most likely belongs to.
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
        _ => format!("{input} to {output}"),
    }
}

/// Describes an I/O error, with a remedy where one is clear.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = match error.kind() {
        ErrorKind::NotFound => "no such file or directory",
        ErrorKind::NotADirectory => "a component of the path is not a directory",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::IsADirectory => "is a directory",
        ErrorKind::AlreadyExists => "already exists",
        ErrorKind::StorageFull => "no space left on device; free some space or choose another one",
        ErrorKind::QuotaExceeded => {
            "disk quota exceeded; free some space or choose another location"
        }
        ErrorKind::FileTooLarge => "file too large; see `ulimit -f`",
        ErrorKind::ReadOnlyFilesystem => "read-only file system; choose another location",
        ErrorKind::BrokenPipe => "broken pipe: the reader closed it early",
        _ => return without_number(&error.to_string()),
    };
    text.to_owned()
}

/// Strips the "(os error 5)" that the standard library appends, and the temporary file name that
/// tempfile appends after it.
fn without_number(text: &str) -> String {
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_errors_map_to_exit_codes() {
        use bulla_archive::Error::*;
        for (error, exit, says) in [
            (Container(Error::WrongKey), Exit::WrongKey, "key"),
            (NotAnArchive { content_type: 0 }, Exit::Unsupported, "use `bulla open`"),
            (NotAnArchive { content_type: 200 }, Exit::Unsupported, "content of type 200"),
            (Malformed { offset: 7, what: "a rule is broken" }, Exit::Damaged, "a rule is broken"),
            (Duplicate { path: b"a\x1b".to_vec() }, Exit::Damaged, "a\\u{1b}"),
            (ParentNotDirectory { path: b"a/b".to_vec() }, Exit::Damaged, "malformed archive"),
            (UnknownKind { offset: 7, kind: 9 }, Exit::Unsupported, "9"),
            (UnknownEncoding { encoding: 1 }, Exit::Unsupported, "encoding"),
            (ExternalContent { container: 1 }, Exit::Unsupported, "container"),
            (NoContent, Exit::Usage, "no content"),
            (TooLarge { what: "more than 2^32 - 1 entries" }, Exit::Environment, "2^32 - 1"),
        ] {
            let failure = Failure::archive(&error, "in", "out");
            assert_eq!(failure.exit, exit, "{error}");
            let shown = failure.to_string();
            assert!(shown.starts_with("in: ") && shown.contains(says), "{shown}");
        }
    }

    #[test]
    fn full_disk_names_the_output() {
        let error = Error::from(io::Error::from(ErrorKind::StorageFull));
        let shown = Failure::container(&error, "in", "out").to_string();
        assert!(shown.starts_with("out: no space left"), "{shown}");
    }

    #[test]
    fn os_error_numbers_are_stripped() {
        let error = io::Error::from_raw_os_error(5);
        assert!(!Failure::io("x", &error).to_string().contains("os error"));
    }
}
