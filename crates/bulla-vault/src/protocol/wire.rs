//! The JSON encoding of messages. The length of a body is checked before the body is parsed.

use std::fmt;
use std::marker::PhantomData;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

/// Maximum length of a request or response body, in bytes (V-2.2).
pub const MAX_BODY_LEN: usize = 4096;

/// Exactly `N` bytes, encoded in JSON as base64url without padding (V-2.3).
///
/// The bytes are wiped on drop, and `Debug` shows only their number.
#[derive(Clone)]
pub struct Fixed<const N: usize>(pub [u8; N]);

/// From 1 to `MAX` bytes, encoded in JSON as base64url without padding (V-2.3).
///
/// The bytes are wiped on drop, and `Debug` shows only their number.
#[derive(Clone)]
pub struct Bounded<const MAX: usize>(Vec<u8>);

impl<const N: usize> Fixed<N> {
    /// Copies `bytes`. Returns `None` unless the length is `N`.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Fixed)
    }
}

impl<const MAX: usize> Bounded<MAX> {
    /// Copies `bytes`. Returns `None` unless the length is 1 to `MAX`.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (1..=MAX).contains(&bytes.len()).then(|| Bounded(bytes.to_vec()))
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The reason a body is not a message (V-2.2). It contains no part of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body is longer than [`MAX_BODY_LEN`].
    TooLong,
    /// The body is not a single JSON value.
    Syntax {
        /// The position of the error within its line, counted from 1.
        column: usize,
    },
    /// The JSON is not the expected message: a field is missing, unknown, duplicate or out of
    /// bounds.
    Field {
        /// The position of the error within its line, counted from 1.
        column: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::TooLong => write!(f, "message exceeds {MAX_BODY_LEN} bytes"),
            DecodeError::Syntax { column } => write!(f, "message is not JSON (column {column})"),
            DecodeError::Field { column } => {
                write!(
                    f,
                    "message field missing, unknown, duplicate or out of bounds (column {column})"
                )
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes the message in a body.
///
/// # Errors
///
/// Returns an error if the body is too long, is not JSON, or is not the expected message.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    parse::<Object<T>>(body).map(|object| object.0)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    if body.len() > MAX_BODY_LEN {
        return Err(DecodeError::TooLong);
    }
    // RFC 8259, 8.1 requires UTF-8 everywhere, but serde_json does not check it in the unknown
    // fields that it skips.
    let body = std::str::from_utf8(body).map_err(|e| {
        let line = body[..e.valid_up_to()].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        DecodeError::Syntax { column: line.len() + 1 }
    })?;
    // serde_json's messages quote the input, which may be a secret, so only the position is kept.
    serde_json::from_str(body).map_err(|e| match e.classify() {
        serde_json::error::Category::Data => DecodeError::Field { column: e.column() },
        _ => DecodeError::Syntax { column: e.column() },
    })
}

/// Encodes a message. The fields are in declaration order.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    // Serialization fails only for maps whose keys are not strings, and for types whose `Serialize`
    // implementation fails. Messages contain neither.
    serde_json::to_vec(message).unwrap_or_default()
}

/// Deserializes `T` only from a JSON object. A derived `Deserialize` would also accept an array of
/// the field values (V-2.2).
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Deserializes an object or `null`, for use with `deserialize_with`.
pub(crate) fn optional_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

impl<const N: usize> Serialize for Fixed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_bytes(&self.0, serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<const N: usize>;
        impl<const N: usize> Visitor<'_> for Text<N> {
            type Value = Fixed<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{N} bytes in base64url without padding")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Fixed<N>, E> {
                let mut fixed = Fixed([0; N]);
                match Base64UrlUnpadded::decode(text, &mut fixed.0) {
                    Ok(decoded) if decoded.len() == N => Ok(fixed),
                    _ => Err(E::custom("wrong length or alphabet")),
                }
            }
        }
        deserializer.deserialize_str(Text::<N>)
    }
}

