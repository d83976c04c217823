//! An evaluator in another process.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::calls::{AnyAnswer, AnyCall, Refusal};
use super::process::{receive, send};

/// How long an evaluator may take for one call: an HSM in a network may be asked several times.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The way to an evaluator's process.
pub struct Remote {
    socket: PathBuf,
    idle: Mutex<Vec<UnixStream>>,
}

impl Remote {
    /// The evaluator that listens, or will listen, on this socket.
    pub fn new(socket: PathBuf) -> Remote {
        Remote { socket, idle: Mutex::default() }
    }

    pub(super) fn ask(&self, call: &AnyCall) -> Result<AnyAnswer, Refusal> {
        self.exchange(call).unwrap_or_else(|e| Err(Refusal::Unavailable(format!("evaluator: {e}"))))
    }

    fn exchange(&self, call: &AnyCall) -> io::Result<Result<AnyAnswer, Refusal>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reused = idle.is_some();
        let mut connection = idle.map_or_else(|| self.connect(), Ok)?;
        // The evaluator may have been started anew since. No call of its does harm when it comes
        // twice.
        let sent = send(&mut connection, call).and_then(|()| receive(&mut connection));
        let answer = match sent {
            Err(_) if reused => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                connection = self.connect()?;
                send(&mut connection, call)?;
                receive(&mut connection)?
            }
            sent => sent?,
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(answer)
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let connection = UnixStream::connect(&self.socket)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        connection.set_write_timeout(Some(TIMEOUT))?;
        Ok(connection)
    }
}
