//! A tool that answers as a test wants and keeps the raw bytes of what it got.

use super::wait_for;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request, byte for byte.
#[derive(Debug, Clone)]
pub struct Got {
    pub head: String,
    pub body: Vec<u8>,
}

impl Got {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header, its name compared letter by letter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.split_once(": ").filter(|(own, _)| *own == name).map(|(_, value)| value))
    }
}

/// What the tool answers to a request, by its number from 0.
pub type Script = dyn Fn(usize, &Got) -> String + Send + Sync;

/// A listening tool.
pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Vec<Got>>>,
}

/// An answer with a status and further header lines.
pub fn status(code: u16, lines: &str) -> String {
    format!("HTTP/1.1 {code} Status\r\n{lines}Content-Length: 0\r\n\r\n")
}

impl Receiver {
    /// A tool that is content with everything.
    pub fn content() -> Self {
        Self::scripted(|_| status(200, ""))
    }

    /// A tool that answers by a script; an empty answer closes the connection.
    pub fn scripted(script: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        Self::answering(move |number, _| script(number))
    }

    /// A tool that answers by what it got; an empty answer closes the connection.
    pub fn answering(script: impl Fn(usize, &Got) -> String + Send + Sync + 'static) -> Self {
        Self::on(&TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// A content tool at an address.
    pub fn at(address: SocketAddr) -> Self {
        Self::on(&TcpListener::bind(address).unwrap(), |_, _| status(200, ""))
    }

    /// A tool at an address that answers by what it got.
    pub fn answering_at(address: SocketAddr, script: impl Fn(usize, &Got) -> String + Send + Sync + 'static) -> Self {
        Self::on(&TcpListener::bind(address).unwrap(), script)
    }

    fn on(listener: &TcpListener, script: impl Fn(usize, &Got) -> String + Send + Sync + 'static) -> Self {
        let listener = listener.try_clone().unwrap();
        let url = format!("http://{}/tool", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let (shared, script): (_, Arc<Script>) = (Arc::clone(&got), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (got, script) = (Arc::clone(&shared), Arc::clone(&script));
                std::thread::spawn(move || serve(stream, &got, &*script));
            }
        });
        Self { url, got }
    }

    /// What came so far.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub fn wait_for(&self, count: usize) -> Vec<Got> {
        wait_for(&format!("{count} requests at the tool"), || {
            let got = self.got();
            (got.len() >= count).then_some(got)
        })
    }
}

fn serve(mut stream: TcpStream, got: &Mutex<Vec<Got>>, script: &Script) {
    while let Some(request) = read(&mut stream) {
        let number = {
            let mut got = got.lock().unwrap();
            got.push(request.clone());
            got.len() - 1
        };
        let answer = script(number, &request);
        if answer.is_empty() || stream.write_all(answer.as_bytes()).is_err() {
            break;
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 65536];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .and_then(|value| value.trim().parse().ok())
                })
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some(Got { head, body: bytes[end + 4..end + 4 + length].to_vec() });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
