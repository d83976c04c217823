//! The body of an error response.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::MAX_GUESSES;

/// The body of an error response (V-2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The reason, which equals the HTTP status.
    pub code: Code,
    /// Seconds to wait before the request is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Guesses left: at most [`MAX_GUESSES`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "guesses_left")]
    pub left: Option<u32>,
}

/// The reason for an error response (V-2.6). The HTTP status and the JSON body contain the same
/// number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// 400: the request is malformed.
    Malformed,
    /// 401: the token is missing, invalid or expired.
    Unauthorized,
    /// 403: the password is wrong.
    WrongPassword,
    /// 404: the record does not exist.
    NoRecord,
    /// 409: the request contradicts an earlier one.
    Conflict,
    /// 410: no guesses are left, and the key is permanently deleted.
    Locked,
    /// 429: too many requests.
    TooManyRequests,
    /// 503: the store has no quorum, or is frozen.
    Unavailable,
}

impl Failure {
    /// Creates a failure with only a code.
    pub fn new(code: Code) -> Failure {
        Failure { code, retry_after: None, left: None }
    }
}

impl Code {
    /// All codes.
    pub const ALL: [Code; 8] = [
        Code::Malformed,
        Code::Unauthorized,
        Code::WrongPassword,
        Code::NoRecord,
        Code::Conflict,
        Code::Locked,
        Code::TooManyRequests,
        Code::Unavailable,
    ];

    /// Returns the HTTP status.
    pub fn number(self) -> u16 {
        match self {
            Code::Malformed => 400,
            Code::Unauthorized => 401,
            Code::WrongPassword => 403,
            Code::NoRecord => 404,
            Code::Conflict => 409,
            Code::Locked => 410,
            Code::TooManyRequests => 429,
            Code::Unavailable => 503,
        }
    }

    /// Returns the code for an HTTP status, if the protocol uses that status.
    pub fn from_number(number: u16) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Code::Malformed => {
                "request rejected as malformed; client and vault may have different versions"
            }
            Code::Unauthorized => "token rejected",
            Code::WrongPassword => "wrong password",
            Code::NoRecord => "no such registration",
            Code::Conflict => "request contradicts an earlier one",
            Code::Locked => "no guesses left; the key was permanently deleted",
            Code::TooManyRequests => "too many requests",
            Code::Unavailable => "vault unavailable; try again later",
        };
        f.write_str(text)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Code::from_number(u16::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("unknown code"))
    }
}

fn guesses_left<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let left = Option::<u32>::deserialize(deserializer)?;
    if left.is_none_or(|left| left <= MAX_GUESSES) {
        Ok(left)
    } else {
        Err(D::Error::custom("number out of bounds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wire::{decode, encode};

    /// V-2.6
    #[test]
    fn encodes_and_decodes_every_code() {
        let failure = Failure { code: Code::TooManyRequests, retry_after: Some(60), left: Some(3) };
        assert_eq!(encode(&failure), br#"{"code":429,"retry_after":60,"left":3}"#);
        assert_eq!(encode(&Failure::new(Code::Locked)), br#"{"code":410}"#);
        for code in Code::ALL {
            assert_eq!(decode::<Failure>(&encode(&Failure::new(code))), Ok(Failure::new(code)));
        }
        assert!(decode::<Failure>(br#"{"code":418}"#).is_err());
        assert!(decode::<Failure>(br#"{"code":429,"left":101}"#).is_err());
    }
}
