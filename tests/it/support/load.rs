//! Hooks of which no two are the same, and a client that sends many over one connection.

use super::gitflic_push;
use super::wire::{Answer, read_answer};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// What names the push of a number: the hash of its last commit.
pub fn mark(number: usize) -> String {
    format!("{number:040x}")
}

/// A push of GitFlic whose last commit is that of a number.
pub fn numbered_push(number: usize) -> String {
    static PUSH: std::sync::LazyLock<String> = std::sync::LazyLock::new(gitflic_push);
    PUSH.replace("5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13", &mark(number))
}

/// A connection that is opened when it is needed.
pub struct Client {
    address: String,
    stream: Option<TcpStream>,
}

impl Client {
    /// A client of an address.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None }
    }

    /// Sends a hook; none when no whole answer came.
    pub fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.address).ok()?;
                stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
                stream.set_nodelay(true).ok()?;
                none.insert(stream)
            }
        };
        let mut request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        let answer = stream.write_all(&bytes).ok().map(|()| read_answer(stream)).filter(|answer| answer.status != 0);
        if answer.as_ref().is_none_or(|answer| answer.header("connection").is_some_and(|value| value == "close")) {
            self.stream = None;
        }
        answer
    }
}

/// Numbers that look random and are the same for the same seed.
pub struct Random(u64);

impl Random {
    /// The seed of `HOOKGLOT_SEED`, or one of the time; it is printed, so that a run can be repeated.
    pub fn seeded() -> Self {
        let seed = std::env::var("HOOKGLOT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            u64::try_from(now.as_micros()).unwrap()
        });
        eprintln!("HOOKGLOT_SEED={seed}");
        Self(seed)
    }

    /// Another one that is different in the same way each time.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