impl<const MAX: usize> Serialize for Bounded<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_bytes(&self.0, serializer)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Bounded<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<const MAX: usize>;
        impl<const MAX: usize> Visitor<'_> for Text<MAX> {
            type Value = Bounded<MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "1 to {MAX} bytes in base64url without padding")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bounded<MAX>, E> {
                let bytes =
                    Base64UrlUnpadded::decode_vec(text).map_err(|_| E::custom("wrong alphabet"))?;
                let bounded = Bounded(bytes);
                if (1..=MAX).contains(&bounded.0.len()) {
                    Ok(bounded)
                } else {
                    Err(E::custom("wrong length"))
                }
            }
        }
        deserializer.deserialize_str(Text::<MAX>)
    }
}

fn serialize_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Base64UrlUnpadded::encode_string(bytes))
}

/// Deserializes an integer within bounds, for use with `deserialize_with`.
pub(crate) fn number_within<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    if range.contains(&number) { Ok(number) } else { Err(D::Error::custom("number out of bounds")) }
}

impl<const N: usize> Drop for Fixed<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const MAX: usize> Drop for Bounded<MAX> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> fmt::Debug for Fixed<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{N} bytes]")
    }
}

impl<const MAX: usize> fmt::Debug for Bounded<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V-2.3
    #[test]
    fn fixed_requires_exact_length_and_canonical_base64url() {
        let text = "\"AAECAw\"";
        assert_eq!(parse::<Fixed<4>>(text.as_bytes()).unwrap().0, [0, 1, 2, 3]);
        assert_eq!(encode(&Fixed([0, 1, 2, 3])), text.as_bytes());
        for wrong in [
            "\"AAEC\"",
            "\"AAECAwQ\"",
            "\"AAECAw==\"",
            "\"AAECA+\"",
            "\"AAECAx\"",
            "\"\"",
            "7",
            "null",
        ] {
            assert!(
                matches!(parse::<Fixed<4>>(wrong.as_bytes()), Err(DecodeError::Field { .. })),
                "{wrong}"
            );
        }
    }

    /// V-2.3
    #[test]
    fn bounded_requires_a_length_within_bounds() {
        assert_eq!(parse::<Bounded<4>>(b"\"AAECAw\"").unwrap().as_bytes(), [0, 1, 2, 3]);
        assert_eq!(parse::<Bounded<4>>(b"\"AA\"").unwrap().as_bytes(), [0]);
        assert!(parse::<Bounded<4>>(b"\"AAECAwQ\"").is_err(), "5 bytes");
        assert!(parse::<Bounded<4>>(b"\"\"").is_err(), "0 bytes");
        assert!(Bounded::<4>::new(&[0; 5]).is_none() && Bounded::<4>::new(&[]).is_none());
    }

    /// V-2.2
    #[test]
    fn decode_checks_length_and_syntax() {
        let body = |len: usize| format!("{}7", " ".repeat(len - 1));
        assert_eq!(parse::<u32>(body(MAX_BODY_LEN).as_bytes()), Ok(7));
        assert_eq!(parse::<u32>(body(MAX_BODY_LEN + 1).as_bytes()), Err(DecodeError::TooLong));
        assert!(matches!(parse::<u32>(b"7 7"), Err(DecodeError::Syntax { .. })));
        assert!(matches!(parse::<u32>(b""), Err(DecodeError::Syntax { .. })));
        assert_eq!(parse::<u32>(b"\n 7\xFF"), Err(DecodeError::Syntax { column: 3 }));
        assert!(matches!(parse::<u32>(b"-7"), Err(DecodeError::Field { .. })));
    }

    /// V-2.2
    #[test]
    fn decode_accepts_only_objects() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Pair {
            a: u8,
            b: u8,
        }
        assert_eq!(decode(br#"{"b":2,"a":1}"#), Ok(Pair { a: 1, b: 2 }));
        for wrong in ["[1,2]", "[]", "1", "null", "\"\""] {
            assert!(
                matches!(decode::<Pair>(wrong.as_bytes()), Err(DecodeError::Field { .. })),
                "{wrong}"
            );
        }
        assert!(matches!(
            decode::<Pair>(br#"{"a":1,"a":1,"b":2}"#),
            Err(DecodeError::Field { .. })
        ));
    }

    #[test]
    fn debug_hides_bytes() {
        assert_eq!(
            format!("{:?} {:?}", Fixed([7; 3]), Bounded::<9>::new(b"hush").unwrap()),
            "[3 bytes] [4 bytes]"
        );
    }
}
