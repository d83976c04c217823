//! Standard input, output and error.

use std::fs::File;
use std::io::{self, IsTerminal, Write};

/// Bytes that a pipe holds. Linux gives a pipe 64 KiB, and lets anybody ask for 1 MiB.
#[cfg(target_os = "linux")]
const PIPE_LEN: usize = 1 << 20;

/// Standard input as a file, so that it can be read at an offset if it is one.
pub(crate) fn stdin() -> io::Result<File> {
    file(&io::stdin()).inspect(widen)
}

/// Standard output as a file.
pub(crate) fn stdout() -> io::Result<File> {
    file(&io::stdout()).inspect(widen)
}

/// Makes a pipe hold more: the two sides wait for one another less often, which saves a quarter of
/// the time. What is no pipe, or may not grow, stays as it is.
pub(crate) fn widen(file: &File) {
    #[cfg(target_os = "linux")]
    if rustix::pipe::fcntl_getpipe_size(file).is_ok_and(|len| len < PIPE_LEN) {
        let _ = rustix::pipe::fcntl_setpipe_size(file, PIPE_LEN);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Writes a message for the user to standard error. If that is closed there is nobody to tell.
pub(crate) fn note(text: &str) {
    say(&format!("bulla: {text}"));
}

/// As [`note`], for several lines that are no single message.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes what a command was asked for to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Whether standard output is a terminal.
pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

#[cfg(unix)]
fn file(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn file(stream: &impl std::os::windows::io::AsHandle) -> io::Result<File> {
    Ok(stream.as_handle().try_clone_to_owned()?.into())
}
