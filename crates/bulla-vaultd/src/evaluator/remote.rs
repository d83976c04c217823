//! A client for an evaluator in another process.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Evaluator;
use super::calls::*;
use super::wire::{AnyCall, AnyResponse, receive, send};

/// Timeout for a call. One call may need several operations on a network HSM.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client for the evaluator that listens on a socket.
pub struct Remote {
    socket: PathBuf,
    idle: Mutex<Vec<UnixStream>>,
}

impl Remote {
    /// Creates a client. The evaluator does not have to be listening yet.
    pub fn new(socket: PathBuf) -> Remote {
        Remote { socket, idle: Mutex::default() }
    }

    fn call(&self, call: &AnyCall) -> Result<AnyResponse, Refusal> {
        self.exchange(call).unwrap_or_else(|e| Err(Refusal::Unavailable(format!("evaluator: {e}"))))
    }

    fn exchange(&self, call: &AnyCall) -> io::Result<Result<AnyResponse, Refusal>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reused = idle.is_some();
        let mut connection = idle.map_or_else(|| self.connect(), Ok)?;
        // The evaluator may have restarted since the connection was last used. It is safe to make
        // any call twice.
        let sent = send(&mut connection, call).and_then(|()| receive(&mut connection));
        let response = match sent {
            Err(_) if reused => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                connection = self.connect()?;
                send(&mut connection, call)?;
                receive(&mut connection)?
            }
            sent => sent?,
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(response)
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let connection = UnixStream::connect(&self.socket)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        connection.set_write_timeout(Some(TIMEOUT))?;
        Ok(connection)
    }
}

fn unexpected_response() -> Refusal {
    Refusal::Unavailable("evaluator: response to another call".to_owned())
}

macro_rules! remote_calls {
    ($($name:ident $method:ident $call:ty => $response:ty;)*) => {
        impl Evaluator for Remote {
            $(fn $method(&self, call: &$call) -> Result<$response, Refusal> {
                match self.call(&AnyCall::$name(call.clone()))? {
                    AnyResponse::$name(response) => Ok(response),
                    _ => Err(unexpected_response()),
                }
            })*
        }
    };
}

with_all_calls!(remote_calls);
