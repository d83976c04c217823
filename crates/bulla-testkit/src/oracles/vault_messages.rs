//! Vault protocol messages, received from an untrusted peer.

use bulla_key::{Passphrase, PassphraseCost};
use bulla_vault::locators::{locator_file, parse_locator_file};
use bulla_vault::messages::*;
use bulla_vault::wire::{MAX_BODY_LEN, decode, encode};
use bulla_vault::{
    AccountHash, Error, Login, Parties, RegId, Registration, RegistrationOptions, Stretching, Token,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// **Input: a body**, decoded as every message in turn, as a locator file, and as a token.
///
/// - Every value in a message has exactly one encoding: re-encoding a message yields the members
///   that were read, and a request has no other members. A body longer than 4096 bytes is rejected.
/// - A client that receives a registration reply registers only if the reply contains the pinned
///   key. A client that receives a login reply sends no proof, because only the vault can produce a
///   valid reply.
/// - Re-encoding a locator file yields the same bytes, except for those that readers ignore.
/// - It never panics.
pub fn vault_messages(bytes: &[u8]) {
    message::<RegisterStart>(bytes, true);
    message::<RegisterFinish>(bytes, true);
    message::<LoginStart>(bytes, true);
    message::<LoginFinish>(bytes, true);
    message::<Delete>(bytes, true);
    message::<RegisterFinished>(bytes, false);
    message::<LoginFinished>(bytes, false);
    message::<DeleteAnnounced>(bytes, false);
    message::<Status>(bytes, false);
    message::<Info>(bytes, false);
    message::<Failure>(bytes, false);
    if let Some(started) = message::<RegisterStarted>(bytes, false) {
        check_registration(&started);
    }
    if let Some(started) = message::<LoginStarted>(bytes, false) {
        check_login(started);
    }
    if let Some(locator) = parse_locator_file(bytes) {
        let written = locator_file(&locator);
        assert_eq!(written.len(), bytes.len());
        assert_eq!(written[16..written.len() - 8], bytes[16..bytes.len() - 8]);
    }
    if let Ok(token) = Token::parse(&String::from_utf8_lossy(bytes)) {
        assert!(
            token.expose().bytes().all(|byte| byte.is_ascii_graphic()),
            "not valid in an HTTP header"
        );
    }
}

/// Decodes a body as a message and checks its encoding.
fn message<T: Serialize + DeserializeOwned>(bytes: &[u8], request: bool) -> Option<T> {
    let message: T = decode(bytes).ok()?;
    assert!(bytes.len() <= MAX_BODY_LEN);
    let written = encode(&message);
    let again = object(&written).expect("an encoded message is an object");
    assert!(decode::<T>(&written).is_ok_and(|message| encode(&message) == written));
    // The ignored members of a reply may hold values that no type represents, such as a huge number
    // or an unpaired surrogate.
    let Some(read) = object(bytes) else {
        assert!(!request, "a request is not an object");
        return Some(message);
    };
    for (name, value) in &again {
        assert!(same(&read[name], value), "{name}: read {}, encoded {value}", read[name]);
    }
    let ignored =
        read.iter().filter(|(name, value)| !again.contains_key(*name) && !value.is_null());
    assert!(!request || ignored.count() == 0, "a request has unknown members");
    Some(message)
}

/// Parses JSON that must be an object if it is valid.
fn object(bytes: &[u8]) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Some(members),
        Ok(other) => panic!("a message is not an object: {other:?}"),
        Err(_) => None,
    }
}

/// Compares values. Like the reply that contains it, an object that was read may have additional
/// members.
fn same(read: &Value, written: &Value) -> bool {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            written.iter().all(|(name, value)| read.get(name).is_some_and(|read| same(read, value)))
        }
        _ => read == written,
    }
}

/// Returns the cheapest stretching parameters, which replace those in a message. The vectors test
/// the bounds of the parameters.
fn cheap() -> Stretching {
    Stretching::new(PassphraseCost::new(1, 8, 1).expect("the minimum cost"))
}

fn parties(public_key: [u8; 32]) -> Parties {
    Parties { account: AccountHash::of("a", "b"), reg_id: RegId::from_bytes([1; 32]), public_key }
}

fn password() -> Passphrase {
    Passphrase::new("correct horse").expect("a passphrase")
}

/// Checks that a client registers only with the pinned key.
fn check_registration(started: &RegisterStarted) {
    let sent = *started.response.0.last_chunk::<32>().expect("a response has 64 bytes");
    let mut another = sent;
    another[0] ^= 1;
    let key = bulla::Key::from_bytes(&[2; 32]);
    let terms = RegistrationOptions { stretching: cheap(), ..RegistrationOptions::default() };
    for (pinned, may_register) in [(sent, true), (another, false)] {
        let (registration, _) = Registration::start(&password(), &[3; 32], &parties(pinned))
            .expect("starting needs only randomness");
        match registration.finish(started, &key, &terms) {
            Ok(_) => assert!(may_register, "registered with a vault that is not pinned"),
            Err(Error::VaultMismatch) => assert!(!may_register),
            Err(Error::ProtocolViolation { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Checks that a client rejects a forged login reply.
fn check_login(started: LoginStarted) {
    let (login, _) = Login::start(&password(), &[3; 32], &parties([4; 32]))
        .expect("starting needs only randomness");
    let started = LoginStarted { stretching: cheap(), ..started };
    match login.prove(&started) {
        Err(Error::WrongPassword { left }) => assert_eq!(left, Some(started.left)),
        Err(Error::ProtocolViolation { .. }) => {}
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("a forged reply was accepted"),
    }
}
