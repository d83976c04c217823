//! Lost requests and responses.

use std::time::Duration;

use bulla_vault::messages::{Code, Failure};
use bulla_vault::transport::{Response, TransportError};
use bulla_vault::wire::encode;
use bulla_vault::{Error, Registered};

use crate::fixture::{Fixture, options, password};
use crate::transport::Delivery::{Delivered, RequestLost, ResponseLost};
use crate::transport::Tamper;

/// V-4.2
#[test]
fn retried_registration_creates_one_record_with_all_guesses() {
    for (lost, at) in
        [RequestLost, ResponseLost].into_iter().flat_map(|lost| (0..4).map(move |at| (lost, at)))
    {
        let fixture = Fixture::new();
        let mut client = fixture.client();
        client.transport_mut().deliveries = [vec![Delivered; at], vec![lost; 4]].concat();
        let registered =
            client.register(&password("first"), &fixture.key, &mut fixture.files(), &options());
        assert_eq!(registered.unwrap(), Registered::Active, "{lost:?} at request {at}");
        let server = fixture.server.borrow();
        assert!(server.pending.is_none());
        assert_eq!(server.current.as_ref().unwrap().left, 5);
        assert_eq!(server.evaluations, 1, "{lost:?} at request {at}");
    }
}

/// V-5.2
#[test]
fn retried_login_costs_one_guess() {
    // The first request is for the status.
    for deliveries in [
        vec![ResponseLost; 4],
        [vec![Delivered], vec![ResponseLost; 4]].concat(),
        [vec![Delivered], vec![RequestLost; 4]].concat(),
        [vec![Delivered; 2], vec![ResponseLost; 4]].concat(),
        [vec![Delivered; 2], vec![RequestLost; 4]].concat(),
    ] {
        let fixture = Fixture::registered();
        let mut client = fixture.client();
        client.transport_mut().deliveries = deliveries.clone();
        let recovered =
            client.recover(&password("first"), &fixture.files().read().unwrap()).unwrap();
        assert_eq!(recovered.key.expose(), fixture.key.expose());
        assert_eq!(recovered.failures, 0);
        assert_eq!(fixture.server.borrow().evaluations, 2, "{deliveries:?}");
    }
}

/// V-5.2
#[test]
fn retried_login_with_a_wrong_password_costs_one_guess() {
    let fixture = Fixture::registered();
    let mut client = fixture.client();
    client.transport_mut().deliveries = [vec![Delivered], vec![ResponseLost; 4]].concat();
    let refused = client.recover(&password("second"), &fixture.files().read().unwrap());
    assert!(matches!(refused, Err(Error::WrongPassword { left: Some(4) })));
}

/// V-5.2: the wait doubles with each retry until the client gives up.
#[test]
fn gives_up_after_four_retries() {
    let fixture = Fixture::registered();
    let mut client = fixture.client();
    client.transport_mut().deliveries = [vec![Delivered], vec![ResponseLost; 100]].concat();
    let refused = client.recover(&password("first"), &fixture.files().read().unwrap());
    assert!(matches!(refused, Err(Error::Transport(TransportError::Lost { .. }))));
    assert_eq!(client.transport_mut().waits, [250, 500, 1000, 2000].map(Duration::from_millis));
    assert_eq!(fixture.server.borrow().current.as_ref().unwrap().left, 4, "one guess in total");
}

/// Replaces the first `times` responses with status 503, and leaves the others unchanged.
fn unavailable(times: u32, retry_after: Option<u32>) -> Tamper {
    let mut left = times;
    Box::new(move |_, response| {
        if left > 0 {
            left -= 1;
            let failure = Failure { retry_after, ..Failure::new(Code::Unavailable) };
            *response = Response { status: 503, body: encode(&failure) };
        }
    })
}

/// V-2.6: the client retries after `retry_after`, unless that is too long.
#[test]
fn retries_while_the_vault_is_unavailable() {
    let fixture = Fixture::registered();
    let mut client = fixture.client();
    client.transport_mut().tamper = Some(unavailable(2, Some(3)));
    client.status().unwrap();
    assert_eq!(client.transport_mut().waits, [Duration::from_secs(3); 2]);

    let mut client = fixture.client();
    client.transport_mut().tamper = Some(unavailable(1, Some(11)));
    assert!(
        matches!(client.status(), Err(Error::Refused(failure)) if failure.code == Code::Unavailable)
    );
    assert_eq!(client.transport_mut().waits, []);
}
