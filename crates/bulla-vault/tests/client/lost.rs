//! Requests and replies that are lost on their way.

use std::time::Duration;

use bulla_vault::messages::{Code, Failure};
use bulla_vault::transport::{Response, TransportError};
use bulla_vault::wire::encode;
use bulla_vault::{Error, Registered};

use crate::sample::{Sample, password, terms};
use crate::wire::Tamper;
use crate::wire::Weather::{Fair, ReplyLost, RequestLost};

/// V-4.2: whatever is lost of a registration, there is one record, its guesses untouched.
#[test]
fn registration() {
    for (lost, at) in
        [RequestLost, ReplyLost].into_iter().flat_map(|lost| (0..4).map(move |at| (lost, at)))
    {
        let sample = Sample::new();
        let mut client = sample.client();
        client.transport().weather = [vec![Fair; at], vec![lost; 4]].concat();
        let registered =
            client.register(&password("first"), &sample.key, &mut sample.files(), &terms());
        assert_eq!(registered.unwrap(), Registered::Active, "{lost:?} at call {at}");
        let server = sample.server.borrow();
        assert!(server.pending.is_none());
        assert_eq!(server.current.as_ref().unwrap().left, 5);
        assert_eq!(server.evaluations, 1, "{lost:?} at call {at}");
    }
}

/// V-5.2: a login whose replies are lost costs one guess.
#[test]
fn login() {
    // The first call asks for the status.
    for weather in [
        vec![ReplyLost; 4],
        [vec![Fair], vec![ReplyLost; 4]].concat(),
        [vec![Fair], vec![RequestLost; 4]].concat(),
        [vec![Fair; 2], vec![ReplyLost; 4]].concat(),
        [vec![Fair; 2], vec![RequestLost; 4]].concat(),
    ] {
        let sample = Sample::registered();
        let mut client = sample.client();
        client.transport().weather = weather.clone();
        let recovered =
            client.recover(&password("first"), &sample.files().read().unwrap()).unwrap();
        assert_eq!(recovered.key.expose(), sample.key.expose());
        assert_eq!(recovered.failures, 0);
        assert_eq!(sample.server.borrow().evaluations, 2, "{weather:?}");
    }
}

/// V-5.2: a wrong password costs one, too, however often it is sent.
#[test]
fn wrong_password() {
    let sample = Sample::registered();
    let mut client = sample.client();
    client.transport().weather = [vec![Fair], vec![ReplyLost; 4]].concat();
    let refused = client.recover(&password("second"), &sample.files().read().unwrap());
    assert!(matches!(refused, Err(Error::WrongPassword { left: Some(4) })));
}

/// V-5.2: the client gives up, after longer and longer waits.
#[test]
fn given_up() {
    let sample = Sample::registered();
    let mut client = sample.client();
    client.transport().weather = [vec![Fair], vec![ReplyLost; 100]].concat();
    let refused = client.recover(&password("first"), &sample.files().read().unwrap());
    assert!(matches!(refused, Err(Error::Transport(TransportError::Lost { .. }))));
    assert_eq!(client.transport().waits, [250, 500, 1000, 2000].map(Duration::from_millis));
    assert_eq!(sample.server.borrow().current.as_ref().unwrap().left, 4, "one guess in all");
}

/// Answers so to the first calls, then leaves the answers as they are.
fn busy(times: u32, retry_after: Option<u32>) -> Tamper {
    let mut left = times;
    Box::new(move |_, answer| {
        if left > 0 {
            left -= 1;
            let failure = Failure { retry_after, ..Failure::new(Code::Unavailable) };
            *answer = Response { status: 503, body: encode(&failure) };
        }
    })
}

/// V-2.6: a vault without a quorum is asked again, after the time that it says, if that is short.
#[test]
fn unavailable() {
    let sample = Sample::registered();
    let mut client = sample.client();
    client.transport().tamper = Some(busy(2, Some(3)));
    client.status().unwrap();
    assert_eq!(client.transport().waits, [Duration::from_secs(3); 2]);

    let mut client = sample.client();
    client.transport().tamper = Some(busy(1, Some(11)));
    assert!(
        matches!(client.status(), Err(Error::Refused(failure)) if failure.code == Code::Unavailable)
    );
    assert_eq!(client.transport().waits, []);
}
