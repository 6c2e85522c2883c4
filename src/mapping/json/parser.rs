//! Reads JSON bytes into entries: one pass, no recursion, every error with its line and column.

use super::write::special;
use super::{Entry, Kind, MAX_DEPTH, MAX_VALUES};

/// Why bytes are not JSON that we read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct SyntaxError {
    /// Line from 1.
    pub line: usize,
    /// Column in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// Whether it may be JSON, and is only nested more deeply than is read.
    pub is_too_deep: bool,
}

pub(super) fn parse(bytes: &[u8]) -> Result<(&str, Vec<Entry>), SyntaxError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| error_at(bytes, error.valid_up_to(), "this byte is not UTF-8".to_owned()))?;
    if u32::try_from(text.len()).is_err() {
        return Err(error_at(bytes, 0, "more than 4 GiB".to_owned()));
    }
    if text.starts_with('\u{FEFF}') {
        return Err(error_at(bytes, 0, "a byte order mark stands before the JSON: leave it out".to_owned()));
    }
    let mut parser = Parser { bytes, at: 0, entries: Vec::with_capacity(bytes.len() / 16 + 8), open: None, depth: 0 };
    match parser.run() {
        Ok(()) => Ok((text, parser.entries)),
        Err(fault) => {
            let (at, message) = *fault;
            // Everywhere else what is open is within the bound.
            let is_too_deep = parser.depth > MAX_DEPTH;
            Err(SyntaxError { is_too_deep, ..error_at(bytes, at, message) })
        }
    }
}

fn error_at(bytes: &[u8], at: usize, message: String) -> SyntaxError {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    // Characters, not bytes: a continuation byte begins with the bits 10.
    let column = before.get(line_start..).unwrap_or_default().iter().filter(|byte| (**byte & 0xC0) != 0x80).count() + 1;
    SyntaxError { line, column, message, is_too_deep: false }
}

/// Boxed, so that a result without a fault fits into a register: there is one for every token.
type Fault = Box<(usize, String)>;

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    entries: Vec<Entry>,
    /// The innermost container that is open, by entry. As long as one is open, its `next` is the one around it.
    open: Option<u32>,
    depth: usize,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        self.skip_space();
        let mut opened = self.value()?;
        while let Some(container) = self.open {
            self.skip_space();
            let is_object = self.kind_of(container) == Kind::Object;
            let closer = if is_object { b'}' } else { b']' };
            match self.peek() {
                Some(byte) if byte == closer => {
                    self.at += 1;
                    self.close(container);
                    opened = false;
                    continue;
                }
                Some(b',') if !opened => {
                    self.at += 1;
                    self.skip_space();
                }
                _ if opened => {}
                Some(_) => {
                    return Err(self.fault(format!("expected ',' or '{}'", char::from(closer))));
                }
                None => return Err(self.fault(format!("the text ends before '{}'", char::from(closer)))),
            }
            if is_object {
                self.key()?;
            }
            opened = self.value()?;
        }
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.fault("more text behind the end of the value".to_owned()));
        }
        Ok(())
    }

    fn kind_of(&self, entry: u32) -> Kind {
        self.entries.get(entry as usize).map_or(Kind::Null, |entry| entry.kind)
    }

    #[expect(clippy::unnecessary_box_returns, reason = "what is boxed makes every result small enough for a register")]
    fn fault(&self, message: String) -> Fault {
        Box::new((self.at, message))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        // The lengths fit: `parse` refused texts of 4 GiB, and there are never more entries than bytes.
        let next = self.entries.len() + 1;
        self.entries.push(Entry { kind, start: short(start), end: short(end), next: short(next) });
    }

    fn close(&mut self, container: u32) {
        let (next, end) = (short(self.entries.len()), short(self.at));
        if let Some(entry) = self.entries.get_mut(container as usize) {
            let around = std::mem::replace(&mut entry.next, next);
            entry.end = end;
            // The outermost container has itself around it.
            self.open = (around != container).then_some(around);
            self.depth -= 1;
        }
    }

    fn key(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("expected a key in double quotes".to_owned()));
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.fault("expected ':' behind the key".to_owned()));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Reads a scalar or opens a container; says whether it opened one.
    fn value(&mut self) -> Result<bool, Fault> {
        if self.entries.len() >= MAX_VALUES {
            return Err(self.fault(format!("more than {MAX_VALUES} values and keys")));
        }
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'{') => return self.container(Kind::Object),
            Some(b'[') => return self.container(Kind::Array),
            Some(b't') => self.word(b"true", Kind::True)?,
            Some(b'f') => self.word(b"false", Kind::False)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => return Err(self.fault("expected a value".to_owned())),
            None => return Err(self.fault("the text ends where a value should stand".to_owned())),
        }
        Ok(false)
    }

    fn container(&mut self, kind: Kind) -> Result<bool, Fault> {
        if self.depth >= MAX_DEPTH {
            self.depth += 1;
            return Err(self.fault(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let own = short(self.entries.len());
        let (start, around) = (short(self.at), self.open.unwrap_or(own));
        self.at += 1;
        self.entries.push(Entry { kind, start, end: short(self.at), next: around });
        self.open = Some(own);
        self.depth += 1;
        Ok(true)
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), Fault> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word) {
            return Err(self.fault("expected a value".to_owned()));
        }
        self.push(kind, self.at, self.at + word.len());
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.fault("a number has no leading zero".to_owned()));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, start, self.at);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.fault("expected a digit".to_owned()));
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Fault> {
        let bytes = self.bytes;
        self.at += 1;
        let start = self.at;
        let mut kind = Kind::PlainText;
        loop {
            let Some(stop) = special(bytes.get(self.at..).unwrap_or_default()) else {
                self.at = bytes.len();
                return Err(self.fault("the text ends inside a string".to_owned()));
            };
            self.at += stop;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => kind = self.escape(kind)?,
                _ => return Err(self.fault("a control character in a string must be escaped".to_owned())),
            }
        }
        self.push(kind, start, self.at);
        self.at += 1;
        Ok(())
    }

    /// Steps over one escape, or over the two of a surrogate pair.
    fn escape(&mut self, kind: Kind) -> Result<Kind, Fault> {
        let kind = if kind == Kind::PlainText { Kind::EscapedText } else { kind };
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(kind)
            }
            Some(b'u') => match self.unit(self.at)? {
                0xD800..=0xDBFF => {
                    let low = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
                    if low && matches!(self.unit(self.at + 6)?, 0xDC00..=0xDFFF) {
                        self.at += 12;
                        return Ok(kind);
                    }
                    self.at += 6;
                    Ok(Kind::BrokenText)
                }
                0xDC00..=0xDFFF => {
                    self.at += 6;
                    Ok(Kind::BrokenText)
                }
                _ => {
                    self.at += 6;
                    Ok(kind)
                }
            },
            _ => Err(self.fault("no such escape in JSON".to_owned())),
        }
    }

    /// The UTF-16 unit of a `\uXXXX` at a position.
    fn unit(&self, at: usize) -> Result<u32, Fault> {
        let digits = self.bytes.get(at + 2..at + 6).unwrap_or_default();
        let text = std::str::from_utf8(digits).unwrap_or_default();
        if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(u32::from_str_radix(text, 16).unwrap_or_default())
        } else {
            Err(Box::new((at, "\\u wants four hexadecimal digits".to_owned())))
        }
    }
}

/// A position as it is kept.
#[expect(clippy::cast_possible_truncation, reason = "`parse` refused every text in which one could be larger")]
fn short(position: usize) -> u32 {
    position as u32
}
