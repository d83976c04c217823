//! A transport over HTTP: with TLS 1.3, or without TLS on loopback (V-2.7).

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io, thread};

use rustls::crypto::{CryptoProvider, ring};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Body, http};
use zeroize::Zeroizing;

use crate::protocol::messages::path;
use crate::protocol::wire::MAX_BODY_LEN;
use crate::token::Token;
use crate::transport::{Method, Request, Response, Transport, TransportError};

/// Default limit on the time from the start of a request to the end of the response. A vault
/// normally responds within a second.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// Limit on the time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum length of an address in bytes.
const MAX_ADDRESS_LEN: usize = 512;

/// The certificate authorities that may vouch for a vault's TLS certificate.
///
/// TLS protects the token in transit. The client authenticates the vault by its pinned public key,
/// independently of TLS.
#[derive(Clone, Debug)]
pub enum Trust {
    /// The authorities that the operating system trusts.
    System,
    /// Only these authorities, given as PEM certificates.
    Authorities(Vec<u8>),
}

/// A transport to a vault over HTTP.
pub struct HttpTransport {
    agent: Agent,
    address: String,
    token: Token,
}

impl HttpTransport {
    /// Creates a transport to the vault at `address`, without connecting yet. An address consists
    /// of `https://`, a host and optionally a port. `http://` is accepted only for loopback.
    /// Redirects are not followed, so the token is never sent to another address.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError::Permanent`] if the address is invalid, or if no certificate
    /// authorities are found.
    pub fn new(
        address: &str,
        token: Token,
        trust: &Trust,
    ) -> Result<HttpTransport, TransportError> {
        Self::with_timeout(address, token, trust, CALL_TIMEOUT)
    }

    /// Creates a transport that limits each request to `timeout` instead of 20 seconds.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`HttpTransport::new`].
    pub fn with_timeout(
        address: &str,
        token: Token,
        trust: &Trust,
        timeout: Duration,
    ) -> Result<HttpTransport, TransportError> {
        let https = check_address(address)?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(tls13_only()))
            // Without TLS, skip loading the system's certificates, because that is slow.
            .root_certs(RootCerts::new_with_certs(&if https {
                certificates(trust)?
            } else {
                Vec::new()
            }))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .https_only(https)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("bulla/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(timeout)))
            .timeout_per_call(Some(timeout))
            .timeout_global(Some(timeout))
            .build()
            .new_agent();
        Ok(HttpTransport { agent, address: address.trim_end_matches('/').to_owned(), token })
    }

    fn try_send(&self, request: &Request<'_>) -> Result<Response, ureq::Error> {
        let url = format!("{}{}", self.address, request.path);
        // The info endpoint is public, so the request does not have to reveal the account.
        let bearer = (request.path != path::INFO)
            .then(|| Zeroizing::new(format!("Bearer {}", self.token.expose())));
        let body = request.body.unwrap_or_default();
        let response = match request.method {
            Method::Get => with_headers(self.agent.get(url), bearer).call(),
            Method::Post => with_headers(self.agent.post(url), bearer).send(body),
            Method::Delete => {
                with_headers(self.agent.delete(url).force_send_body(), bearer).send(body)
            }
        };
        read_response(response?)
    }
}

impl Transport for HttpTransport {
    fn send(&mut self, request: &Request<'_>) -> Result<Response, TransportError> {
        self.try_send(request).map_err(transport_error)
    }

    fn sleep(&mut self, duration: Duration) {
        thread::sleep(duration);
    }
}

fn with_headers<B>(
    request: ureq::RequestBuilder<B>,
    bearer: Option<Zeroizing<String>>,
) -> ureq::RequestBuilder<B> {
    let request =
        request.header("content-type", "application/json").header("accept", "application/json");
    match bearer {
        Some(bearer) => request.header("authorization", bearer.as_str()),
        None => request,
    }
}

