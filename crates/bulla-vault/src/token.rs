//! The account's bearer token.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::protocol::AccountHash;

/// Maximum length of a token in bytes (V-2.4).
pub(crate) const MAX_TOKEN_LEN: usize = 4096;

/// A JWT (RFC 7519) from the operator's identity service.
///
/// The vault verifies the token. The client reads the account from the token without verifying it,
/// and sends the token along with its requests.
#[derive(Clone)]
pub struct Token {
    text: Zeroizing<String>,
    account: AccountHash,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
}

impl Token {
    /// Parses a token. Leading and trailing whitespace is ignored.
    ///
    /// # Errors
    ///
    /// Returns [`Error::InvalidToken`] unless the text has three base64url parts, and the second
    /// part contains the `iss` and `sub` claims.
    pub fn parse(text: &str) -> Result<Token> {
        let text = text.trim();
        let account = account_in(text).ok_or(Error::InvalidToken)?;
        Ok(Token { text: Zeroizing::new(text.to_owned()), account })
    }

    /// Returns the account that the token names (V-2.4).
    pub fn account(&self) -> AccountHash {
        self.account
    }

    /// Returns the token itself, which is a secret, for the `Authorization` header.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

fn account_in(text: &str) -> Option<AccountHash> {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = parts[..] else { return None };
    if text.len() > MAX_TOKEN_LEN {
        return None;
    }
    // Base64url contains no line breaks, so a token cannot inject a header.
    let decode = |part: &str| Base64UrlUnpadded::decode_vec(part).ok().map(Zeroizing::new);
    decode(header)?;
    decode(signature)?;
    let claims: Claims = serde_json::from_slice(&decode(payload)?).ok()?;
    Some(AccountHash::of(&claims.iss, &claims.sub))
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", Base64UrlUnpadded::encode_string(payload.as_bytes()))
    }

    /// V-2.4
    #[test]
    fn reads_the_account() {
        let text = token(r#"{"iss":"https://id.example","sub":"alice","exp":1}"#);
        let read = Token::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(read.account(), AccountHash::of("https://id.example", "alice"));
        assert_eq!(read.expose(), text);
        assert!(!format!("{read:?}").contains(&text));
    }

    /// V-2.4
    #[test]
    fn rejects_malformed_tokens() {
        let payload = r#"{"iss":"a","sub":"b"}"#;
        let good = token(payload);
        assert!(Token::parse(&good).is_ok());
        for wrong in [
            "",
            "..",
            &good[..good.len() - 5],
            &format!("{good}.e30"),
            &good.replace("e30", "e 30"),
            &good.replace("c2ln", "c2l\r\nbg"),
            &token(r#"{"iss":"a"}"#),
            &token(r#"{"sub":"a"}"#),
            &token("7"),
            &token(&format!(r#"{{"iss":"a","sub":"{}"}}"#, "b".repeat(MAX_TOKEN_LEN))),
        ] {
            assert!(matches!(Token::parse(wrong), Err(Error::InvalidToken)), "{wrong}");
        }
    }
}
