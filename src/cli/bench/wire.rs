//! As much of HTTP/1.1 as a load generator needs: one message after another on a connection.

use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest head, and the largest body, that are read.
const MOST_HEAD: usize = 64 << 10;
const MOST_BODY: usize = 64 << 20;
/// Room for most messages, so that one read takes them.
const ROOM: usize = 16 << 10;
/// The header by which a delivery is known that comes again.
const KEY: &str = "idempotency-key";

/// A connection, and what came in on it and is not used yet.
pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    used: usize,
}

/// What the head of a message says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Of an answer.
    pub(super) status: Option<u16>,
    length: Option<usize>,
    chunked: bool,
    /// The connection is not used again.
    pub(super) closes: bool,
    pub(super) key: Option<Box<str>>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Small writes that wait for others would be measured as time of the proxy.
        let _ = stream.set_nodelay(true);
        Self { stream, buffer: Vec::with_capacity(ROOM), used: 0 }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next message: its head and its body. `None` where the other side has closed before one began.
    pub(super) async fn read(&mut self) -> Result<Option<(Head, &[u8])>> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if self.buffer.len() > MOST_HEAD {
                return Err(broken("its head is too large"));
            }
            if self.fill().await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        };
        let mut head = Head::parse(self.buffer.get(..end).unwrap_or_default())?;
        self.used = end + self.body(end, &mut head).await?;
        Ok(Some((head, self.buffer.get(end..self.used).unwrap_or_default())))
    }

    /// Reads the body that begins at `end` to its own end; gives its length.
    async fn body(&mut self, end: usize, head: &mut Head) -> Result<usize> {
        if head.chunked {
            return Err(broken("it comes in chunks, which bench does not read"));
        }
        let has_none = matches!(head.status, None | Some(204 | 304));
        let wanted = head.length.or(has_none.then_some(0));
        while wanted.is_none_or(|wanted| self.buffer.len() < end + wanted) {
            if self.buffer.len() > end + MOST_BODY {
                return Err(broken("its body is too large"));
            }
            if self.fill().await? == 0 {
                // Without a length it is this that ends the body.
                head.closes = true;
                return if wanted.is_none() {
                    Ok(self.buffer.len() - end)
                } else {
                    Err(ErrorKind::UnexpectedEof.into())
                };
            }
        }
        Ok(wanted.unwrap_or(0))
    }

    async fn fill(&mut self) -> Result<usize> {
        self.stream.read_buf(&mut self.buffer).await
    }
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("what came cannot be read: {what}"))
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|_| broken("its head is no text"))?;
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = match first.strip_prefix("HTTP/1.") {
            Some(rest) => Some(rest.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| broken(first))?),
            None => None,
        };
        let mut head = Self { status, closes: first.starts_with("HTTP/1.0"), ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            head.take(name, value.trim())?;
        }
        Ok(head)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        if name.eq_ignore_ascii_case("content-length") {
            self.length = Some(value.parse().map_err(|_| broken("its length is no number"))?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.chunked = true;
        } else if name.eq_ignore_ascii_case("connection") {
            self.closes = value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case(KEY) {
            self.key = Some(value.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_both_sides_are_read() {
        let answer = Head::parse(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 7\r\nConnection: Close\r\n\r\n");
        let expected = Head { status: Some(503), length: Some(7), closes: true, ..Head::default() };
        assert_eq!(answer.expect("a head"), expected);
        let request = Head::parse(b"POST / HTTP/1.1\r\nIdempotency-Key: berth-7\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(request.expect("a head"), Head { key: Some("berth-7".into()), chunked: true, ..Head::default() });
        assert!(Head::parse(b"HTTP/1.0 200 OK\r\n\r\n").expect("a head").closes);
        for wrong in [&b"HTTP/1.1 ahoy\r\n\r\n"[..], b"HTTP/1.1 200\r\nContent-Length: -1\r\n\r\n", b"\xff\r\n\r\n"] {
            Head::parse(wrong).expect_err("no head");
        }
    }
}
