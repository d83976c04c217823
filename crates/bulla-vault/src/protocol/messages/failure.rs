//! How the vault says no.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::MAX_GUESSES;

/// The body of every answer that is not the call's reply (V-2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Why; it is the HTTP status too.
    pub code: Code,
    /// Seconds after which it makes sense to ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Guesses left: at most [`MAX_GUESSES`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "guesses_left")]
    pub left: Option<u32>,
}

/// Why the vault says no (V-2.6). In JSON and in HTTP it is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// 400: the request is not one of the protocol.
    Malformed,
    /// 401: the token is missing, invalid, or out of date.
    Unauthorized,
    /// 403: the password is wrong.
    WrongPassword,
    /// 404: there is no such record.
    NoRecord,
    /// 409: the request contradicts one before it.
    Conflict,
    /// 410: the guesses ran out; the key is gone for good.
    Locked,
    /// 429: too many requests.
    TooManyRequests,
    /// 503: no quorum, or frozen.
    Unavailable,
}

impl Failure {
    /// A failure that says no more than its code.
    pub fn new(code: Code) -> Failure {
        Failure { code, retry_after: None, left: None }
    }
}

impl Code {
    /// All of them.
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

    /// The number: an HTTP status.
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

    /// The code with this number.
    pub fn from_number(number: u16) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Code::Malformed => "the vault does not understand the request",
            Code::Unauthorized => "the vault does not accept the token",
            Code::WrongPassword => "the password is wrong",
            Code::NoRecord => "the vault has no such record",
            Code::Conflict => "the request contradicts an earlier one",
            Code::Locked => "the guesses ran out and the key is gone for good",
            Code::TooManyRequests => "too many requests",
            Code::Unavailable => "the vault is not available",
        };
        f.write_str(said)
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
        Err(D::Error::custom("out of bounds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::wire::{decode, encode};

    /// V-2.6
    #[test]
    fn bodies() {
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
