//! The bytes of a request, made once. What differs from hook to hook is its mark: the first 20 digits of every commit hash
//! in the body, which each forge's format has and no translation changes. By it a hook is known again where it arrives.

use super::place::Place;
use crate::forge::Forges;
use crate::mapping::json::Document;
use crate::mapping_files;
use crate::secret::Secret;
use std::io::Write as _;
use uuid::Uuid;

/// Digits of the mark that say: a hook of this run.
const RUN: usize = 12;
/// Digits of the mark that say which one.
const NUMBER: usize = 8;
/// How long commit hashes are: SHA-1, SHA-256.
const HASHES: [usize; 2] = [40, 64];
/// Headers on which the framing depends.
const OURS: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// A request that is ready, and where its mark stands.
pub(super) struct Request {
    bytes: Vec<u8>,
    body_len: usize,
    run: Vec<u8>,
    /// Where the number of the hook goes.
    numbers: Vec<usize>,
}

impl Request {
    /// Makes the request. Messages show no header's value.
    ///
    /// # Errors
    /// Says which header is wrong, or that nobody knows in which header the secret goes.
    pub(super) fn new(
        place: &Place,
        headers: &[&str],
        secret: Option<&Secret>,
        mut body: Vec<u8>,
    ) -> Result<Self, String> {
        let mut headers = headers.iter().map(|header| header_of(header)).collect::<Result<Vec<_>, _>>()?;
        if let Some(secret) = secret {
            let secret = secret.reveal();
            if secret.contains(|own: char| own.is_control()) {
                return Err("--secret-file: control characters cannot be sent in a header".to_owned());
            }
            headers.push((secret_header(&body, &headers)?, secret.to_owned()));
        }
        let run: Vec<u8> = Uuid::new_v4().simple().to_string().bytes().take(RUN).collect();
        let marks = hashes(&body);
        for mark in &marks {
            if let Some(place) = body.get_mut(*mark..mark + RUN) {
                place.copy_from_slice(&run);
            }
        }
        let mut bytes = format!("POST {} HTTP/1.1\r\nHost: {}\r\n", place.path, place.host).into_bytes();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            bytes.extend_from_slice(b"Content-Type: application/json\r\n");
        }
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        let numbers = marks.iter().map(|mark| bytes.len() + mark + RUN).collect();
        bytes.extend_from_slice(&body);
        Ok(Self { bytes, body_len: body.len(), run, numbers })
    }

    /// The bytes, for a connection that writes its own numbers into them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    pub(super) fn body_len(&self) -> usize {
        self.body_len
    }

    /// Whether a hook is known again where it arrives.
    pub(super) fn has_mark(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Makes the bytes those of a hook of this number.
    pub(super) fn number(&self, bytes: &mut [u8], hook: u32) {
        let mut digits = [0; NUMBER];
        // It has the room for any number: the digits of 32 bits.
        let _ = write!(&mut digits[..], "{hook:0NUMBER$x}");
        for place in &self.numbers {
            if let Some(own) = bytes.get_mut(*place..place + NUMBER) {
                own.copy_from_slice(&digits);
            }
        }
    }

    /// The number of the hook that arrived with a body. `last` is where the mark of another body stood: most likely it
    /// stands there again.
    pub(super) fn number_of(&self, body: &[u8], last: &mut usize) -> Option<u32> {
        let is_there = |place: usize| body.get(place..).is_some_and(|rest| rest.starts_with(&self.run));
        if !is_there(*last) {
            *last = body.windows(RUN).position(|window| window == self.run)?;
        }
        let digits = body.get(*last + RUN..*last + RUN + NUMBER)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
}

/// Where commit hashes begin in a text; those of one digit alone stand for no commit.
fn hashes(text: &[u8]) -> Vec<usize> {
    let (mut found, mut at) = (Vec::new(), 0);
    for digits in text.split(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        let differ = digits.windows(2).any(|pair| pair.first() != pair.last());
        if HASHES.contains(&digits.len()) && differ {
            found.push(at);
        }
        at += digits.len() + 1;
    }
    found
}

fn header_of(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once(':') else {
        return Err("--header: there is no colon in it: 'Name: value' is meant".to_owned());
    };
    let is_token = |own: char| own.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(own);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err("--header: what stands before the colon is no name of a header".to_owned());
    }
    if OURS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("--header: {name} is set by bench itself"));
    }
    if value.contains(|own: char| own.is_control()) {
        return Err(format!("--header: the value of {name} has control characters"));
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// The header in which the forge of the body sends its secret.
fn secret_header(body: &[u8], headers: &[(String, String)]) -> Result<String, String> {
    let forges = Forges::load(&mapping_files::built_in()).map_err(|faults| faults.to_string())?;
    let names: Vec<String> = forges.iter().map(|forge| forge.name().to_owned()).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let document = Document::parse(body).map_err(|error| format!("--body: {error}"))?;
    let forge = forges.recognise(&names, document.root(), &headers);
    let header = forge.and_then(|forge| forge.proofs().first()).map(|proof| proof.header().to_owned());
    header
        .ok_or_else(|| "--secret-file: the body is no hook of a known forge; give the secret with --header".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13";

    fn request(body: &str) -> Request {
        let place = Place::new("http://127.0.0.1:8080/").expect("a place");
        Request::new(&place, &[], None, body.as_bytes().to_vec()).expect("a request")
    }

    #[test]
    fn a_hook_is_known_again_by_its_commits() {
        let zeros = "0".repeat(40);
        let request = request(&format!(r#"{{"before":"{zeros}","after":"{HASH}","id":"{HASH}","short":"5b1c"}}"#));
        let (mut first, mut other) = (request.bytes(), request.bytes());
        request.number(&mut first, 1);
        request.number(&mut other, 0xffff_fffe);
        assert_eq!(first.len(), other.len());
        let text = String::from_utf8(first.clone()).expect("a text");
        assert!(text.contains(&zeros) && text.contains(r#""short":"5b1c""#) && !text.contains(HASH), "{text}");
        assert_eq!(text.matches(&HASH[20..]).count(), 2, "{text}");
        let mut last = 0;
        assert_eq!(request.number_of(&first, &mut last), Some(1));
        assert_eq!(request.number_of(&other, &mut last), Some(0xffff_fffe));
        // Elsewhere in another body, and not at all in those of others.
        assert_eq!(request.number_of(&[b"moved ", &first[..]].concat(), &mut last), Some(1));
        assert_eq!(request.number_of(HASH.as_bytes(), &mut last), None);
        // The run, and only some digits of the number.
        let end = first.len() - 40;
        assert_eq!(request.number_of(&first[end - 20..end], &mut last), None);
    }

    #[test]
    fn a_body_without_commits_has_no_mark() {
        assert!(!request(r#"{"id":"6d2b8f04-51c7-4e39-9a60-c3e5f7180b92"}"#).has_mark());
        assert!(request(&format!(r#"{{"sha256":"{HASH}{}"}}"#, &HASH[..24])).has_mark());
        assert!(!request(&format!(r#"{{"longer":"{HASH}0"}}"#)).has_mark());
    }

    #[test]
    fn headers_are_sent_as_given_and_wrong_ones_refused_without_their_values() {
        assert_eq!(header_of("X-Harbour:  berth 7 "), Ok(("X-Harbour".to_owned(), "berth 7".to_owned())));
        for wrong in ["tin-whistle", ": tin-whistle", "a b: tin-whistle", "Host: tin-whistle", "X: tin-whistle\r\nY: 1"]
        {
            let message = header_of(wrong).expect_err(wrong);
            assert!(message.starts_with("--header: ") && !message.contains("tin-whistle"), "{message}");
        }
    }
}
