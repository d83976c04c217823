//! Serves an evaluator on a Unix socket that only its owner can connect to. Each connection carries
//! one call after another.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

use super::Evaluator;
use super::calls::Refusal;
use super::wire::{AnyCall, AnyResponse, receive, send};

/// Answers calls on a socket. Returns only if an error occurs.
///
/// # Errors
///
/// Returns an I/O error if the socket cannot be created or a connection cannot be accepted.
pub fn serve(evaluator: Arc<dyn Evaluator>, socket: &Path) -> io::Result<()> {
    let listener = bind(socket)?;
    for connection in listener.incoming() {
        let (evaluator, connection) = (Arc::clone(&evaluator), connection?);
        std::thread::Builder::new().name("evaluator".to_owned()).spawn(move || {
            // The thread ends when its connection does. The peer notices any error.
            _ = answer(&*evaluator, connection);
        })?;
    }
    Ok(())
}

/// Binds a socket that only its owner can connect to. The socket gets its final name last, so that
/// it never exists under that name with wider permissions.
fn bind(socket: &Path) -> io::Result<UnixListener> {
    // A socket left behind by a killed process is replaced, unless a process is listening on it.
    if UnixStream::connect(socket).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another evaluator is listening on this socket",
        ));
    }
    let mut temporary = socket.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = Path::new(&temporary);
    _ = std::fs::remove_file(temporary);
    let listener = UnixListener::bind(temporary)?;
    std::fs::set_permissions(temporary, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(temporary, socket)?;
    Ok(listener)
}

fn answer(evaluator: &dyn Evaluator, mut connection: UnixStream) -> io::Result<()> {
    loop {
        let call: AnyCall = receive(&mut connection)?;
        let response: Result<AnyResponse, Refusal> = call.dispatch(evaluator);
        send(&mut connection, &response)?;
    }
}
