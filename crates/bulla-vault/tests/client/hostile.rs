//! A malicious vault, or an attacker between the client and the vault.

use bulla_vault::messages::*;
use bulla_vault::suite::Suite;
use bulla_vault::transport::{Response, TransportError};
use bulla_vault::wire::{DecodeError, decode, encode};
use bulla_vault::{Error, VaultIdentity};
use opaque_ke::ServerSetup;
use rand_core::OsRng;

use crate::fixture::{Fixture, options, password};
use crate::server::Server;
use crate::transport::Tamper;

/// Changes one endpoint's responses.
fn at<T: serde::Serialize + serde::de::DeserializeOwned + 'static>(
    path: &'static str,
    change: impl Fn(&mut T) + 'static,
) -> Option<Tamper> {
    Some(Box::new(move |requested, response| {
        if requested == path {
            let mut message: T = decode(&response.body).unwrap();
            change(&mut message);
            response.body = encode(&message);
        }
    }))
}

fn register(fixture: &Fixture, tamper: Option<Tamper>) -> Error {
    let mut client = fixture.client();
    client.transport_mut().tamper = tamper;
    client
        .register(&password("second"), &fixture.key, &mut fixture.files(), &options())
        .unwrap_err()
}

fn recover(fixture: &Fixture, tamper: Option<Tamper>) -> Error {
    let mut client = fixture.client();
    client.transport_mut().tamper = tamper;
    client.recover(&password("first"), &fixture.files().read().unwrap()).unwrap_err()
}

fn other_public_key() -> [u8; 32] {
    ServerSetup::<Suite>::new(&mut OsRng).keypair().public().serialize().into()
}

/// V-3.6: nothing is uploaded.
#[test]
fn registration_rejects_a_public_key_that_is_not_pinned() {
    let fixture = Fixture::new();
    let other = other_public_key();
    let error = register(
        &fixture,
        at(path::REGISTER_START, move |started: &mut RegisterStarted| {
            started.response.0[32..].copy_from_slice(&other);
        }),
    );
    assert!(matches!(error, Error::VaultMismatch), "{error:?}");
    assert!(fixture.server.borrow().pending.is_none());
    assert!(fixture.files().read().unwrap().is_empty());
}

/// V-3.6: no proof is sent.
#[test]
fn login_rejects_a_public_key_that_is_not_pinned() {
    let fixture = Fixture::registered();
    let vault = VaultIdentity { public_key: other_public_key(), ..fixture.vault.clone() };
    let mut client = bulla_vault::Client::new(
        crate::transport::TestTransport::new(
            &fixture.server,
            &crate::transport::StepBudget::new(99),
        ),
        vault,
        fixture.account,
    );
    let stored = fixture.files().read().unwrap().remove(0);
    let bare = bulla_key::Locator::new(*stored.registration(), stored.pepper());
    let error = client.recover(&password("first"), &[bare]).unwrap_err();
    assert!(matches!(error, Error::VaultMismatch), "{error:?}");
    assert_eq!(
        fixture.server.borrow().current.as_ref().unwrap().left,
        4,
        "the attempt was counted but never confirmed"
    );
    assert!(matches!(client.info(), Err(Error::VaultMismatch)));
    assert!(fixture.client().info().is_ok());
}

/// V-3.6: a vault with a stolen record but without the keys cannot impersonate the real one.
#[test]
fn login_rejects_a_vault_without_the_keys() {
    let fixture = Fixture::registered();
    let upload = fixture.server.borrow().current.as_ref().unwrap().content.clone();
    let mut other = Server::new(fixture.account);
    std::mem::swap(&mut *fixture.server.borrow_mut(), &mut other);
    let request = bulla_vault::transport::Request {
        method: bulla_vault::transport::Method::Post,
        path: path::REGISTER_FINISH,
        body: Some(&encode(&upload)),
    };
    fixture.server.borrow_mut().respond(&request);
    let error = recover(&fixture, None);
    assert!(matches!(error, Error::WrongPassword { .. }), "{error:?}");
}

/// V-4.1: a reflected request, and bytes that encode no valid group element.
#[test]
fn registration_rejects_invalid_elements() {
    let fixture = Fixture::new();
    let request = std::rc::Rc::new(std::cell::Cell::new([0; 32]));
    // The identity element, which OPAQUE forbids, and an invalid encoding.
    for element in [[0; 32], [0xFF; 32]] {
        let error = register(
            &fixture,
            at(path::REGISTER_START, move |started: &mut RegisterStarted| {
                started.response.0[..32].copy_from_slice(&element);
            }),
        );
        assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
        let error = register(
            &fixture,
            at(path::REGISTER_START, move |started: &mut RegisterStarted| {
                started.response.0[32..].copy_from_slice(&element);
            }),
        );
        assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
    }
    let error = register(
        &fixture,
        Some(Box::new({
            let server = fixture.server.clone();
            move |requested, response: &mut Response| {
                if requested == path::REGISTER_START {
                    // Reflect the last request that the server received.
                    let received = server.borrow().received.clone();
                    let start =
                        received.windows(9).rposition(|bytes| bytes == b"{\"reg_id\"").unwrap();
                    let sent: RegisterStart = decode(&received[start..]).unwrap();
                    request.set(sent.request.0);
                    let mut started: RegisterStarted = decode(&response.body).unwrap();
                    started.response.0[..32].copy_from_slice(&request.get());
                    response.body = encode(&started);
                }
            }
        })),
    );
    assert!(
        matches!(error, Error::ProtocolViolation { what } if what.contains("reflects")),
        "{error:?}"
    );
}

