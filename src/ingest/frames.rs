//! Follows where requests begin and end in the bytes that come, so that the framework is given one request at a time: of
//! several it reads all heads at once, and takes what the last one says of the connection for what each of them says.
//!
//! What is no request is left to the framework, which refuses it. What it takes and servers read in different ways is made
//! unreadable to it, and so is all that follows: blanks behind the size of a chunk, lines that end with LF alone, and lines
//! behind the last chunk that are no headers. What stands beside chunks is bounded, too, which the framework passes over.

/// How much of a line is looked at: more than the lines that say how long a body is have.
const MOST_OF_A_LINE: usize = 64;
/// What no server takes for a part of a line or of a chunk's size.
const UNREADABLE: u8 = 0;
/// How many bytes may stand beside the chunks of a body: their extensions, and the lines behind the last one.
const MOST_BESIDE: usize = 64 << 10;
/// How many digits the size of a chunk may have.
const MOST_DIGITS: usize = 16;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two requests.
    #[default]
    Between,
    /// Within the lines of a head.
    Head,
    /// Within a body, of which so much is to come.
    Body(u64),
    /// Within the size of a chunk.
    Size(u64),
    /// Behind that, in the same line.
    Extension(u64),
    /// Within a chunk, of which so much is to come.
    Chunk(u64),
    /// Between a chunk and the next size.
    ChunkEnd,
    /// Within the lines behind the last chunk.
    Trailer,
    /// Not within a request that can be understood: everything is unreadable from here on.
    Lost,
}

/// How far the bytes of a connection have come.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Frames {
    state: State,
    /// The line under way: its beginning, with single blanks.
    line: Vec<u8>,
    /// Whether the byte before was a CR.
    is_behind_cr: bool,
    /// How many bytes the head under way has, or the last one had.
    head: usize,
    /// How many requests have ended.
    ended: u64,
    length: u64,
    is_chunked: bool,
    /// How many bytes stand beside the chunks of the body under way.
    beside: usize,
    /// How many digits the size under way has.
    digits: usize,
}

