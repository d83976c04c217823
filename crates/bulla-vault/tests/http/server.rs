//! A server that sends one scripted response after another.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

pub(crate) struct Server {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// A certificate authority, and a certificate that it issued for loopback.
pub(crate) struct Certificates {
    pub(crate) authority_pem: String,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificates {
    pub(crate) fn new() -> Certificates {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Certificates {
            authority_pem: issuer.pem(),
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        }
    }
}

/// How long a silent server keeps a connection open: much longer than any client in the tests
/// waits.
pub(crate) const SILENCE: Duration = Duration::from_secs(60);

impl Server {
    /// Starts a server without TLS. After an incomplete response, the client gives up the
    /// connection, and the next response is sent on a new one.
    pub(crate) fn plain(responses: Vec<Vec<u8>>) -> Server {
        Server::start("http", serve, responses)
    }

    /// Starts a server that accepts connections and sends nothing.
    pub(crate) fn silent() -> Server {
        let wait =
            |_: TcpStream, _: &Mutex<Vec<String>>, _: &mut Vec<Vec<u8>>| thread::sleep(SILENCE);
        Server::start("http", wait, vec![Vec::new()])
    }

    pub(crate) fn tls(
        certificates: &Certificates,
        versions: &[&'static SupportedProtocolVersion],
        responses: Vec<Vec<u8>>,
    ) -> Server {
        let key = PrivateKeyDer::Pkcs8(certificates.key.clone().into());
        let config =
            ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_protocol_versions(versions)
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificates.certificate.clone()], key)
                .unwrap();
        let config = Arc::new(config);
        let handle = move |stream: TcpStream,
                           requests: &Mutex<Vec<String>>,
                           responses: &mut Vec<Vec<u8>>| {
            let connection = ServerConnection::new(config.clone()).unwrap();
            serve(StreamOwned::new(connection, stream), requests, responses);
        };
        Server::start("https", handle, responses)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn start(
        scheme: &str,
        handle: impl Fn(TcpStream, &Mutex<Vec<String>>, &mut Vec<Vec<u8>>) + Send + 'static,
        mut responses: Vec<Vec<u8>>,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = requests.clone();
        // Without responses, the listener is dropped and connections are refused.
        if !responses.is_empty() {
            thread::spawn(move || {
                while !responses.is_empty() {
                    let Ok((stream, _)) = listener.accept() else { return };
                    handle(stream, &received, &mut responses);
                }
            });
        }
        Server { address, requests }
    }
}

fn serve(
    mut stream: impl Read + Write,
    requests: &Mutex<Vec<String>>,
    responses: &mut Vec<Vec<u8>>,
) {
    while !responses.is_empty() {
        let Some(request) = read_request(&mut stream) else { return };
        requests.lock().unwrap().push(request);
        if stream.write_all(&responses.remove(0)).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// Reads the head and body of a request. Returns `None` if the connection ends first.
fn read_request(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    let length = loop {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
        if bytes.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8(bytes.clone()).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            break length.map_or(0, |length| length.parse().unwrap());
        }
    };
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(String::from_utf8(bytes).unwrap())
}
