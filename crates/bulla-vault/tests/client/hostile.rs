//! A vault, or somebody on the way to it, that does not keep to the protocol.

use bulla_vault::messages::*;
use bulla_vault::suite::Suite;
use bulla_vault::transport::{Response, TransportError};
use bulla_vault::wire::{DecodeError, decode, encode};
use bulla_vault::{Error, VaultIdentity};
use opaque_ke::ServerSetup;
use rand_core::OsRng;

use crate::sample::{Sample, password, terms};
use crate::server::Server;

type Tamper = Box<dyn FnMut(&str, &mut Response)>;

/// Changes the reply to one call.
fn at<T: serde::Serialize + serde::de::DeserializeOwned + 'static>(
    path: &'static str,
    change: impl Fn(&mut T) + 'static,
) -> Option<Tamper> {
    Some(Box::new(move |called, answer| {
        if called == path {
            let mut message: T = decode(&answer.body).unwrap();
            change(&mut message);
            answer.body = encode(&message);
        }
    }))
}

fn register(sample: &Sample, tamper: Option<Tamper>) -> Error {
    let mut client = sample.client();
    client.transport().tamper = tamper;
    client.register(&password("second"), &sample.key, &mut sample.files(), &terms()).unwrap_err()
}

fn recover(sample: &Sample, tamper: Option<Tamper>) -> Error {
    let mut client = sample.client();
    client.transport().tamper = tamper;
    client.recover(&password("first"), &sample.files().read().unwrap()).unwrap_err()
}

fn other_public_key() -> [u8; 32] {
    ServerSetup::<Suite>::new(&mut OsRng).keypair().public().serialize().into()
}

/// V-3.6: a registration with another vault than the pinned one ends before anything is uploaded.
#[test]
fn another_public_key_at_a_registration() {
    let sample = Sample::new();
    let other = other_public_key();
    let error = register(
        &sample,
        at(path::REGISTER_START, move |started: &mut RegisterStarted| {
            started.response.0[32..].copy_from_slice(&other);
        }),
    );
    assert!(matches!(error, Error::VaultMismatch), "{error:?}");
    assert!(sample.server.borrow().pending.is_none());
    assert!(sample.files().read().unwrap().is_empty());
}

/// V-3.6: and one that was registered with another vault gives no proof to it.
#[test]
fn another_public_key_at_a_login() {
    let sample = Sample::registered();
    let vault = VaultIdentity { public_key: other_public_key(), ..sample.vault.clone() };
    let mut client = bulla_vault::Client::new(
        crate::wire::Wire::new(&sample.server, &crate::wire::Life::of(99)),
        vault,
        sample.account,
    );
    let kept = sample.files().read().unwrap().remove(0);
    let bare = bulla_key::Locator::new(*kept.registration(), kept.pepper());
    let error = client.recover(&password("first"), &[bare]).unwrap_err();
    assert!(matches!(error, Error::VaultMismatch), "{error:?}");
    assert_eq!(
        sample.server.borrow().current.as_ref().unwrap().left,
        4,
        "it was counted, and never proven"
    );
    assert!(matches!(client.info(), Err(Error::VaultMismatch)));
    assert!(sample.client().info().is_ok());
}

/// V-3.6: a vault that has nothing of the registration cannot pass for one that has.
#[test]
fn another_vault_altogether() {
    let sample = Sample::registered();
    let upload = sample.server.borrow().current.as_ref().unwrap().content.clone();
    let mut other = Server::new(sample.account);
    std::mem::swap(&mut *sample.server.borrow_mut(), &mut other);
    // With the record, stolen, and without the keys.
    let call = bulla_vault::transport::Request {
        method: bulla_vault::transport::Method::Post,
        path: path::REGISTER_FINISH,
        body: Some(&encode(&upload)),
    };
    sample.server.borrow_mut().respond(&call);
    let error = recover(&sample, None);
    assert!(matches!(error, Error::WrongPassword { .. }), "{error:?}");
}

/// V-4.1: what is sent back as it came, and what is no element.
#[test]
fn bad_elements() {
    let sample = Sample::new();
    let request = std::rc::Rc::new(std::cell::Cell::new([0; 32]));
    // The identity is no element of OPAQUE's messages, nor is what encodes nothing.
    for element in [[0; 32], [0xFF; 32]] {
        let error = register(
            &sample,
            at(path::REGISTER_START, move |started: &mut RegisterStarted| {
                started.response.0[..32].copy_from_slice(&element);
            }),
        );
        assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
        let error = register(
            &sample,
            at(path::REGISTER_START, move |started: &mut RegisterStarted| {
                started.response.0[32..].copy_from_slice(&element);
            }),
        );
        assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
    }
    let error = register(
        &sample,
        Some(Box::new({
            let server = sample.server.clone();
            move |called, answer: &mut Response| {
                if called == path::REGISTER_START {
                    // The request is the last that the server was sent.
                    let received = server.borrow().received.clone();
                    let begin =
                        received.windows(9).rposition(|bytes| bytes == b"{\"reg_id\"").unwrap();
                    let sent: RegisterStart = decode(&received[begin..]).unwrap();
                    request.set(sent.request.0);
                    let mut started: RegisterStarted = decode(&answer.body).unwrap();
                    started.response.0[..32].copy_from_slice(&request.get());
                    answer.body = encode(&started);
                }
            }
        })),
    );
    assert!(
        matches!(error, Error::ProtocolViolation { what } if what.contains("reflects")),
        "{error:?}"
    );
}

