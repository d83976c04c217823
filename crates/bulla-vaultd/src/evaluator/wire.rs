//! Messages between a server and its evaluator process. A frame is a four-byte length followed by a
//! postcard message of that length.

#[cfg(unix)]
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
#[cfg(unix)]
use zeroize::Zeroizing;

use super::Evaluator;
use super::calls::*;

/// Maximum bytes in a frame. The largest call contains a counter and two sealed records.
#[cfg(unix)]
const MAX_FRAME: usize = 64 * 1024;

macro_rules! any_call {
    ($($name:ident $method:ident $call:ty => $response:ty;)*) => {
        /// Any call.
        #[derive(Serialize, Deserialize)]
        pub(crate) enum AnyCall { $($name($call),)* }

        /// Any response.
        #[derive(Serialize, Deserialize)]
        pub(crate) enum AnyResponse { $($name($response),)* }

        impl AnyCall {
            /// Calls an evaluator.
            pub(crate) fn dispatch(
                &self,
                evaluator: &dyn Evaluator,
            ) -> Result<AnyResponse, Refusal> {
                match self {
                    $(AnyCall::$name(call) => evaluator.$method(call).map(AnyResponse::$name),)*
                }
            }
        }
    };
}

with_all_calls!(any_call);

/// Decodes a frame's message. Trailing bytes are an error, because a newer version may have sent a
/// field that this version does not know.
pub(crate) fn decode<T: DeserializeOwned>(frame: &[u8]) -> postcard::Result<T> {
    match postcard::take_from_bytes(frame)? {
        (message, []) => Ok(message),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

/// Sends a frame.
#[cfg(unix)]
pub(super) fn send(connection: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut frame =
        Zeroizing::new(postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?);
    let len = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&len.to_be_bytes());
    connection.write_all(&frame)
}

/// Receives a frame.
#[cfg(unix)]
pub(super) fn receive<T: DeserializeOwned>(connection: &mut impl Read) -> io::Result<T> {
    let mut len = [0; 4];
    connection.read_exact(&mut len)?;
    let len = usize::try_from(u32::from_be_bytes(len)).map_err(io::Error::other)?;
    if len > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "frame too long"));
    }
    let mut frame = Zeroizing::new(vec![0; len]);
    connection.read_exact(&mut frame)?;
    decode(&frame).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
