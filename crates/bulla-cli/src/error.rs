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

/// The failure that ends a command, displayed as "object: problem; remedy".
///
/// It contains public data only: no key, passphrase or plaintext.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    object: String,
    problem: String,
    remedy: Option<String>,
}

impl Failure {
    pub(crate) fn new(
        exit: Exit,
        object: impl Into<String>,
        problem: impl Into<String>,
    ) -> Failure {
        Failure { exit, object: object.into(), problem: problem.into(), remedy: None }
    }

    pub(crate) fn usage(object: impl Into<String>, problem: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, object, problem)
    }

    /// Creates the failure for an I/O error on `object`.
    pub(crate) fn io(object: impl Into<String>, error: &io::Error) -> Failure {
        let (problem, remedy) = problem_and_remedy(error);
        let remedy = remedy.map(str::to_owned);
        Failure { remedy, ..Failure::new(Exit::Environment, object, problem) }
    }

    /// Converts a library error into a failure. If the error's message contains a remedy, the
    /// remedy is the text after the last semicolon.
    pub(crate) fn library(exit: Exit, object: &str, error: &impl fmt::Display) -> Failure {
        let text = error.to_string();
        match text.rsplit_once("; ") {
            Some((problem, remedy)) => Failure::new(exit, object, problem).with_remedy(remedy),
            None => Failure::new(exit, object, text),
        }
    }

    /// Creates the failure for an error while sealing or opening a container.
    ///
    /// The core does not report whether an I/O error came from the input or the output, so the
    /// object is inferred from the error kind.
    pub(crate) fn container(error: &Error, input: &str, output: &str) -> Failure {
        match error {
            Error::Io(e) => Failure::io(side(e, input, output), e),
            Error::NotAContainer => Failure::library(Exit::Unsupported, input, error)
                .with_remedy("check that this is the right file and that it was not converted"),
            Error::UnsupportedVersion { .. }
            | Error::UnsupportedSuite { .. }
            | Error::UnsupportedFeature(_) => Failure::library(Exit::Unsupported, input, error),
            Error::ContextRequired => {
                let problem = "sealed with a context, which this command cannot provide";
                Failure::new(Exit::Unsupported, input, problem)
                    .with_remedy("open it with the application that created it")
            }
            Error::WrongKey => Failure::new(Exit::WrongKey, input, error.to_string()),
            Error::ChunkRejected { .. } => Failure::library(Exit::Damaged, input, error)
                .with_remedy("fetch another copy of the container"),
            Error::TrailingData { .. } => Failure::library(Exit::Damaged, input, error)
                .with_remedy("remove the trailing data to open the container"),
            Error::DamagedHeader | Error::Truncated { .. } => {
                Failure::library(Exit::Damaged, input, error)
            }
            _ => Failure::library(Exit::Environment, input, error),
        }
    }

    /// Creates the failure for an error while writing or reading an archive.
    pub(crate) fn archive(error: &bulla_archive::Error, input: &str, output: &str) -> Failure {
        use bulla_archive::Error;
        let exit = match error {
            Error::Container(error) => return Failure::container(error, input, output),
            Error::NotAnArchive { content_type: 0 } => {
                let problem = "not an archive: it holds a single stream";
                return Failure::new(Exit::Unsupported, input, problem)
                    .with_remedy("use `bulla open`");
            }
            Error::NotAnArchive { content_type } => {
                let problem = format!("not an archive: it holds content of type {content_type}");
                return Failure::new(Exit::Unsupported, input, problem)
                    .with_remedy("open it with the application that created it");
            }
            // The message ends with an explanation instead of a remedy.
            Error::Malformed { .. } => {
                return Failure::new(Exit::Damaged, input, error.to_string());
            }
            // The writer checks for these errors before it seals anything, so another program
            // created the archive.
            Error::Duplicate { .. } | Error::ParentNotDirectory { .. } => {
                let problem = format!(
                    "malformed archive: {error}; the data is authentic, so the program that wrote \
                     it has a bug"
                );
                return Failure::new(Exit::Damaged, input, problem);
            }
            Error::UnknownKind { .. }
            | Error::UnknownEncoding { .. }
            | Error::ExternalContent { .. } => Exit::Unsupported,
            Error::NoContent | Error::InvalidPath { .. } => Exit::Usage,
            _ => Exit::Environment,
        };
        Failure::library(exit, input, error)
    }

    /// Adds a clause to the problem, such as what the command had done before it failed.
    pub(crate) fn and(mut self, clause: &str) -> Failure {
        self.problem.push_str("; ");
        self.problem.push_str(clause);
        self
    }

    /// Sets the remedy. It replaces an existing one, so that the message has only one.
    pub(crate) fn with_remedy(mut self, remedy: &str) -> Failure {
        self.remedy = Some(remedy.to_owned());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.problem)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// Returns the name of the file that an I/O error most likely concerns.
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
        _ => format!("{input} or {output}"),
    }
}

/// Describes an I/O error, with a remedy where one is clear.
pub(crate) fn describe(error: &io::Error) -> String {
    match problem_and_remedy(error) {
        (problem, Some(remedy)) => format!("{problem}; {remedy}"),
        (problem, None) => problem,
    }
}

fn problem_and_remedy(error: &io::Error) -> (String, Option<&'static str>) {
    const FREE_SPACE: &str = "free some space or choose another location";
    let (problem, remedy) = match error.kind() {
        ErrorKind::NotFound => ("no such file or directory", None),
        ErrorKind::NotADirectory => ("a component of the path is not a directory", None),
        ErrorKind::PermissionDenied => ("permission denied", None),
        ErrorKind::IsADirectory => ("is a directory", None),
        ErrorKind::AlreadyExists => ("already exists", None),
        ErrorKind::StorageFull => ("no space left on device", Some(FREE_SPACE)),
        ErrorKind::QuotaExceeded => ("disk quota exceeded", Some(FREE_SPACE)),
        ErrorKind::FileTooLarge => ("file too large", Some("use `ulimit -f` to raise the limit")),
        ErrorKind::ReadOnlyFilesystem => ("read-only file system", Some("choose another location")),
        ErrorKind::BrokenPipe => ("broken pipe: the reader closed it early", None),
        _ => return (without_number(&error.to_string()), None),
    };
    (problem.to_owned(), remedy)
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
    fn remedy_comes_last_and_is_the_only_one() {
        let error = Error::ChunkRejected { index: 7 };
        let failure = Failure::container(&error, "in", "out").with_remedy("use the remedy");
        let shown = failure.and("nothing was written").to_string();
        assert!(shown.ends_with("tampered with; nothing was written; use the remedy"), "{shown}");
        let shown = Failure::container(&Error::Truncated { after: 7 }, "in", "out");
        let shown = shown.and("nothing was written").to_string();
        assert!(shown.contains("chunks; nothing was written; fetch"), "{shown}");
    }

    #[test]
    fn os_error_numbers_are_stripped() {
        let error = io::Error::from_raw_os_error(5);
        assert!(!Failure::io("x", &error).to_string().contains("os error"));
    }
}
