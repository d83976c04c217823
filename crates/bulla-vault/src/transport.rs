//! The interface between the client and the network.

use std::fmt;
use std::time::Duration;

/// A connection to a vault. It knows the vault's address and the account's token, but does not
/// interpret the message bodies that it carries.
pub trait Transport {
    /// Sends one request and returns the response, whatever its status.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError::Lost`] if no complete response arrived, in which case the client
    /// sends the same bytes again. Returns [`TransportError::Permanent`] if retrying cannot help.
    fn send(&mut self, request: &Request<'_>) -> Result<Response, TransportError>;

    /// Sleeps before a request is repeated.
    fn sleep(&mut self, duration: Duration);
}

/// An HTTP request to the vault.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The HTTP method.
    pub method: Method,
    /// The path: one of the constants in [`messages::path`](crate::messages::path).
    pub path: &'static str,
    /// The body, if the request has one.
    pub body: Option<&'a [u8]>,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those in RFC 9110")]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// An HTTP response.
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The body. A transport may truncate a body that is longer than
    /// [`MAX_BODY_LEN`](crate::wire::MAX_BODY_LEN), but not to fewer than `MAX_BODY_LEN + 1` bytes.
    pub body: Vec<u8>,
}

/// The reason a request got no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// The vault was not reached, or the connection broke before the response was complete. The
    /// vault may have processed the request.
    Lost {
        /// A description of the failure.
        reason: String,
    },
    /// No request can succeed with this configuration, for example because of an untrusted
    /// certificate or an invalid address.
    Permanent {
        /// A description of the failure.
        reason: String,
    },
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::Lost { reason } => {
                write!(f, "no response from the vault: {reason}; try again later")
            }
            TransportError::Permanent { reason } => {
                write!(f, "cannot connect to the vault: {reason}")
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
