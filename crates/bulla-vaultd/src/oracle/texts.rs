//! Text formats: tokens, the tenants file, the audit log, etcd responses and key files.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bulla_vault::AccountHash;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value};

use super::fakes::NOW;
use crate::audit::{self, Head};
use crate::hsm::rewrite;
use crate::store::RecordKind;
use crate::store::etcd;
use crate::store::etcd::gateway::{Bytes, RangeResponse, TxnResponse};
use crate::tokens::{AUDIENCE, MAX_LIFETIME, Tenants};

/// The only issuer.
pub(super) const ISSUER: &str = "https://id.example";
/// The prefix of record keys in etcd.
pub(super) const PREFIX: &[u8] = b"/v/";

/// Returns the key that signs tokens and the log.
pub(super) fn signing_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed")
}

/// Returns two record keys.
pub(super) fn names() -> [Bytes; 2] {
    [b"c", b"s"].map(|letter| Bytes([PREFIX, letter, &[0xa1; 32]].concat()))
}

pub(super) fn token(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(account) = verified(text) else { return false };
    let parts: Vec<_> = text.split('.').collect();
    let [header, claims, _] = parts[..] else { panic!("token with {} parts", parts.len()) };
    let [header, claims] =
        [header, claims].map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
    assert_eq!(text, signed(&header, &claims), "one token has two signatures");
    assert_valid(&header, &claims, &account);
    true
}

pub(super) fn claims(bytes: &[u8]) -> bool {
    let Some(at) = bytes.iter().position(|&byte| byte == b'\n') else { return false };
    let (header, claims) = (&bytes[..at], &bytes[at + 1..]);
    let Ok(account) = verified(&signed(header, claims)) else { return false };
    assert_valid(header, claims, &account);
    true
}

pub(super) fn tenants(bytes: &[u8]) -> bool {
    let Ok(tenants) = Tenants::parse(bytes) else { return false };
    let text = |keys: &Vec<[u8; 32]>| {
        keys.iter().map(|key| URL_SAFE_NO_PAD.encode(key)).collect::<Vec<_>>()
    };
    let members = tenants.0.iter().map(|(issuer, keys)| (issuer.clone(), text(keys).into()));
    let written = Value::Object(members.collect()).to_string();
    assert_eq!(Tenants::parse(written.as_bytes()).map(|again| again.0), Ok(tenants.0));
    true
}

pub(super) fn log(bytes: &[u8]) -> bool {
    let key = signing_key();
    let verify =
        |mut log: &[u8], expected| audit::verify(&mut log, key.public_key().as_ref(), expected);
    let Ok(head) = verify(bytes, None) else { return false };
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    assert!(head.number == lines as u64 && bytes.last().is_none_or(|&byte| byte == b'\n'));
    assert_eq!(head.to_string().parse::<Head>().ok(), Some(head.clone()));
    assert!(verify(bytes, Some(&head)).is_ok_and(|again| again == head));
    let beyond = Head { number: head.number + 1, ..head.clone() };
    assert!(verify(bytes, Some(&beyond)).is_err());
    lines > 0
}

pub(super) fn event(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let begin = Head { number: 0, digest: "0".repeat(64) };
    let Some(head) = audit::follow(text, &begin) else { return false };
    assert!(head.number == 1 && head.digest.len() == 64 && head.digest != begin.digest);
    let event = object(bytes).expect("every field of an event is read");
    assert!(event["number"] == 1 && event["previous"] == begin.digest && event.len() == 6);
    assert!(audit::follow(text, &head).is_none(), "an event follows itself");
    true
}

pub(super) fn records(bytes: &[u8]) -> bool {
    let Ok(response) = serde_json::from_slice::<TxnResponse>(bytes) else { return false };
    let json: Option<Value> = serde_json::from_slice(bytes).ok();
    let Ok(records) = etcd::records(response, &names()) else { return false };
    assert_eq!(records.len(), 2);
    let Some(Value::Object(json)) = json else { return true };
    for (at, (record, Bytes(name))) in records.iter().zip(names()).enumerate() {
        let range = &json["responses"][at]["response_range"];
        let Some(record) = record else { continue };
        let Value::Object(json) = &range["kvs"][0] else { continue };
        assert_eq!(json["key"], STANDARD.encode(name));
        assert_eq!(json.get("value").map_or("", text), STANDARD.encode(&record.value));
        assert_eq!(text(&json["mod_revision"]).parse(), Ok(record.revision));
    }
    true
}

pub(super) fn accounts(bytes: &[u8]) -> bool {
    let Ok(response) = serde_json::from_slice::<RangeResponse>(bytes) else { return false };
    let mut accepted = false;
    for (kind, letter) in [(RecordKind::Counter, b"c"), (RecordKind::Watermark, b"m")] {
        let prefix = [PREFIX, letter].concat();
        let Ok(accounts) = etcd::accounts(&response, &prefix) else { continue };
        for (account, kv) in accounts.iter().zip(&response.kvs) {
            assert!([PREFIX, letter, account].concat() == kv.key.0, "{kind:?}");
        }
        assert_eq!(accounts.len(), response.kvs.len());
        accepted = true;
    }
    accepted
}

pub(super) fn key_file(bytes: &[u8]) -> bool {
    let Some(text) = rewrite(bytes) else { return false };
    assert_eq!(text.as_bytes(), bytes);
    true
}

/// Returns a token with this header and these claims.
pub(super) fn signed(header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(signing_key().sign(signed.as_bytes()).as_ref());
    format!("{signed}.{signature}")
}

fn verified(token: &str) -> Result<AccountHash, crate::tokens::TokenError> {
    let mut tenants = Tenants::default();
    let key = signing_key().public_key().as_ref().try_into();
    tenants.add(ISSUER, key.expect("an Ed25519 key has 32 bytes"));
    tenants.verify(token, NOW)
}

/// Asserts that an accepted token is valid, using nothing but a generic JSON parser to read it.
fn assert_valid(header: &[u8], claims: &[u8], account: &AccountHash) {
    let (Some(header), Some(claims)) = (object(header), object(claims)) else { return };
    assert!(header["alg"] == "EdDSA" && !header.contains_key("crit"));
    assert!(claims["iss"] == ISSUER && claims["aud"] == AUDIENCE);
    let number = |name: &str| claims.get(name).and_then(Value::as_u64);
    let (iat, exp) = (number("iat").expect("a number"), number("exp").expect("a number"));
    assert!(
        exp >= iat && exp - iat <= MAX_LIFETIME && exp.saturating_add(60) > NOW && iat <= NOW + 60
    );
    assert!(number("nbf").is_none_or(|nbf| nbf <= NOW + 60));
    let subject = text(&claims["sub"]);
    assert!((1..=256).contains(&subject.len()));
    assert_eq!(*account, AccountHash::of(ISSUER, subject));
}

/// Decodes a JSON object. Returns `None` if `serde_json::Value` cannot represent an ignored value,
/// which happens for a number that overflows or an unpaired surrogate.
fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(bytes).ok()? {
        Value::Object(members) => Some(members),
        other => panic!("not an object: {other:?}"),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
