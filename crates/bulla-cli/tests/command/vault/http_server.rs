//! An HTTP server for the in-memory vault.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use bulla_vault::messages::path;
use bulla_vault::transport::{Method, Request};

use super::server::Server;

pub(crate) struct HttpServer {
    pub(crate) address: String,
    server: Arc<Mutex<Server>>,
    stopped: Arc<AtomicBool>,
}

impl HttpServer {
    pub(crate) fn new(server: Server) -> HttpServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (server, stopped) = (Arc::new(Mutex::new(server)), Arc::new(AtomicBool::new(false)));
        let http_server = HttpServer { address, server: server.clone(), stopped: stopped.clone() };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    continue;
                }
                let (server, stream) = (server.clone(), stream.unwrap());
                thread::spawn(move || serve(stream, &server));
            }
        });
        http_server
    }

    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.server.lock().unwrap().public_key()
    }

    /// From now on, closes each new connection without a response.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

fn serve(mut stream: TcpStream, server: &Mutex<Server>) {
    while let Some((head, body)) = read_request(&mut stream) {
        let mut words = head.split(' ');
        let method = match words.next() {
            Some("GET") => Method::Get,
            Some("DELETE") => Method::Delete,
            _ => Method::Post,
        };
        let requested = words.next().unwrap().to_owned();
        let paths = [
            path::REGISTER_START,
            path::REGISTER_FINISH,
            path::LOGIN_START,
            path::LOGIN_FINISH,
            path::RECORD,
            path::STATUS,
            path::INFO,
        ];
        let path = paths.into_iter().find(|path| *path == requested).unwrap();
        assert!(path == path::INFO || head.contains("authorization: Bearer "), "{head}");
        let answer = server.lock().unwrap().respond(&Request { method, path, body: Some(&body) });
        let length = match answer.status {
            204 => String::new(),
            _ => format!("content-length: {}\r\n", answer.body.len()),
        };
        let head = format!("HTTP/1.1 {} -\r\n{length}\r\n", answer.status);
        if stream.write_all(&[head.as_bytes(), &answer.body].concat()).is_err() {
            return;
        }
    }
}

/// Reads a request's head and body. Returns `None` if the connection closes first.
fn read_request(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}
