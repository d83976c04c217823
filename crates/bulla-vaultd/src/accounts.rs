//! Whose account a request is about: what the operator's identity service signed, and nothing that
//! the request itself says.
//!
//! A token is a JSON Web Token (RFC 7519) signed with Ed25519 (RFC 8037). Nothing else is taken: no
//! other algorithm, no token that lives longer than a quarter of an hour, none for another
//! audience.

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
/// Seconds that a token may live.
pub const MAX_LIFETIME: u64 = 900;
/// Seconds by which clocks may differ.
const SLACK: u64 = 60;
/// Bytes of a token at most.
const MAX_LEN: usize = 4096;
/// Bytes of an issuer's or subject's name at most.
const MAX_NAME: usize = 256;

/// The tenants: issuers of tokens, and the keys that verify them.
#[derive(Debug, Clone, Default)]
pub struct Tenants(pub(crate) HashMap<String, Vec<[u8; 32]>>);

/// Why a token is not taken. Not told to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// It is no token, or one of a kind that is not taken.
    Malformed,
    /// Its issuer is no tenant.
    UnknownIssuer,
    /// Its signature does not hold.
    Signature,
    /// It is for another audience.
    Audience,
    /// It is out of date, not valid yet, or lives too long.
    Time,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// What must be understood: nothing is, and so neither is a null.
    #[serde(default, deserialize_with = "whatever")]
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
    /// Tenants from a file: a JSON object of issuers, each with its public keys in base64url.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Tenants, String> {
        let said = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        Tenants::parse(&std::fs::read(path).map_err(|e| said(&e))?).map_err(|e| said(&e))
    }

    /// The same from the file's text.
    pub(crate) fn parse(text: &[u8]) -> Result<Tenants, String> {
        let Issuers(read) = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        let mut tenants = Tenants::default();
        for (issuer, keys) in read {
            // Which of the two was meant, nobody knows; the keys of one would be passed over.
            if tenants.0.contains_key(&issuer) {
                return Err(format!("{issuer:?} is there twice"));
            }
            let decode = |key: &String| URL_SAFE_NO_PAD.decode(key).ok()?.try_into().ok();
            let keys: Option<Vec<_>> = keys.iter().map(decode).collect();
            let keys =
                keys.ok_or_else(|| format!("a key of {issuer:?} is not 32 bytes in base64url"))?;
            tenants.0.insert(issuer, keys);
        }
        Ok(tenants)
    }

    /// Adds a tenant's key.
    pub fn add(&mut self, issuer: &str, key: [u8; 32]) {
        self.0.entry(issuer.to_owned()).or_default().push(key);
    }

    /// The account that a token is for.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
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
        // Only what is signed is looked at from here on.
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

/// Signs tokens, as an identity service does. For tests and for trying the vault out.
pub struct Issuer {
    name: String,
    key: Ed25519KeyPair,
}

impl Issuer {
    /// An issuer with a new key.
    ///
    /// # Errors
    ///
    /// [`TokenError::Malformed`] if the system has no random numbers.
    pub fn generate(name: &str) -> Result<Issuer, TokenError> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| TokenError::Malformed)?;
        let key = Ed25519KeyPair::from_pkcs8(made.as_ref()).map_err(|_| TokenError::Malformed)?;
        Ok(Issuer { name: name.to_owned(), key })
    }

    /// An issuer whose key (PKCS #8) lies in a file; it is made if there is none.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the file.
    pub fn open(name: &str, path: &Path) -> Result<Issuer, String> {
        let said = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        if !path.exists() {
            let made =
                Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|e| said(&e))?;
            files::replace(path, made.as_ref()).map_err(|e| said(&e))?;
        }
        let bytes = zeroize::Zeroizing::new(std::fs::read(path).map_err(|e| said(&e))?);
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes).map_err(|e| said(&e))?;
        Ok(Issuer { name: name.to_owned(), key })
    }

    /// The public key.
    pub fn public_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key.copy_from_slice(self.key.public_key().as_ref());
        key
    }

    /// A token for a subject.
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
        // Fails for maps with keys that are no strings; there is none.
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

/// A value that is there, whatever it is.
fn whatever<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(Some)
}

/// The members of the tenants' file as they stand there. A map would keep the last of two that have
/// one name.
struct Issuers(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Issuers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Issuers, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Issuers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of issuers")
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
            TokenError::Malformed => "token is none, or of another kind",
            TokenError::UnknownIssuer => "token's issuer is no tenant",
            TokenError::Signature => "token's signature does not hold",
            TokenError::Audience => "token is for another audience",
            TokenError::Time => "token is out of date, not valid yet, or lives too long",
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
    fn names_the_account() {
        let (issuer, tenants) = tenant();
        let account = tenants.verify(&issuer.token("alice", NOW, 300), NOW);
        assert_eq!(account, Ok(AccountHash::of("https://id.example", "alice")));
    }

    #[test]
    fn times() {
        let (issuer, tenants) = tenant();
        let verified =
            |from, lifetime| tenants.verify(&issuer.token("alice", from, lifetime), NOW).is_ok();
        assert!(verified(NOW - 300, 300), "within the slack");
        assert!(!verified(NOW - 360, 300), "out of date");
        assert!(verified(NOW + 60, 300) && !verified(NOW + 61, 300), "not valid yet");
        assert!(verified(NOW, 900) && !verified(NOW, 901), "lives too long");
    }

    /// What libraries have taken for a token, and should not have.
    #[test]
    fn forgeries() {
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
    fn tenants_file() {
        let keys = ["A".repeat(43), "E".repeat(43)];
        let [one, two] = &keys;
        let read =
            |text: String| Tenants::parse(text.as_bytes()).map(|tenants| tenants.0["a"].len());
        assert_eq!(read(format!(r#"{{"a":["{one}","{two}"],"b":[]}}"#)), Ok(2));
        assert_eq!(
            read(format!(r#"{{"a":["{one}"],"a":["{two}"]}}"#)),
            Err(r#""a" is there twice"#.to_owned())
        );
        let said = read(format!(r#"{{"a":["{}"]}}"#, &one[1..]));
        assert_eq!(said, Err(r#"a key of "a" is not 32 bytes in base64url"#.to_owned()));
        assert!(read(format!(r#"[["a",["{one}"]]]"#)).is_err());
    }
}