impl Frames {
    /// Whether a request has begun that is not at its end.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.state != State::Between
    }

    /// How many bytes the head under way has, or the last one had.
    #[must_use]
    pub fn head(&self) -> usize {
        self.head
    }

    /// How many requests have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// Goes over what has come, to the end of the first request that ends there: how many bytes that is.
    pub fn pass(&mut self, bytes: &mut [u8]) -> usize {
        let (length, ended) = (bytes.len(), self.ended);
        let mut rest = bytes;
        while self.ended == ended && !rest.is_empty() {
            let passed = self.step(rest);
            rest = rest.get_mut(passed..).unwrap_or_default();
        }
        length - rest.len()
    }

    /// Goes over a byte, or over as much of a body as is there: how many bytes that is.
    fn step(&mut self, bytes: &mut [u8]) -> usize {
        let (State::Body(left) | State::Chunk(left)) = self.state else {
            if let Some(byte) = bytes.first_mut() {
                self.step_byte(byte);
            }
            return 1;
        };
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        match (self.state, left - here as u64) {
            (State::Body(_), 0) => self.end(),
            (State::Body(_), left) => self.state = State::Body(left),
            (_, 0) => self.state = State::ChunkEnd,
            (_, left) => self.state = State::Chunk(left),
        }
        here
    }

    fn end(&mut self) {
        self.state = State::Between;
        self.ended += 1;
    }

    fn step_byte(&mut self, byte: &mut u8) {
        match self.state {
            State::Between if matches!(*byte, b'\r' | b'\n') => {}
            State::Between => {
                (self.state, self.head, self.length, self.is_chunked) = (State::Head, 0, 0, false);
                self.beside = 0;
                self.line.clear();
                self.is_behind_cr = false;
                self.in_line(byte);
            }
            State::Head | State::Trailer => self.in_line(byte),
            State::Size(size) => self.in_size(size, byte),
            State::Extension(size) => self.in_extension(size, byte),
            State::ChunkEnd if *byte == b'\n' => (self.state, self.digits) = (State::Size(0), 0),
            State::Lost => *byte = UNREADABLE,
            // The last two are passed over as a whole.
            State::ChunkEnd | State::Body(_) | State::Chunk(_) => {}
        }
    }

    /// A byte of a line of a head, or of a line behind the last chunk.
    fn in_line(&mut self, byte: &mut u8) {
        let is_trailer = self.state == State::Trailer;
        *(if is_trailer { &mut self.beside } else { &mut self.head }) += 1;
        let was_behind_cr = std::mem::replace(&mut self.is_behind_cr, *byte == b'\r');
        if *byte == b'\n' && was_behind_cr && (!is_trailer || self.is_header_or_empty()) {
            self.end_of_line();
            self.line.clear();
            return;
        }
        let is_text = !byte.is_ascii_control() || matches!(*byte, b'\t' | b'\r');
        if *byte == b'\n' || is_trailer && (!is_text || self.beside > MOST_BESIDE) {
            // Behind the last chunk the framework takes whatever stands there, but nothing except a LF behind a CR.
            *byte = if is_trailer && !was_behind_cr { b'\r' } else { UNREADABLE };
            self.state = State::Lost;
            return;
        }
        let byte = *byte;
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
        let repeats = is_blank(byte) && self.line.last().copied().is_some_and(is_blank);
        if !repeats && self.line.len() < MOST_OF_A_LINE {
            self.line.push(byte);
        }
    }

    fn end_of_line(&mut self) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if line.is_empty() {
            match self.state {
                State::Head if self.is_chunked => (self.state, self.digits) = (State::Size(0), 0),
                State::Head if self.length > 0 => self.state = State::Body(self.length),
                _ => self.end(),
            }
            return;
        }
        let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':')) else { return };
        if name.eq_ignore_ascii_case("content-length") {
            self.length = value.trim().parse().unwrap_or(0);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.is_chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }

    /// Whether the line under way is a header, or nothing.
    fn is_header_or_empty(&self) -> bool {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        line.is_empty() || !name.is_empty() && name.len() < line.len() && name.iter().all(is_name)
    }

    /// A byte of the line that says how large a chunk is.
    fn in_size(&mut self, size: u64, byte: &mut u8) {
        self.digits += 1;
        self.state = match *byte {
            b';' | b'\r' => State::Extension(size),
            digit => {
                let digit = char::from(digit).to_digit(16).map(u64::from);
                let larger = digit.and_then(|digit| size.checked_mul(16)?.checked_add(digit));
                larger.filter(|_| self.digits <= MOST_DIGITS).map_or(State::Lost, State::Size)
            }
        };
        if self.state == State::Lost {
            *byte = UNREADABLE;
        }
    }

    /// A byte behind that, in the same line.
    fn in_extension(&mut self, size: u64, byte: &mut u8) {
        self.beside += 1;
        match *byte {
            b'\n' if size == 0 => {
                self.line.clear();
                (self.state, self.is_behind_cr) = (State::Trailer, false);
            }
            b'\n' => self.state = State::Chunk(size),
            _ if self.beside > MOST_BESIDE => {
                // The framework takes any other byte here.
                *byte = b'\n';
                self.state = State::Lost;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long each request is, and what is left at the end, however the bytes are cut.
    fn lengths(bytes: &[u8]) -> (Vec<usize>, usize) {
        let whole = lengths_in_pieces(bytes, bytes.len().max(1));
        for piece in [1, 2, 3, 7] {
            let cut = lengths_in_pieces(bytes, piece);
            assert_eq!(cut, whole, "in pieces of {piece}: {}", String::from_utf8_lossy(bytes));
        }
        whole
    }

    fn lengths_in_pieces(bytes: &[u8], piece: usize) -> (Vec<usize>, usize) {
        let (mut frames, mut bytes) = (Frames::default(), bytes.to_vec());
        let (mut lengths, mut length) = (Vec::new(), 0);
        for mut piece in bytes.chunks_mut(piece) {
            while !piece.is_empty() {
                let (before, passed) = (frames.ended(), frames.pass(piece));
                length += passed;
                if frames.ended() > before {
                    lengths.push(std::mem::take(&mut length));
                }
                piece = piece.get_mut(passed..).unwrap_or_default();
            }
        }
        assert_eq!(frames.ended(), lengths.len() as u64);
        (lengths, if frames.is_within() { length } else { 0 })
    }

    #[test]
    fn a_request_ends_where_its_body_ends() {
        for whole in [
            &b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
            b"POST / HTTP/1.1\r\nCONTENT-LENGTH:\t  2  \r\n\r\n{}",
            b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding:CHUNKED\r\n\r\n2;a=b\r\n{}\r\nA\r\n0123456789\r\n0;c\r\nX: y\r\n\r\n",
        ] {
            assert_eq!(lengths(whole), (vec![whole.len()], 0), "{}", String::from_utf8_lossy(whole));
            for half in ["P", "POST / HTTP/1.1", "POST / HTTP/1.1\r\nHost: x\r\n", "POST / HTTP/1.1\r\nHost: x\r\n\r"] {
                let both = [whole, whole, half.as_bytes()].concat();
                let expected = (vec![whole.len(), whole.len()], half.len());
                assert_eq!(lengths(&both), expected, "{}", String::from_utf8_lossy(&both));
            }
            let apart = [b"\r\n", whole, b"\r\n"].concat();
            assert_eq!(lengths(&apart), (vec![whole.len() + 2], 0), "{}", String::from_utf8_lossy(&apart));
        }
    }

    #[test]
    fn half_a_body_is_within_a_request() {
        for half in [
            &b"POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nPOST / HTTP/1.1\r\n"[..],
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nPOST / HTTP",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nPOST / HTTP",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\nPOST / HTTP",
        ] {
            assert_eq!(lengths(half), (vec![], half.len()), "{}", String::from_utf8_lossy(half));
        }
    }

    #[test]
    fn line_feeds_alone_cannot_be_read() {
        for (bytes, read) in [
            ("POST / HTTP/1.1\nHost\r\n", "POST / HTTP/1.1\0\0\0\0\0\0\0"),
            ("POST / HTTP/1.1\r\nHost: x\n\r\n", "POST / HTTP/1.1\r\nHost: x\0\0\0"),
            ("POST / HTTP/1.1\r\nHost: x\r\n\n", "POST / HTTP/1.1\r\nHost: x\r\n\0"),
        ] {
            let mut bytes = bytes.as_bytes().to_vec();
            let mut frames = Frames::default();
            assert_eq!((frames.pass(&mut bytes), frames.ended()), (read.len(), 0));
            assert_eq!(bytes, read.as_bytes());
        }
    }

    #[test]
    fn blanks_behind_the_size_of_a_chunk_cannot_be_read() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (size, read) in [("2 \r\n", "2\0\0\0"), ("2\t;a\r\n", "2\0\0\0\0\0"), ("2; a \r\n", "2; a \r\n")] {
            let mut bytes = format!("{head}{size}").into_bytes();
            Frames::default().pass(&mut bytes);
            assert_eq!(bytes, format!("{head}{read}").into_bytes(), "{size}");
        }
    }

    /// The framework wants a LF behind a CR there, and nothing else.
    #[test]
    fn what_is_no_header_behind_the_last_chunk_cannot_be_read() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
        for (lines, read) in [
            ("X: y\r\nX-Y:\r\n\r\n", "X: y\r\nX-Y:\r\n\r\n"),
            ("\n\r\n", "\r\0\0"),
            ("X: a\nb\r\n", "X: a\r\0\0\0"),
            ("X: a\r\n\n", "X: a\r\n\r"),
            ("X: \0\r\n", "X: \r\0\0"),
            ("POST / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\0\0\0"),
            (" X: folded\r\n\r\n", " X: folded\r\0\0\0"),
            (": no name\r\n\r\n", ": no name\r\0\0\0"),
        ] {
            let mut bytes = format!("{head}{lines}").into_bytes();
            Frames::default().pass(&mut bytes);
            assert_eq!(bytes, format!("{head}{read}").into_bytes(), "{lines:?}");
        }
    }

    #[test]
    fn what_stands_beside_chunks_is_bounded() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (long, zeros) = ("x".repeat(MOST_BESIDE), "0".repeat(MOST_DIGITS));
        for (chunks, is_read) in [
            (format!("1;{}\r\n", "x".repeat(1000)), true),
            (format!("1;{long}x\r\n"), false),
            (format!("0\r\nX: {long}\r\n"), false),
            (format!("0\r\n{}", "X: y\r\n".repeat(MOST_BESIDE / 6 + 1)), false),
            (format!("{zeros}\r\n"), true),
            (format!("0{zeros}\r\n"), false),
        ] {
            let mut bytes = format!("{head}{chunks}").into_bytes();
            let before = bytes.clone();
            Frames::default().pass(&mut bytes);
            assert_eq!(bytes == before, is_read, "{}", chunks.get(..20).unwrap_or(&chunks));
        }
    }

    /// A line of any length takes no room.
    #[test]
    fn long_lines_are_not_kept() {
        let mut frames = Frames::default();
        frames.pass(&mut b"POST /".to_vec());
        frames.pass(&mut vec![b'a'; 100_000]);
        assert_eq!((frames.head(), frames.line.len()), (100_006, MOST_OF_A_LINE));
    }
}
