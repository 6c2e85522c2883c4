//! Follows where requests begin and end in the bytes that come. The framework keeps what it has read and not yet understood,
//! and does not tell: half a head that came with a whole request would be taken for silence.
//!
//! What is no request is left to the framework, which refuses it. One thing it takes is made unreadable to it: blanks behind
//! the size of a chunk, which servers read in different ways.

/// How much of a line is looked at: more than the lines that say how long a body is have.
const MOST_OF_A_LINE: usize = 64;
/// What no server takes for a part of a chunk's size.
const UNREADABLE: u8 = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two requests.
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
    /// Not within a request that can be understood.
    Lost,
}

/// How far the bytes of a connection have come.
#[derive(Debug)]
pub(super) struct Frames {
    state: State,
    /// The line under way: its beginning, with single blanks.
    line: Vec<u8>,
    /// How many bytes the head under way has.
    head: usize,
    length: u64,
    is_chunked: bool,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { state: State::Between, line: Vec::new(), head: 0, length: 0, is_chunked: false }
    }

    /// How many bytes of a head have come that is not at its end.
    pub(super) fn begun(&self) -> usize {
        if self.state == State::Head { self.head } else { 0 }
    }

    /// Goes over what has come.
    pub(super) fn pass(&mut self, mut bytes: &mut [u8]) {
        loop {
            let (State::Body(left) | State::Chunk(left)) = self.state else {
                let Some((byte, rest)) = bytes.split_first_mut() else { return };
                self.step(byte);
                bytes = rest;
                continue;
            };
            let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let left = left - here as u64;
            self.state = match (self.state, left) {
                (State::Body(_), 0) => State::Between,
                (State::Body(_), _) => State::Body(left),
                (_, 0) => State::ChunkEnd,
                (_, _) => State::Chunk(left),
            };
            if here == bytes.len() {
                return;
            }
            bytes = bytes.get_mut(here..).unwrap_or_default();
        }
    }

    fn step(&mut self, byte: &mut u8) {
        match self.state {
            State::Between if matches!(*byte, b'\r' | b'\n') => {}
            State::Between => {
                (self.state, self.head, self.length, self.is_chunked) = (State::Head, 0, 0, false);
                self.line.clear();
                self.in_line(*byte);
            }
            State::Head | State::Trailer => self.in_line(*byte),
            State::Size(size) => self.state = in_size(size, byte),
            State::Extension(0) if *byte == b'\n' => {
                self.line.clear();
                self.state = State::Trailer;
            }
            State::Extension(size) if *byte == b'\n' => self.state = State::Chunk(size),
            State::ChunkEnd if *byte == b'\n' => self.state = State::Size(0),
            // The other two are passed over as a whole.
            State::Extension(_) | State::ChunkEnd | State::Lost | State::Body(_) | State::Chunk(_) => {}
        }
    }

    /// A byte of a line of a head, or of a line behind the last chunk.
    fn in_line(&mut self, byte: u8) {
        self.head += 1;
        if byte == b'\n' {
            self.end_of_line();
            self.line.clear();
            return;
        }
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
        let repeats = is_blank(byte) && self.line.last().copied().is_some_and(is_blank);
        if !repeats && self.line.len() < MOST_OF_A_LINE {
            self.line.push(byte);
        }
    }

    fn end_of_line(&mut self) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if line.is_empty() {
            self.state = match self.state {
                State::Head if self.is_chunked => State::Size(0),
                State::Head if self.length > 0 => State::Body(self.length),
                _ => State::Between,
            };
            return;
        }
        let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(':')) else { return };
        if name.eq_ignore_ascii_case("content-length") {
            self.length = value.trim().parse().unwrap_or(0);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.is_chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
}

/// A byte of the line that says how large a chunk is.
fn in_size(size: u64, byte: &mut u8) -> State {
    match *byte {
        b';' | b'\r' => State::Extension(size),
        b' ' | b'\t' => {
            *byte = UNREADABLE;
            State::Lost
        }
        digit => {
            let digit = char::from(digit).to_digit(16).map(u64::from);
            let larger = digit.and_then(|digit| size.checked_mul(16)?.checked_add(digit));
            larger.map_or(State::Lost, State::Size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a head at the end, however the bytes are cut.
    fn begun(bytes: &[u8]) -> usize {
        let whole = begun_in_pieces(bytes, bytes.len().max(1));
        for piece in [1, 2, 3, 7] {
            assert_eq!(
                begun_in_pieces(bytes, piece),
                whole,
                "in pieces of {piece}: {}",
                String::from_utf8_lossy(bytes)
            );
        }
        whole
    }

    fn begun_in_pieces(bytes: &[u8], piece: usize) -> usize {
        let (mut frames, mut bytes) = (Frames::new(), bytes.to_vec());
        bytes.chunks_mut(piece).for_each(|piece| frames.pass(piece));
        frames.begun()
    }

    #[test]
    fn half_a_head_is_told_from_silence() {
        for whole in [
            &b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
            b"POST / HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}",
            b"POST / HTTP/1.1\r\nCONTENT-LENGTH:\t  2  \r\n\r\n{}",
            b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding:CHUNKED\r\n\r\n2;a=b\r\n{}\r\nA\r\n0123456789\r\n0;c\r\nX: y\r\n\r\n",
        ] {
            assert_eq!(begun(whole), 0, "{}", String::from_utf8_lossy(whole));
            for half in ["P", "POST / HTTP/1.1", "POST / HTTP/1.1\r\nHost: x\r\n", "POST / HTTP/1.1\r\nHost: x\r\n\r"] {
                let both = [whole, whole, b"\r\n", half.as_bytes()].concat();
                assert_eq!(begun(&both), half.len(), "{}", String::from_utf8_lossy(&both));
            }
        }
    }

    #[test]
    fn half_a_body_is_no_head() {
        for half in [
            &b"POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nPOST / HTTP/1.1\r\n"[..],
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nPOST / HTTP",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nPOST / HTTP",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\nPOST / HTTP",
        ] {
            assert_eq!(begun(half), 0, "{}", String::from_utf8_lossy(half));
        }
    }

    #[test]
    fn blanks_behind_the_size_of_a_chunk_cannot_be_read() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (size, read) in [("2 \r\n", "2\0\r\n"), ("2\t;a\r\n", "2\0;a\r\n"), ("2; a \r\n", "2; a \r\n")] {
            let mut bytes = format!("{head}{size}").into_bytes();
            Frames::new().pass(&mut bytes);
            assert_eq!(bytes, format!("{head}{read}").into_bytes());
        }
    }

    /// A line of any length takes no room.
    #[test]
    fn long_lines_are_not_kept() {
        let mut frames = Frames::new();
        frames.pass(&mut b"POST /".to_vec());
        frames.pass(&mut vec![b'a'; 100_000]);
        assert_eq!((frames.begun(), frames.line.len()), (100_006, MOST_OF_A_LINE));
    }
}
