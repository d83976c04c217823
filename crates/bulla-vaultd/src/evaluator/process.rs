//! The evaluator's own process: it answers calls on a Unix socket that only its owner can reach.
//!
//! A frame is a length in four bytes and as many bytes of postcard. Each connection carries one
//! call after another.

use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::Evaluator;
use super::calls::{AnyAnswer, AnyCall, Refusal, decode};

/// Bytes of a frame at most. The largest call carries a counter and two sealed records.
const MAX_FRAME: usize = 64 * 1024;

/// Answers calls on a socket for ever.
///
/// # Errors
///
/// Those of making the socket.
pub fn serve(evaluator: Arc<dyn Evaluator>, socket: &Path) -> io::Result<()> {
    let listener = bind(socket)?;
    for connection in listener.incoming() {
        let (evaluator, connection) = (Arc::clone(&evaluator), connection?);
        std::thread::Builder::new().name("evaluator".to_owned()).spawn(move || {
            // It ends with its connection; what went wrong with that, its other end sees.
            _ = answer(&*evaluator, connection);
        })?;
    }
    Ok(())
}

/// A socket of this name that its owner alone can reach, from its first moment on: it gets its name
/// last.
fn bind(socket: &Path) -> io::Result<UnixListener> {
    // One that is left from a process that was killed is in the way; one that somebody listens on
    // is not taken away.
    if UnixStream::connect(socket).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "an evaluator listens there already"));
    }
    let mut beside = socket.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = Path::new(&beside);
    _ = std::fs::remove_file(beside);
    let listener = UnixListener::bind(beside)?;
    std::fs::set_permissions(beside, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(beside, socket)?;
    Ok(listener)
}

fn answer(evaluator: &dyn Evaluator, mut connection: UnixStream) -> io::Result<()> {
    loop {
        let call: AnyCall = receive(&mut connection)?;
        let answer: Result<AnyAnswer, Refusal> = call.answer(evaluator);
        send(&mut connection, &answer)?;
    }
}

/// Sends a frame.
pub(super) fn send(connection: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut frame =
        Zeroizing::new(postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?);
    let len = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&len.to_be_bytes());
    connection.write_all(&frame)
}

/// Takes a frame.
pub(super) fn receive<T: DeserializeOwned>(connection: &mut UnixStream) -> io::Result<T> {
    let mut len = [0; 4];
    connection.read_exact(&mut len)?;
    let len = usize::try_from(u32::from_be_bytes(len)).map_err(io::Error::other)?;
    if len > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "frame is too long"));
    }
    let mut frame = Zeroizing::new(vec![0; len]);
    connection.read_exact(&mut frame)?;
    decode(&frame).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
