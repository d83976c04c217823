//! Standard input and output as files.

use std::fs::File;
use std::io;

/// The capacity to which a pipe is enlarged, in bytes. By default, Linux gives a pipe 64 KiB and
/// allows every process to raise this to 1 MiB.
#[cfg(target_os = "linux")]
const PIPE_LEN: usize = 1 << 20;

/// Returns standard input as a file, so that it can be read at any offset if it is a
/// regular file.
pub(crate) fn stdin() -> io::Result<File> {
    file(&io::stdin()).inspect(enlarge_pipe)
}

/// Returns standard output as a file.
pub(crate) fn stdout() -> io::Result<File> {
    file(&io::stdout()).inspect(enlarge_pipe)
}

/// Enlarges the buffer of a pipe, so that the two sides wait for each other less often, which
/// saves a quarter of the time. Other files are left unchanged.
pub(crate) fn enlarge_pipe(file: &File) {
    #[cfg(target_os = "linux")]
    if rustix::pipe::fcntl_getpipe_size(file).is_ok_and(|len| len < PIPE_LEN) {
        let _ = rustix::pipe::fcntl_setpipe_size(file, PIPE_LEN);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

#[cfg(unix)]
fn file(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn file(stream: &impl std::os::windows::io::AsHandle) -> io::Result<File> {
    Ok(stream.as_handle().try_clone_to_owned()?.into())
}
