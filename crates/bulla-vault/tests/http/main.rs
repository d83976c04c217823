//! The transport over HTTP against servers that answer as they are told to.

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

/// Longer than any server here needs, however busy the machine.
const TIMEOUT: Duration = Duration::from_secs(60);

fn token() -> Token {
    let claims = Base64UrlUnpadded::encode_string(br#"{"iss":"a","sub":"b"}"#);
    Token::parse(&format!("e30.{claims}.c2ln")).unwrap()
}

fn call(address: &str, trust: &Trust, request: &Request<'_>) -> Result<Response, TransportError> {
    HttpTransport::with_timeout(address, token(), trust, TIMEOUT)?.send(request)
}

fn get(path: &'static str) -> Request<'static> {
    Request { method: Method::Get, path, body: None }
}

fn reply(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// V-2.1: method, path, token and body arrive, and the answer comes back, whatever its status.
#[test]
fn calls() {
    let server = Server::plain(vec![
        reply("200 OK", "{}"),
        reply("410 Gone", r#"{"code":410}"#),
        reply("204 No Content", ""),
        reply("200 OK", "{}"),
    ]);
    let mut transport = HttpTransport::new(&server.address, token(), &Trust::System).unwrap();
    let answer = transport.send(&get(path::STATUS)).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    let post = Request { method: Method::Post, path: path::LOGIN_START, body: Some(b"{\"a\":1}") };
    let answer = transport.send(&post).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (410, &br#"{"code":410}"#[..]));
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

/// V-2.2: no more is read than it takes to see that it is too long.
#[test]
fn longest_body() {
    let server = Server::plain(vec![reply("200 OK", &"x".repeat(1 << 20))]);
    let answer = call(&server.address, &Trust::System, &get(path::STATUS)).unwrap();
    assert_eq!(answer.body.len(), MAX_BODY_LEN + 1);
}

/// V-2.7: a redirection is an answer, and the token stays here.
#[test]
fn redirections_are_not_followed() {
    let elsewhere = Server::plain(vec![reply("200 OK", "{}")]);
    let moved =
        format!("HTTP/1.1 307 -\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", elsewhere.address);
    let server = Server::plain(vec![moved.into_bytes()]);
    assert_eq!(call(&server.address, &Trust::System, &get(path::STATUS)).unwrap().status, 307);
    assert!(elsewhere.requests().is_empty());
}

/// V-5.2: whatever is broken on the way may be tried again.
#[test]
fn lost() {
    let whole = reply("200 OK", "{\"a\":1}");
    for broken in [
        Vec::new(),
        b"HTTP/1.1 200".to_vec(),
        whole[..whole.len() - 1].to_vec(),
        b"nonsense\r\n\r\n".to_vec(),
    ] {
        let server = Server::plain(vec![broken.clone()]);
        let found = call(&server.address, &Trust::System, &get(path::STATUS));
        assert!(matches!(found, Err(TransportError::Lost { .. })), "{broken:?}: {found:?}");
    }
    // Nobody listens at the address of a server that is gone.
    let address = Server::plain(Vec::new()).address.clone();
    assert!(matches!(
        call(&address, &Trust::System, &get(path::STATUS)),
        Err(TransportError::Lost { .. })
    ));
}

/// V-2.7: a server that does not answer is not waited for without end.
#[test]
fn silent() {
    let server = Server::silent();
    let begun = Instant::now();
    let timeout = Duration::from_millis(200);
    let mut transport =
        HttpTransport::with_timeout(&server.address, token(), &Trust::System, timeout).unwrap();
    let found = transport.send(&get(path::STATUS));
    assert!(matches!(found, Err(TransportError::Lost { .. })), "{found:?}");
    assert!(begun.elapsed() < server::SILENCE, "it was the server that gave up");
}

/// V-2.7: TLS with a certificate of the authority that is trusted.
#[test]
fn tls() {
    let certificates = Certificates::new();
    let server =
        Server::tls(&certificates, &[&rustls::version::TLS13], vec![reply("200 OK", "{}")]);
    let trust = Trust::Authorities(certificates.authority_pem.into_bytes());
    let answer = call(&server.address, &trust, &get(path::STATUS)).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
}

/// V-2.7
#[test]
fn tls_1_2_is_refused() {
    let certificates = Certificates::new();
    let server =
        Server::tls(&certificates, &[&rustls::version::TLS12], vec![reply("200 OK", "{}")]);
    let trust = Trust::Authorities(certificates.authority_pem.into_bytes());
    let found = call(&server.address, &trust, &get(path::STATUS));
    assert!(matches!(found, Err(TransportError::Permanent { .. })), "{found:?}");
    assert!(server.requests().is_empty());
}

/// V-2.7: a certificate of another authority; the system's do not count where authorities are
/// given.
#[test]
fn certificate_of_a_stranger() {
    let (certificates, others) = (Certificates::new(), Certificates::new());
    let server =
        Server::tls(&certificates, &[&rustls::version::TLS13], vec![reply("200 OK", "{}")]);
    let found = call(
        &server.address,
        &Trust::Authorities(others.authority_pem.into_bytes()),
        &get(path::STATUS),
    );
    assert!(matches!(found, Err(TransportError::Permanent { .. })), "{found:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn no_authorities() {
    for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let trust = Trust::Authorities(pem.as_bytes().to_vec());
        let found = HttpTransport::new("https://localhost", token(), &trust);
        assert!(matches!(found, Err(TransportError::Permanent { .. })), "{pem}");
    }
}

#[test]
fn token_is_not_shown() {
    let transport = HttpTransport::new("http://127.0.0.1:1", token(), &Trust::System).unwrap();
    assert!(!format!("{transport:?}").contains(token().expose()));
}