/// V-5.1: every bit of the second message counts.
#[test]
fn second_message_flipped() {
    let sample = Sample::registered();
    for at_byte in (0..320).step_by(7) {
        let error = recover(
            &sample,
            at(path::LOGIN_START, move |started: &mut LoginStarted| started.ke2.0[at_byte] ^= 1),
        );
        assert!(
            matches!(error, Error::WrongPassword { .. } | Error::ProtocolViolation { .. }),
            "byte {at_byte}: {error:?}"
        );
        sample.server.borrow_mut().current.as_mut().unwrap().left = 5;
    }
}

/// V-5.4, V-3.5: and of what the login releases.
#[test]
fn released_reply_flipped() {
    let sample = Sample::registered();
    for at_byte in (0..148).step_by(7) {
        let error = recover(
            &sample,
            at(path::LOGIN_FINISH, move |finished: &mut LoginFinished| {
                finished.sealed.0[at_byte] ^= 1
            }),
        );
        assert!(matches!(error, Error::ProtocolViolation { .. }), "byte {at_byte}: {error:?}");
    }
    // The vault itself, which can seal, cannot exchange the key.
    sample.server.borrow_mut().current.as_mut().unwrap().content.wrapped_key.0[0] ^= 1;
    let error = recover(&sample, None);
    assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
}

/// V-4.4: a vault that swaps what was registered for something else is found out by the login that
/// proves the registration, and the old locator is still there.
#[test]
fn registered_something_else() {
    let sample = Sample::registered();
    let server = sample.server.clone();
    let error = register(
        &sample,
        Some(Box::new(move |called, answer: &mut Response| {
            if called == path::REGISTER_FINISH {
                server.borrow_mut().pending.as_mut().unwrap().content.wrapped_key.0[40] ^= 1;
                answer.body =
                    encode(&RegisterFinished { state: RecordState::Pending, not_before: None });
            }
        })),
    );
    assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
    assert_eq!(sample.files().read().unwrap().len(), 2);
}

/// V-2.2, V-2.6: bodies that are no messages.
#[test]
fn no_messages() {
    let sample = Sample::registered();
    let answer = |status, body: &[u8]| -> Option<Tamper> {
        let body = body.to_vec();
        Some(Box::new(move |called, answer| {
            if called == path::LOGIN_START {
                *answer = Response { status, body: body.clone() };
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
        let error = recover(&sample, answer(status, body));
        assert!(
            matches!(error, Error::InvalidResponse(found) if found == expected),
            "{status}: {error:?}"
        );
    }
    let error = recover(&sample, answer(404, br#"{"code":410}"#));
    assert!(matches!(error, Error::ProtocolViolation { .. }), "{error:?}");
    let error = recover(&sample, answer(502, b"<html>"));
    assert!(matches!(error, Error::Transport(TransportError::Lost { .. })), "{error:?}");
    for (code, is_it) in [
        (404, (|error| matches!(error, Error::NoRecord)) as fn(&Error) -> bool),
        (410, |error| matches!(error, Error::Locked)),
        (401, |error| matches!(error, Error::Unauthorized)),
        (429, |error| matches!(error, Error::TooManyRequests { retry_after: None })),
        (403, |error| matches!(error, Error::WrongPassword { left: None })),
        (409, |error| matches!(error, Error::Refused(_))),
    ] {
        let error = recover(&sample, answer(code, format!(r#"{{"code":{code}}}"#).as_bytes()));
        assert!(is_it(&error), "{error:?}");
    }
}

/// V-3.3: no vault makes a client work or allocate without end.
#[test]
fn stretching_without_end() {
    let sample = Sample::registered();
    for costly in [
        r#"{"passes":4294967295,"memory_kib":65536,"lanes":4}"#,
        r#"{"passes":1,"memory_kib":4194304,"lanes":4}"#,
        r#"{"passes":1,"memory_kib":65536,"lanes":64}"#,
    ] {
        let tamper: Option<Tamper> = Some(Box::new(move |_, answer| {
            let body = String::from_utf8(answer.body.clone()).unwrap();
            answer.body =
                body.replace(r#"{"passes":1,"memory_kib":8,"lanes":1}"#, costly).into_bytes();
        }));
        let error = recover(&sample, tamper);
        assert!(matches!(error, Error::InvalidResponse(DecodeError::Field { .. })), "{error:?}");
        sample.server.borrow_mut().current.as_mut().unwrap().left = 5;
    }
}