fn read_response(response: http::Response<Body>) -> Result<Response, ureq::Error> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    let mut reader = io::Read::take(response.into_body().into_reader(), MAX_BODY_LEN as u64 + 1);
    io::Read::read_to_end(&mut reader, &mut body)?;
    Ok(Response { status, body })
}

/// Checks an address, and returns whether it uses TLS.
fn check_address(address: &str) -> Result<bool, TransportError> {
    let permanent = |reason: &str| TransportError::Permanent { reason: reason.to_owned() };
    if address.len() > MAX_ADDRESS_LEN {
        return Err(permanent("address too long"));
    }
    let uri: http::Uri = address.parse().map_err(|_| permanent("invalid address"))?;
    let host = uri.host().ok_or_else(|| permanent("invalid address: no host"))?;
    let bare = uri.path() == "/" && uri.query().is_none() && !address.contains(['@', '#', '?']);
    if !bare {
        return Err(permanent("invalid address: must have only a scheme, a host and a port"));
    }
    match uri.scheme_str() {
        Some("https") => Ok(true),
        Some("http") if is_loopback(host) => Ok(false),
        Some("http") => Err(permanent("http:// is allowed only on loopback; use https://")),
        _ => Err(permanent("invalid address: must begin with https://")),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns ring's provider without the TLS 1.2 cipher suites, so that servers without TLS 1.3 are
/// rejected.
fn tls13_only() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.cipher_suites.retain(|suite| suite.tls13().is_some());
    provider
}

fn certificates(trust: &Trust) -> Result<Vec<Certificate<'static>>, TransportError> {
    let permanent = |reason: &str| TransportError::Permanent { reason: reason.to_owned() };
    let found: Vec<_> = match trust {
        Trust::System => {
            let loaded = rustls_native_certs::load_native_certs();
            loaded
                .certs
                .iter()
                .map(|certificate| Certificate::from_der(certificate).to_owned())
                .collect()
        }
        Trust::Authorities(pem) => parse_pem(pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                Ok(_) => None,
                Err(_) => Some(Err(permanent("certificate authorities are not valid PEM"))),
            })
            .collect::<Result<_, _>>()?,
    };
    if found.is_empty() {
        Err(permanent("no trusted certificate authorities found"))
    } else {
        Ok(found)
    }
}

fn transport_error(error: ureq::Error) -> TransportError {
    use ureq::Error::*;
    let permanent = match &error {
        Rustls(error) => is_rejection(error),
        // Handshake errors are wrapped in I/O errors.
        Io(error) => {
            error.get_ref().and_then(|inner| inner.downcast_ref()).is_some_and(is_rejection)
        }
        Http(_) | BadUri(_) | InvalidProxyUrl | Tls(_) | Pem(_) | RequireHttpsOnly(_) => true,
        _ => false,
    };
    let reason = error.to_string();
    if permanent { TransportError::Permanent { reason } } else { TransportError::Lost { reason } }
}

/// Returns whether one side rejected the other, in which case retrying cannot help.
fn is_rejection(error: &rustls::Error) -> bool {
    use rustls::Error::*;
    matches!(
        error,
        InvalidCertificate(_)
            | NoCertificatesPresented
            | UnsupportedNameType
            | PeerIncompatible(_)
            | AlertReceived(_)
    )
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpTransport({}, {:?})", self.address, self.token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V-2.7
    #[test]
    fn requires_a_bare_address_and_tls_unless_on_loopback() {
        for good in [
            "https://vault.example",
            "https://vault.example/",
            "https://vault.example:8443",
            "https://[2001:db8::1]",
        ] {
            assert_eq!(check_address(good), Ok(true), "{good}");
        }
        for good in
            ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost:1", "http://127.8.9.1"]
        {
            assert_eq!(check_address(good), Ok(false), "{good}");
        }
        for bad in [
            "",
            "vault.example",
            "ftp://vault.example",
            "http://vault.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "https://",
            "https://vault.example/path",
            "https://vault.example/?query",
            "https://user@vault.example",
            "https://vault.example#fragment",
            "https://vault example",
            &format!("https://{}.example", "x".repeat(600)),
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }
}
