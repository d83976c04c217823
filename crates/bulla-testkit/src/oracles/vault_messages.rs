//! The vault's messages, as they come from somebody else.

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

/// **The bytes are a body**, read as every message in turn; and a locator's file, and a token.
///
/// - A body that is a message is an object with one encoding of each value: what is written again
///   has the members that were read, and a request had no others. One of more than 4096 bytes is
///   none.
/// - A client that is given the reply to a registration registers with the key that it pinned, or
///   not at all; one that is given the reply to a login proves nothing, as nobody but the vault can
///   make that reply.
/// - A locator's file that is read is written the same again, but for the bytes that are ignored.
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
        registers(&started);
    }
    if let Some(started) = message::<LoginStarted>(bytes, false) {
        proves_nothing(started);
    }
    if let Some(locator) = parse_locator_file(bytes) {
        let written = locator_file(&locator);
        assert_eq!(written.len(), bytes.len());
        assert_eq!(written[16..written.len() - 8], bytes[16..bytes.len() - 8]);
    }
    if let Ok(token) = Token::parse(&String::from_utf8_lossy(bytes)) {
        assert!(
            token.expose().bytes().all(|byte| byte.is_ascii_graphic()),
            "it goes into a header"
        );
    }
}

fn message<T: Serialize + DeserializeOwned>(bytes: &[u8], request: bool) -> Option<T> {
    let message: T = decode(bytes).ok()?;
    assert!(bytes.len() <= MAX_BODY_LEN);
    let written = encode(&message);
    let again = object(&written).expect("what is written is an object");
    assert!(decode::<T>(&written).is_ok_and(|message| encode(&message) == written));
    // What a reply has besides, and what nobody reads, may be what no value can hold: a number
    // without end, half a character.
    let Some(read) = object(bytes) else {
        assert!(!request, "a request that is no object");
        return Some(message);
    };
    for (name, value) in &again {
        assert!(same(&read[name], value), "{name}: {value}, but {} was read", read[name]);
    }
    let others = read.iter().filter(|(name, value)| !again.contains_key(*name) && !value.is_null());
    assert!(!request || others.count() == 0, "a request with more than its fields");
    Some(message)
}

fn object(bytes: &[u8]) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Some(members),
        Ok(other) => panic!("a message that is no object: {other:?}"),
        Err(_) => None,
    }
}

/// A record's status may say more, as the reply that it is a part of may.
fn same(read: &Value, written: &Value) -> bool {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            written.iter().all(|(name, value)| read.get(name).is_some_and(|read| same(read, value)))
        }
        _ => read == written,
    }
}

/// The cheapest stretching, whatever a message says: it is bounded by the same type, which the
/// vectors test.
fn cheap() -> Stretching {
    Stretching::new(PassphraseCost::new(1, 8, 1).expect("the least cost"))
}

fn parties(public_key: [u8; 32]) -> Parties {
    Parties { account: AccountHash::of("a", "b"), reg_id: RegId::from_bytes([1; 32]), public_key }
}

fn password() -> Passphrase {
    Passphrase::new("correct horse").expect("a passphrase")
}

fn registers(started: &RegisterStarted) {
    let sent = *started.response.0.last_chunk::<32>().expect("it is longer");
    let mut another = sent;
    another[0] ^= 1;
    let key = bulla::Key::from_bytes(&[2; 32]);
    let terms = RegistrationOptions { stretching: cheap(), ..RegistrationOptions::default() };
    for (pinned, may_register) in [(sent, true), (another, false)] {
        let (registration, _) = Registration::start(&password(), &[3; 32], &parties(pinned))
            .expect("nothing is random but the blind");
        match registration.finish(started, &key, &terms) {
            Ok(_) => assert!(may_register, "registered with another vault"),
            Err(Error::VaultMismatch) => assert!(!may_register),
            Err(Error::ProtocolViolation { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn proves_nothing(started: LoginStarted) {
    let (login, _) = Login::start(&password(), &[3; 32], &parties([4; 32]))
        .expect("nothing is random but the blind");
    let started = LoginStarted { stretching: cheap(), ..started };
    match login.prove(&started) {
        Err(Error::WrongPassword { left }) => assert_eq!(left, Some(started.left)),
        Err(Error::ProtocolViolation { .. }) => {}
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("a proof out of nothing"),
    }
}
