//! A server that answers one request after another with the bytes that it was given.

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

/// An authority, and a certificate of it for loopback.
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

/// How long a silent server keeps a connection: much longer than whoever tries one waits.
pub(crate) const SILENCE: Duration = Duration::from_secs(60);

impl Server {
    /// Closes each connection at the end of an answer that is no whole one, else goes on in it.
    pub(crate) fn plain(answers: Vec<Vec<u8>>) -> Server {
        Server::start("http", serve, answers)
    }

    /// Takes connections and says nothing.
    pub(crate) fn silent() -> Server {
        let wait =
            |_: TcpStream, _: &Mutex<Vec<String>>, _: &mut Vec<Vec<u8>>| thread::sleep(SILENCE);
        Server::start("http", wait, vec![Vec::new()])
    }

    pub(crate) fn tls(
        certificates: &Certificates,
        versions: &[&'static SupportedProtocolVersion],
        answers: Vec<Vec<u8>>,
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
        let handle =
            move |stream: TcpStream, requests: &Mutex<Vec<String>>, answers: &mut Vec<Vec<u8>>| {
                let connection = ServerConnection::new(config.clone()).unwrap();
                serve(StreamOwned::new(connection, stream), requests, answers);
            };
        Server::start("https", handle, answers)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn start(
        scheme: &str,
        handle: impl Fn(TcpStream, &Mutex<Vec<String>>, &mut Vec<Vec<u8>>) + Send + 'static,
        mut answers: Vec<Vec<u8>>,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let written = requests.clone();
        // Without answers the listener goes, and nobody listens.
        if !answers.is_empty() {
            thread::spawn(move || {
                while !answers.is_empty() {
                    let Ok((stream, _)) = listener.accept() else { return };
                    handle(stream, &written, &mut answers);
                }
            });
        }
        Server { address, requests }
    }
}

fn serve(mut stream: impl Read + Write, requests: &Mutex<Vec<String>>, answers: &mut Vec<Vec<u8>>) {
    while !answers.is_empty() {
        let Some(request) = read_request(&mut stream) else { return };
        requests.lock().unwrap().push(request);
        if stream.write_all(&answers.remove(0)).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// Head and body of one request; none if the connection ends before.
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
