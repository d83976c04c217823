//! How requests get to a vault and replies come back.

use std::fmt;
use std::time::Duration;

/// A way to a vault. It knows the vault's address and the account's token, and nothing of what it
/// carries.
pub trait Transport {
    /// Makes one call and gives what came back, whatever its status.
    ///
    /// # Errors
    ///
    /// [`TransportError`]. What is lost is asked for again by the client, by the same bytes.
    fn send(&mut self, request: &Request<'_>) -> Result<Response, TransportError>;

    /// Waits before a call is made again.
    fn sleep(&mut self, time: Duration);
}

/// One call.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method of HTTP.
    pub method: Method,
    /// The path, of [`messages::path`](crate::protocol::messages::path).
    pub path: &'static str,
    /// The body, if the call has one.
    pub body: Option<&'a [u8]>,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of RFC 9110")]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// What came back.
pub struct Response {
    /// The status of HTTP.
    pub status: u16,
    /// The body; of a longer one than [`MAX_BODY_LEN`](crate::protocol::wire::MAX_BODY_LEN) at least one
    /// byte more than that.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// The vault was not reached, or the connection broke before the whole reply was there. The
    /// call may have been carried out.
    Lost {
        /// What happened.
        reason: String,
    },
    /// No call will get through as things are: a certificate that is not trusted, an address that
    /// is none.
    Permanent {
        /// What is wrong.
        reason: String,
    },
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::Lost { reason } => {
                write!(f, "the vault was not reached, or its reply was lost: {reason}")
            }
            TransportError::Permanent { reason } => {
                write!(f, "the vault cannot be reached: {reason}")
            }
        }
    }
}

impl std::error::Error for TransportError {}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?} {})", self.method, self.path)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}
