//! Account tokens. A request's account is the one that the operator's identity service signed,
//! never one that the request itself claims.
//!
//! A token is a JSON Web Token (RFC 7519) signed with Ed25519 (RFC 8037). A token with any other
//! algorithm, a wrong audience, or a lifetime of more than 15 minutes is rejected.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bulla_vault::AccountHash;
use bulla_vault::wire::decode;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::files;

/// The audience that a token must name.
pub const AUDIENCE: &str = "bulla-vault";
/// Maximum token lifetime in seconds.
pub const MAX_LIFETIME: u64 = 900;
/// Tolerated clock difference in seconds.
const SLACK: u64 = 60;
/// Maximum bytes in a token.
const MAX_LEN: usize = 4096;
/// Maximum bytes in an issuer or subject name.
const MAX_NAME: usize = 256;

/// The tenants: token issuers and the public keys that verify their tokens.
#[derive(Debug, Clone, Default)]
pub struct Tenants(pub(crate) HashMap<String, Vec<[u8; 32]>>);

/// The reason a token is rejected. Clients do not see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is malformed, or its kind is not supported.
    Malformed,
    /// The issuer is not a tenant.
    UnknownIssuer,
    /// The signature is invalid.
    Signature,
    /// The audience is not [`AUDIENCE`].
    Audience,
    /// The token has expired, is not valid yet, or has too long a lifetime.
    Time,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Critical extensions (RFC 7515, 4.1.11). None is supported, so any value is rejected, even
    /// `null`.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: u64,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
}

impl Tenants {
    /// Reads tenants from a JSON object that maps each issuer to its public keys in base64url.
    ///
    /// # Errors
    ///
    /// Returns a message that names the file and the problem.
    pub fn read(path: &Path) -> Result<Tenants, String> {
        let with_path = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        Tenants::parse(&std::fs::read(path).map_err(|e| with_path(&e))?).map_err(|e| with_path(&e))
    }

    /// Parses a tenants file's contents.
    pub(crate) fn parse(text: &[u8]) -> Result<Tenants, String> {
        let Issuers(read) = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        let mut tenants = Tenants::default();
        for (issuer, keys) in read {
            // A map would keep one of the two entries and silently drop the keys of the other.
            if tenants.0.contains_key(&issuer) {
                return Err(format!("issuer {issuer:?}: listed twice"));
            }
            let decode = |key: &String| URL_SAFE_NO_PAD.decode(key).ok()?.try_into().ok();
            let keys: Option<Vec<_>> = keys.iter().map(decode).collect();
            let keys = keys.ok_or_else(|| {
                format!("issuer {issuer:?}: a key is not 32 bytes in base64url without padding")
            })?;
            tenants.0.insert(issuer, keys);
        }
        Ok(tenants)
    }

    /// Adds a tenant's key.
    pub fn add(&mut self, issuer: &str, key: [u8; 32]) {
        self.0.entry(issuer.to_owned()).or_default().push(key);
    }

    /// Verifies a token at Unix time `now` and returns its account.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError`] if the token is not valid.
    pub fn verify(&self, token: &str, now: u64) -> Result<AccountHash, TokenError> {
        if token.len() > MAX_LEN {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = parse(header)?;
        if header.alg != "EdDSA" || header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let claims: Claims = parse(claims)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        let keys = self.0.get(&claims.iss).ok_or(TokenError::UnknownIssuer)?;
        let holds = |key: &[u8; 32]| {
            UnparsedPublicKey::new(&ED25519, key).verify(signed.as_bytes(), &signature).is_ok()
        };
        if !keys.iter().any(holds) {
            return Err(TokenError::Signature);
        }
        // The claims are authentic from here on.
        if claims.aud != AUDIENCE {
            return Err(TokenError::Audience);
        }
        let begins = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        let lives = claims.exp.checked_sub(claims.iat).ok_or(TokenError::Time)?;
        if lives > MAX_LIFETIME
            || now.saturating_add(SLACK) < begins
            || now >= claims.exp.saturating_add(SLACK)
        {
            return Err(TokenError::Time);
        }
        if claims.sub.is_empty() || claims.sub.len() > MAX_NAME || claims.iss.len() > MAX_NAME {
            return Err(TokenError::Malformed);
        }
        Ok(AccountHash::of(&claims.iss, &claims.sub))
    }
}

/// Signs tokens as an identity service would, for tests and development.
pub struct Issuer {
    name: String,
    key: Ed25519KeyPair,
}

impl Issuer {
    /// Creates an issuer with a new key.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::Malformed`] if the operating system cannot provide random numbers.
    pub fn generate(name: &str) -> Result<Issuer, TokenError> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| TokenError::Malformed)?;
        let key = Ed25519KeyPair::from_pkcs8(made.as_ref()).map_err(|_| TokenError::Malformed)?;
        Ok(Issuer { name: name.to_owned(), key })
    }

    /// Reads an issuer's key (PKCS #8) from a file, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// Returns a message that names the file and the problem.
    pub fn open(name: &str, path: &Path) -> Result<Issuer, String> {
        let with_path = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        if !path.exists() {
            let made =
                Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|e| with_path(&e))?;
            files::replace(path, made.as_ref()).map_err(|e| with_path(&e))?;
        }
        let bytes = zeroize::Zeroizing::new(std::fs::read(path).map_err(|e| with_path(&e))?);
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes).map_err(|e| with_path(&e))?;
        Ok(Issuer { name: name.to_owned(), key })
    }

    /// Returns the public key.
    pub fn public_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.key.public_key().as_ref());
        key
    }

    /// Returns a token for `subject`, valid from Unix time `now` for `lifetime` seconds.
    pub fn token(&self, subject: &str, now: u64, lifetime: u64) -> String {
        let claims = Claims {
            iss: self.name.clone(),
            sub: subject.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now,
            exp: now.saturating_add(lifetime),
            nbf: None,
        };
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"EdDSA","typ":"JWT"}"#);
        // Serialization fails only for maps whose keys are not strings.
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