/// V-5.1
#[test]
fn login_rejects_a_bit_flip_in_ke2() {
    let fixture = Fixture::registered();
    for index in (0..320).step_by(7) {
        let error = recover(
            &fixture,
            at(path::LOGIN_START, move |started: &mut LoginStarted| started.ke2.0[index] ^= 1),
        );
        assert!(
            matches!(error, Error::WrongPassword { .. } | Error::ProtocolViolation { .. }),
            "byte {index}: {error:?}"
        );
        fixture.server.borrow_mut().current.as_mut().unwrap().left = 5;
    }
}

/// V-5.4, V-3.5
#[test]
fn login_rejects_a_bit_flip_in_the_sealed_reply() {
    let fixture = Fixture::registered();
    for index in (0..148).step_by(7) {
        let error = recover(
            &fixture,
            at(path::LOGIN_FINISH, move |finished: &mut LoginFinished| {
                finished.sealed.0[index] ^= 1
            }),
        );
        assert!(matches!(error, Error::ProtocolViolation { .. }), "byte {index}: {error:?}");
    }
    // The vault can seal a reply, but cannot replace the wrapped key in it.
    fixture.server.borrow_mut().current.as_mut().unwrap().content.wrapped_key.0[0] ^= 1;
    let error = recover(&fixture, None);
    assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
}

/// V-4.4: the login that confirms the registration detects the wrong key, and the old locator is
/// still stored.
#[test]
fn registration_detects_a_vault_that_stores_another_key() {
    let fixture = Fixture::registered();
    let server = fixture.server.clone();
    let error = register(
        &fixture,
        Some(Box::new(move |requested, response: &mut Response| {
            if requested == path::REGISTER_FINISH {
                server.borrow_mut().pending.as_mut().unwrap().content.wrapped_key.0[40] ^= 1;
                response.body =
                    encode(&RegisterFinished { state: RecordState::Pending, not_before: None });
            }
        })),
    );
    assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
    assert_eq!(fixture.files().read().unwrap().len(), 2);
}

/// V-2.2, V-2.6
#[test]
fn login_rejects_bodies_that_are_not_messages() {
    let fixture = Fixture::registered();
    let respond = |status, body: &[u8]| -> Option<Tamper> {
        let body = body.to_vec();
        Some(Box::new(move |requested, response| {
            if requested == path::LOGIN_START {
                *response = Response { status, body: body.clone() };
            }
        }))
    };
    let long = [b"{".to_vec(), vec![b' '; 5000], b"}".to_vec()].concat();
    for (status, body, expected) in [
        (200, &b""[..], DecodeError::Syntax { column: 0 }),
        (200, b"{", DecodeError::Syntax { column: 1 }),
        (200, b"{}", DecodeError::Field { column: 2 }),
        (200, &long, DecodeError::TooLong),
        (418, b"{}", DecodeError::Field { column: 2 }),
        (404, b"<html>", DecodeError::Syntax { column: 1 }),
    ] {
        let error = recover(&fixture, respond(status, body));
        assert!(
            matches!(error, Error::InvalidResponse(found) if found == expected),
            "{status}: {error:?}"
        );
    }
    let error = recover(&fixture, respond(404, br#"{"code":410}"#));
    assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
    let error = recover(&fixture, respond(502, b"<html>"));
    assert!(matches!(error, Error::Transport(TransportError::Lost { .. })), "{error:?}");
    for (code, is_expected) in [
        (404, (|error| matches!(error, Error::NoRecord)) as fn(&Error) -> bool),
        (410, |error| matches!(error, Error::Locked)),
        (401, |error| matches!(error, Error::Unauthorized)),
        (429, |error| matches!(error, Error::TooManyRequests { retry_after: None })),
        (403, |error| matches!(error, Error::WrongPassword { left: None })),
        (409, |error| matches!(error, Error::Refused(_))),
    ] {
        let error = recover(&fixture, respond(code, format!(r#"{{"code":{code}}}"#).as_bytes()));
        assert!(is_expected(&error), "{error:?}");
    }
}

/// V-3.3
#[test]
fn login_rejects_excessive_stretching_parameters() {
    let fixture = Fixture::registered();
    for excessive in [
        r#"{"passes":4294967295,"memory_kib":65536,"lanes":4}"#,
        r#"{"passes":1,"memory_kib":4194304,"lanes":4}"#,
        r#"{"passes":1,"memory_kib":65536,"lanes":64}"#,
    ] {
        let tamper: Option<Tamper> = Some(Box::new(move |_, response| {
            let body = String::from_utf8(response.body.clone()).unwrap();
            response.body =
                body.replace(r#"{"passes":1,"memory_kib":8,"lanes":1}"#, excessive).into_bytes();
        }));
        let error = recover(&fixture, tamper);
        assert!(matches!(error, Error::InvalidResponse(DecodeError::Field { .. })), "{error:?}");
        fixture.server.borrow_mut().current.as_mut().unwrap().left = 5;
    }
}
