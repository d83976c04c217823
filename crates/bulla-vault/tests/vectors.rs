//! Checks messages and public derivations against the vectors in spec/vectors/vault.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use bulla_key::Locator;
use bulla_testkit::vectors::vault::{derivations, messages};
use bulla_vault::locators::{locator_file, parse_locator_file};
use bulla_vault::messages::*;
use bulla_vault::reply::{LoginReply, ReplyContext};
use bulla_vault::suite::{ClientIdentity, context};
use bulla_vault::wire::{DecodeError, decode, encode};
use bulla_vault::{AccountHash, AttemptId, RegId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Decodes the message in a body, and encodes it again.
fn recode<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    decode::<T>(body).map(|message| encode(&message))
}

fn read(message: &str, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    match message {
        "register_start" => recode::<RegisterStart>(body),
        "register_started" => recode::<RegisterStarted>(body),
        "register_finish" => recode::<RegisterFinish>(body),
        "register_finished" => recode::<RegisterFinished>(body),
        "login_start" => recode::<LoginStart>(body),
        "login_started" => recode::<LoginStarted>(body),
        "login_finish" => recode::<LoginFinish>(body),
        "login_finished" => recode::<LoginFinished>(body),
        "delete" => recode::<Delete>(body),
        "delete_announced" => recode::<DeleteAnnounced>(body),
        "status" => recode::<Status>(body),
        "info" => recode::<Info>(body),
        "failure" => recode::<Failure>(body),
        _ => panic!("unknown message: {message}"),
    }
}

/// V-2.1, V-2.2, V-2.3, V-2.6, V-3.3, V-4.3
#[test]
fn messages_decode_as_stated() {
    let mut failures = Vec::new();
    for vector in messages() {
        let found = read(&vector.message, vector.body.as_bytes());
        let outcome = match &found {
            Ok(_) => "ok",
            Err(DecodeError::TooLong) => "too_long",
            Err(DecodeError::Syntax { .. }) => "not_json",
            Err(DecodeError::Field { .. }) => "bad_field",
            Err(_) => "?",
        };
        // If a vector has the same name as its message, its body must be exactly what the library
        // encodes.
        let same = vector.name != vector.message || found.as_deref() == Ok(vector.body.as_bytes());
        if outcome != vector.outcome || !same {
            failures.push(format!("{}: {outcome}, expected {}", vector.name, vector.outcome));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// V-1.1
#[test]
fn version_is_in_info_and_paths() {
    let info = messages().into_iter().find(|vector| vector.name == "info").unwrap();
    assert_eq!(decode::<Info>(info.body.as_bytes()).unwrap().version, VERSION);
    let paths = [
        path::REGISTER_START,
        path::REGISTER_FINISH,
        path::LOGIN_START,
        path::LOGIN_FINISH,
        path::RECORD,
    ];
    assert!(
        [&paths[..], &[path::STATUS, path::INFO]]
            .concat()
            .iter()
            .all(|path| path.starts_with("/v1/"))
    );
}

/// V-2.4, V-2.5, V-3.2, V-5.4, V-6.1
#[test]
fn derivations_match() {
    for vector in derivations() {
        let account = AccountHash::of(&vector.iss, &vector.sub);
        assert_eq!(account.as_bytes()[..], vector.account[..], "{}", vector.name);
        let reg_id = RegId::from_bytes(vector.registration[..].try_into().unwrap());
        assert_eq!(reg_id.record_name().as_bytes()[..], vector.record_name[..]);
        let attempt_id = AttemptId::from_bytes(vector.attempt[..].try_into().unwrap());
        assert_eq!(
            ClientIdentity::new(&account, &reg_id).as_bytes()[..],
            vector.client_identity[..]
        );
        assert_eq!(context(&attempt_id)[..], vector.context[..]);

        let session_key = vector.session_key[..].try_into().unwrap();
        let sealed = vector.sealed[..].try_into().unwrap();
        let reply =
            LoginReply::open(&sealed, &session_key, &ReplyContext { account, reg_id, attempt_id })
                .unwrap();
        assert_eq!(reply.wrapped_key[..], vector.wrapped_key[..]);
        assert_eq!(
            (reply.failures, reply.lifetime_failures),
            (vector.failures, vector.lifetime_failures)
        );
        assert_eq!(reply.grant[..], vector.grant[..]);

        let locator = Locator::new(*reg_id.as_bytes(), vector.pepper[..].try_into().unwrap())
            .with_hint(Locator::ADDRESS, vector.address.as_bytes())
            .and_then(|locator| locator.with_hint(Locator::PUBLIC_KEY, &vector.public_key))
            .unwrap();
        assert_eq!(locator_file(&locator)[..], vector.locator_file[..]);
        assert_eq!(
            parse_locator_file(&vector.locator_file).unwrap().to_bytes(),
            locator.to_bytes()
        );
    }
}
