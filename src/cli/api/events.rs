//! Server-sent events, taken apart as they come.

use super::Failure;
use crate::delivery::whole;
use reqwest::Response;

/// The longest event that is read: more is none of hookglot's.
const MOST: usize = 1 << 20;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::cli) struct Event {
    /// What kind it is; empty where nothing is said.
    pub(in crate::cli) name: String,
    /// What it says.
    pub(in crate::cli) data: String,
}

/// The events of one connection.
pub(in crate::cli) struct Events {
    answer: Response,
    parser: Parser,
}

impl Events {
    pub(super) fn of(answer: Response) -> Self {
        Self { answer, parser: Parser::default() }
    }

    /// The next event; none when the server has ended the connection.
    pub(in crate::cli) async fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.parser.next() {
                return Ok(Some(event));
            }
            if self.parser.bytes.len() > MOST {
                return Err(Failure::from(format!("an event of more than {MOST} bytes: this is no hookglot")));
            }
            match self.answer.chunk().await.map_err(|error| Failure::from(whole(&error)))? {
                Some(chunk) => self.parser.bytes.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}

/// Bytes that are not yet a whole line, and lines that are not yet a whole event.
#[derive(Debug, Default)]
struct Parser {
    bytes: Vec<u8>,
    /// How much of `bytes` has been looked at.
    seen: usize,
    event: Event,
    has_data: bool,
}

impl Parser {
    fn next(&mut self) -> Option<Event> {
        while let Some(line) = self.line() {
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                // Nothing behind it: the event is whole. One without data is none.
                "" if line.is_empty() => {
                    let event = std::mem::take(&mut self.event);
                    if std::mem::take(&mut self.has_data) {
                        return Some(event);
                    }
                }
                "event" => value.clone_into(&mut self.event.name),
                "data" => {
                    if std::mem::replace(&mut self.has_data, true) {
                        self.event.data.push('\n');
                    }
                    self.event.data.push_str(value);
                }
                // Comments keep the connection open; ids are not asked for.
                _ => {}
            }
        }
        None
    }

    /// A line without its end.
    fn line(&mut self) -> Option<String> {
        let fresh = self.bytes.get(self.seen..).unwrap_or_default();
        let Some(end) = fresh.iter().position(|byte| *byte == b'\n').map(|at| at + self.seen) else {
            self.seen = self.bytes.len();
            return None;
        };
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        self.seen = 0;
        let text = String::from_utf8_lossy(&line);
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_they_are_cut() {
        let stream = ": hello\n\nevent: hook\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nevent: nothing\n\ndata:x\nid: 7\n\nevent: cut\ndata: y\n";
        for size in 1..stream.len() {
            let (mut parser, mut events) = (Parser::default(), Vec::new());
            for piece in stream.as_bytes().chunks(size) {
                parser.bytes.extend_from_slice(piece);
                events.extend(std::iter::from_fn(|| parser.next()));
            }
            let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
            assert_eq!(events, [event("hook", "{\"a\":\n1}"), event("", "x")], "in pieces of {size}");
        }
    }
}
