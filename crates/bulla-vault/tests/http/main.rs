//! The HTTP transport against servers with scripted responses.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod server;

use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use bulla_vault::Token;
use bulla_vault::http::{HttpTransport, Trust};
use bulla_vault::messages::path;
use bulla_vault::transport::{Method, Request, Response, Transport, TransportError};
use bulla_vault::wire::MAX_BODY_LEN;
use server::{Certificates, Server};

/// Longer than any server in these tests takes to respond, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

fn token() -> Token {
    let claims = Base64UrlUnpadded::encode_string(br#"{"iss":"a","sub":"b"}"#);
    Token::parse(&format!("e30.{claims}.c2ln")).unwrap()
}

fn send(address: &str, trust: &Trust, request: &Request<'_>) -> Result<Response, TransportError> {
    HttpTransport::with_timeout(address, token(), trust, TIMEOUT)?.send(request)
}

fn get(path: &'static str) -> Request<'static> {
    Request { method: Method::Get, path, body: None }
}

fn response(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// V-2.1: a response is returned whatever its status.
#[test]
fn sends_method_path_token_and_body() {
    let server = Server::plain(vec![
        response("200 OK", "{}"),
        response("410 Gone", r#"{"code":410}"#),
        response("204 No Content", ""),
        response("200 OK", "{}"),
    ]);
    let mut transport = HttpTransport::new(&server.address, token(), &Trust::System).unwrap();
    let received = transport.send(&get(path::STATUS)).unwrap();
    assert_eq!((received.status, &received.body[..]), (200, &b"{}"[..]));
    let post = Request { method: Method::Post, path: path::LOGIN_START, body: Some(b"{\"a\":1}") };
    let received = transport.send(&post).unwrap();
    assert_eq!((received.status, &received.body[..]), (410, &br#"{"code":410}"#[..]));
    let delete = Request { method: Method::Delete, path: path::RECORD, body: Some(b"{\"b\":2}") };
    assert_eq!(transport.send(&delete).unwrap().status, 204);
    transport.send(&get(path::INFO)).unwrap();

    let requests = server.requests();
    let bearer = format!("authorization: Bearer {}", token().expose());
    assert!(
        requests[0].starts_with("GET /v1/status HTTP/1.1\r\n") && requests[0].contains(&bearer)
    );
    assert!(
        requests[1].starts_with("POST /v1/login/start HTTP/1.1\r\n")
            && requests[1].contains(&bearer)
    );
    assert!(
        requests[1].ends_with("\r\n\r\n{\"a\":1}")
            && requests[1].contains("content-type: application/json")
    );
    assert!(
        requests[2].starts_with("DELETE /v1/record HTTP/1.1\r\n")
            && requests[2].ends_with("{\"b\":2}")
    );
    assert!(
        requests[3].starts_with("GET /v1/info HTTP/1.1\r\n")
            && !requests[3].contains("authorization")
    );
}

/// V-2.2
#[test]
fn reads_at_most_one_byte_beyond_the_limit() {
    let server = Server::plain(vec![response("200 OK", &"x".repeat(1 << 20))]);
    let received = send(&server.address, &Trust::System, &get(path::STATUS)).unwrap();
    assert_eq!(received.body.len(), MAX_BODY_LEN + 1);
}

/// V-2.7: the redirect itself is the response, and the token is not sent elsewhere.
#[test]
fn redirects_are_not_followed() {
    let elsewhere = Server::plain(vec![response("200 OK", "{}")]);
    let moved =
        format!("HTTP/1.1 307 -\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", elsewhere.address);
    let server = Server::plain(vec![moved.into_bytes()]);
    assert_eq!(send(&server.address, &Trust::System, &get(path::STATUS)).unwrap().status, 307);
    assert!(elsewhere.requests().is_empty());
}

/// V-5.2: the errors allow the client to retry.
#[test]
fn broken_responses_and_refused_connections_are_reported_as_lost() {
    let whole = response("200 OK", "{\"a\":1}");
    for broken in [
        Vec::new(),
        b"HTTP/1.1 200".to_vec(),
        whole[..whole.len() - 1].to_vec(),
        b"nonsense\r\n\r\n".to_vec(),
    ] {
        let server = Server::plain(vec![broken.clone()]);
        let found = send(&server.address, &Trust::System, &get(path::STATUS));
        assert!(matches!(found, Err(TransportError::Lost { .. })), "{broken:?}: {found:?}");
    }
    // No server listens at this address any more.
    let address = Server::plain(Vec::new()).address.clone();
    assert!(matches!(
        send(&address, &Trust::System, &get(path::STATUS)),
        Err(TransportError::Lost { .. })
    ));
}

/// V-2.7
#[test]
fn times_out_if_the_server_does_not_respond() {
    let server = Server::silent();
    let start = Instant::now();
    let timeout = Duration::from_millis(200);
    let mut transport =
        HttpTransport::with_timeout(&server.address, token(), &Trust::System, timeout).unwrap();
    let found = transport.send(&get(path::STATUS));
    assert!(matches!(found, Err(TransportError::Lost { .. })), "{found:?}");
    assert!(start.elapsed() < server::SILENCE, "the server gave up first");
}

/// V-2.7
#[test]
fn accepts_a_certificate_from_a_trusted_authority() {
    let certificates = Certificates::new();
    let server =
        Server::tls(&certificates, &[&rustls::version::TLS13], vec![response("200 OK", "{}")]);
    let trust = Trust::Authorities(certificates.authority_pem.into_bytes());
    let received = send(&server.address, &trust, &get(path::STATUS)).unwrap();
    assert_eq!((received.status, &received.body[..]), (200, &b"{}"[..]));
}

/// V-2.7
#[test]
fn rejects_tls_1_2() {
    let certificates = Certificates::new();
    let server =
        Server::tls(&certificates, &[&rustls::version::TLS12], vec![response("200 OK", "{}")]);
    let trust = Trust::Authorities(certificates.authority_pem.into_bytes());
    let found = send(&server.address, &trust, &get(path::STATUS));
    assert!(matches!(found, Err(TransportError::Permanent { .. })), "{found:?}");
    assert!(server.requests().is_empty());
}

/// V-2.7: explicitly given authorities replace the system's.
#[test]
fn rejects_a_certificate_from_another_authority() {
    let (certificates, others) = (Certificates::new(), Certificates::new());
    let server =
        Server::tls(&certificates, &[&rustls::version::TLS13], vec![response("200 OK", "{}")]);
    let found = send(
        &server.address,
        &Trust::Authorities(others.authority_pem.into_bytes()),
        &get(path::STATUS),
    );
    assert!(matches!(found, Err(TransportError::Permanent { .. })), "{found:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn rejects_a_file_without_authorities() {
    for pem in ["", "not PEM", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let trust = Trust::Authorities(pem.as_bytes().to_vec());
        let found = HttpTransport::new("https://localhost", token(), &trust);
        assert!(matches!(found, Err(TransportError::Permanent { .. })), "{pem}");
    }
}

#[test]
fn debug_output_hides_the_token() {
    let transport = HttpTransport::new("http://127.0.0.1:1", token(), &Trust::System).unwrap();
    assert!(!format!("{transport:?}").contains(token().expose()));
}