fn parse<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    decode(&bytes).map_err(|_| TokenError::Malformed)
}

/// Deserializes a value of any type, `null` included, to `Some`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(Some)
}

/// The members of the tenants file, in order and including duplicates.
struct Issuers(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Issuers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Issuers, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Issuers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object that maps issuers to keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Issuers, A::Error> {
                let mut issuers = Vec::new();
                while let Some(issuer) = members.next_entry()? {
                    issuers.push(issuer);
                }
                Ok(Issuers(issuers))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenError::Malformed => "token: malformed, or of an unsupported kind",
            TokenError::UnknownIssuer => "token: issuer is not a tenant",
            TokenError::Signature => "token: invalid signature",
            TokenError::Audience => "token: wrong audience",
            TokenError::Time => "token: expired, not valid yet, or valid for too long",
        })
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn tenant() -> (Issuer, Tenants) {
        let issuer = Issuer::generate("https://id.example").unwrap();
        let mut tenants = Tenants::default();
        tenants.add("https://id.example", issuer.public_key());
        (issuer, tenants)
    }

    #[test]
    fn returns_the_account_of_a_valid_token() {
        let (issuer, tenants) = tenant();
        let account = tenants.verify(&issuer.token("alice", NOW, 300), NOW);
        assert_eq!(account, Ok(AccountHash::of("https://id.example", "alice")));
    }

    #[test]
    fn accepts_a_token_only_while_it_is_valid() {
        let (issuer, tenants) = tenant();
        let verified =
            |from, lifetime| tenants.verify(&issuer.token("alice", from, lifetime), NOW).is_ok();
        assert!(verified(NOW - 300, 300), "within the tolerance");
        assert!(!verified(NOW - 360, 300), "expired");
        assert!(verified(NOW + 60, 300) && !verified(NOW + 61, 300), "not valid yet");
        assert!(verified(NOW, 900) && !verified(NOW, 901), "lifetime too long");
    }

    /// Kinds of tokens that other JWT libraries have accepted by mistake.
    #[test]
    fn rejects_forged_tokens() {
        let (issuer, tenants) = tenant();
        let good = issuer.token("alice", NOW, 300);
        let parts: Vec<_> = good.split('.').collect();
        let header =
            |json: &str| format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(json), parts[1], parts[2]);
        for json in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"EdDSA","crit":["exp"]}"#,
            "{}",
            "[]",
        ]
        .into_iter()
        .chain([r#"{"alg":"EdDSA","crit":null}"#, r#"["EdDSA"]"#])
        {
            assert_eq!(tenants.verify(&header(json), NOW), Err(TokenError::Malformed), "{json}");
        }
        assert_eq!(
            tenants.verify(&header(r#"{"alg":"EdDSA","kid":"x"}"#), NOW),
            Err(TokenError::Signature)
        );
        let unsigned = format!("{}.{}.", parts[0], parts[1]);
        assert_eq!(tenants.verify(&unsigned, NOW), Err(TokenError::Signature));
        let other = Issuer::generate("https://id.example").unwrap().token("alice", NOW, 300);
        assert_eq!(tenants.verify(&other, NOW), Err(TokenError::Signature));
        let stranger = Issuer::generate("https://other.example").unwrap().token("alice", NOW, 300);
        assert_eq!(tenants.verify(&stranger, NOW), Err(TokenError::UnknownIssuer));
        for at in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(
                tenants.verify(std::str::from_utf8(&changed).unwrap(), NOW).is_err(),
                "byte {at}"
            );
        }
        assert_eq!(tenants.verify(&"a".repeat(5000), NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn rejects_duplicate_issuers_and_short_keys() {
        let keys = ["A".repeat(43), "E".repeat(43)];
        let [one, two] = &keys;
        let read =
            |text: String| Tenants::parse(text.as_bytes()).map(|tenants| tenants.0["a"].len());
        assert_eq!(read(format!(r#"{{"a":["{one}","{two}"],"b":[]}}"#)), Ok(2));
        assert_eq!(
            read(format!(r#"{{"a":["{one}"],"a":["{two}"]}}"#)),
            Err(r#"issuer "a": listed twice"#.to_owned())
        );
        let message = read(format!(r#"{{"a":["{}"]}}"#, &one[1..]));
        let expected = r#"issuer "a": a key is not 32 bytes in base64url without padding"#;
        assert_eq!(message, Err(expected.to_owned()));
        assert!(read(format!(r#"[["a",["{one}"]]]"#)).is_err());
    }
}
