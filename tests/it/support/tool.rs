//! A tool for many hooks: it keeps what came by key, in short, and can be away for a while.

use super::receiver::status;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What came under one key.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The hash of the first body.
    pub sha256: [u8; 32],
    /// What names the hook in the first body.
    pub mark: String,
    /// When it came, each time.
    pub at: Vec<Instant>,
}

#[derive(Debug, Default)]
struct Seen {
    by_key: HashMap<String, Kept>,
    /// The marks in the order in which they came.
    marks: Vec<String>,
    /// When each mark came first.
    first: HashMap<String, Instant>,
    wrong: Vec<String>,
}

/// What a tool answers to the request of a number, for the hook with a mark.
type Script = dyn Fn(usize, &str) -> String + Send + Sync;

/// What becomes of a connection behind an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It stays open for the next request.
    Stays,
    /// It is closed.
    Closes,
    /// It is reset.
    Resets,
    /// Byte after byte follows, slowly and without end.
    Drips,
}

/// A listening tool.
pub struct Tool {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

/// What a content tool says.
pub fn content(_: usize) -> String {
    status(200, "")
}

/// An address at which nobody listens, and which nobody else is given: a loopback address of this test alone.
pub fn nobodys_address() -> SocketAddr {
    let [.., one, two] = std::process::id().to_be_bytes();
    let listener = TcpListener::bind(SocketAddr::from(([127, 1 + one % 250, two, 1 + one % 250], 0))).unwrap();
    listener.local_addr().unwrap()
}

impl Tool {
    /// A tool on a free port that answers by a script, which may take its time; an empty answer closes the connection.
    pub fn scripted(script: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        Self::at(([127, 0, 0, 1], 0).into(), script)
    }

    /// A tool that answers by what names the hook.
    pub fn by_mark(script: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::start(([127, 0, 0, 1], 0).into(), Ending::Stays, move |_, mark| script(mark))
    }

    /// A tool whose connections end so after each answer.
    pub fn ending(ending: Ending, script: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        Self::start(([127, 0, 0, 1], 0).into(), ending, move |number, _| script(number))
    }

    /// A tool at an address.
    pub fn at(address: SocketAddr, script: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        Self::start(address, Ending::Stays, move |number, _| script(number))
    }

    fn start(
        address: SocketAddr,
        ending: Ending,
        script: impl Fn(usize, &str) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}/tool", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let (shared, script): (_, Arc<Script>) = (Arc::clone(&seen), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, script) = (Arc::clone(&shared), Arc::clone(&script));
                std::thread::spawn(move || serve(&stream, &seen, &*script, ending));
            }
        });
        Self { url, seen }
    }

    /// How many different keys came.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().by_key.len()
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.seen.lock().unwrap().marks.len()
    }

    /// What came, by key, after making sure that what came more than once had the same bytes.
    pub fn kept(&self) -> HashMap<String, Kept> {
        let seen = self.seen.lock().unwrap();
        assert!(seen.wrong.is_empty(), "{:?}", seen.wrong);
        seen.by_key.clone()
    }

    /// What named the hooks, in the order in which they came.
    pub fn marks(&self) -> Vec<String> {
        self.seen.lock().unwrap().marks.clone()
    }

    /// When the hook with a mark came first.
    pub fn arrival(&self, mark: &str) -> Option<Instant> {
        self.seen.lock().unwrap().first.get(mark).copied()
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Seen>, script: &Script, ending: Ending) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some((key, body)) = read(&mut reader) {
        let (number, mark) = keep(&mut seen.lock().unwrap(), &key, &body);
        let answer = script(number, &mark);
        if answer.is_empty() || writer.write_all(answer.as_bytes()).is_err() || !goes_on(stream, ending) {
            break;
        }
    }
}

/// Ends a connection behind an answer; whether it is still open.
fn goes_on(mut stream: &TcpStream, ending: Ending) -> bool {
    match ending {
        Ending::Stays => return true,
        Ending::Closes => {}
        // A socket that does not linger at all is reset when it is closed.
        Ending::Resets => rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).unwrap(),
        Ending::Drips => {
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    false
}

fn keep(seen: &mut Seen, key: &str, body: &[u8]) -> (usize, String) {
    let sha256 = Sha256::digest(body).into();
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let mark = json["after"].as_str().or(json["mark"].as_str()).unwrap_or_default().to_owned();
    let (now, number) = (Instant::now(), seen.marks.len());
    seen.marks.push(mark.clone());
    seen.first.entry(mark.clone()).or_insert(now);
    let kept = seen.by_key.entry(key.to_owned()).or_insert_with(|| Kept { sha256, mark: mark.clone(), at: Vec::new() });
    kept.at.push(now);
    if kept.sha256 != sha256 {
        seen.wrong.push(format!("other bytes under {key}"));
    }
    (number, mark)
}

/// Reads a request: its key and its body.
fn read(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut key, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Idempotency-Key: ") {
            value.clone_into(&mut key);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((key, body))
}
