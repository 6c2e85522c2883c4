use super::{Door, post, request};
use crate::support::gitflic_push;
use crate::support::wire::{connect, exchange, read_answer};
use std::io::{Read, Write};

const NO_REQUEST: (&str, &str) = ("", "no_request");
const NOT_UNDERSTOOD: &str = "this is no HTTP request that can be understood";

/// Sends bytes, closes the sending side, and reads everything that comes back: the statuses of all answers.
fn statuses(door: &Door, bytes: &[u8]) -> Vec<String> {
    let mut stream = connect(&door.app.address);
    stream.write_all(bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut all = Vec::new();
    // A connection that is reset has said what it says.
    let _ = stream.read_to_end(&mut all);
    let text = String::from_utf8_lossy(&all).into_owned();
    let answers = text.split("HTTP/1.1 ").skip(1);
    answers.map(|answer| answer.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn garbage_is_answered_counted_and_logged() {
    let door = Door::new();
    for garbage in [
        &b"hello\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00\x00\x00\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /hooks HTTP/3.0\r\nHost: x\r\n\r\n",
        b"POST /hooks HTTP/1.2\r\nHost: x\r\n\r\n",
        b"POST /hooks\r\n\r\n",
        b"POST  /hooks HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /ho oks HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PO\x00ST /hooks HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        door.refuses(garbage, 400, NOT_UNDERSTOOD, NO_REQUEST);
    }
    assert_eq!(door.app.metric("hookglot_requests_total{route=\"\",status=\"400\"}"), Some(10));
    assert!(!door.app.log().contains("ERROR"), "{}", door.app.log());
}

#[test]
fn a_head_that_contradicts_itself_or_hides_something_is_refused() {
    let door = Door::new();
    let hook = gitflic_push();
    let length = hook.len();
    for (what, lines) in [
        ("two lengths", format!("Content-Length: {length}\r\nContent-Length: 5\r\n")),
        ("the same length twice", format!("Content-Length: {length}\r\nContent-Length: {length}\r\n")),
        ("a list of lengths", format!("Content-Length: {length}, {length}\r\n")),
        ("a length and chunks", format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n")),
        ("chunks and a length", format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n")),
        ("a length with a sign", format!("Content-Length: +{length}\r\n")),
        ("a negative length", "Content-Length: -1\r\n".to_owned()),
        ("a length in hex", "Content-Length: 0x10\r\n".to_owned()),
        ("an empty length", "Content-Length: \r\n".to_owned()),
        ("a length beyond 64 bits", "Content-Length: 99999999999999999999999\r\n".to_owned()),
        ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".to_owned()),
        ("chunks in chunks", "Transfer-Encoding: chunked, chunked\r\n".to_owned()),
        ("packed chunks", "Transfer-Encoding: gzip, chunked\r\n".to_owned()),
        ("chunks that are none", "Transfer-Encoding: xchunked\r\n".to_owned()),
        ("identity", "Transfer-Encoding: identity\r\n".to_owned()),
        ("a space before the colon", format!("Content-Length : {length}\r\n")),
        ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n".to_owned()),
        ("a folded line", format!("X-A: b\r\n c\r\nContent-Length: {length}\r\n")),
        ("a folded first line", format!(" X-A: b\r\nContent-Length: {length}\r\n")),
        ("a NUL in a value", format!("X-A: b\0c\r\nContent-Length: {length}\r\n")),
        ("a NUL in a name", format!("X\0A: b\r\nContent-Length: {length}\r\n")),
        ("a bare CR", format!("X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n")),
        ("no colon", format!("Content-Length {length}\r\n")),
        ("no name", format!(": {length}\r\n")),
        ("two hosts", format!("Host: y\r\nContent-Length: {length}\r\n")),
    ] {
        let before = door.taken("/hooks");
        let mut bytes = request(&lines, hook.as_bytes());
        // What a second server would take for a request of its own.
        bytes.extend_from_slice(&post(hook.as_bytes()));
        assert_eq!(statuses(&door, &bytes), ["400"], "{what}");
        door.refuses(&request(&lines, hook.as_bytes()), 400, NOT_UNDERSTOOD, NO_REQUEST);
        assert_eq!(door.taken("/hooks"), before, "{what}");
    }
}

/// Some servers read an underscore as a hyphen, some numbers as octal ones. Each of these gets one answer, and what stands
/// behind it is not looked at.
#[test]
fn a_length_that_could_be_read_in_two_ways_is_refused() {
    let door = Door::new();
    let hook = gitflic_push();
    let length = hook.len();
    let like = |own: &str, other: &str| {
        format!(
            "the request has a header {own}, which some servers read as {other} and others do not: write it with a hyphen, \
             or leave it out"
        )
    };
    let not_plain =
        "the Content-Length is not a plain number, which has no sign and no zeros at its beginning".to_owned();
    for (lines, says) in [
        (format!("Content_Length: {length}\r\n"), like("content_length", "content-length")),
        (format!("Content_Length: 5\r\nContent-Length: {length}\r\n"), like("content_length", "content-length")),
        (
            format!("Transfer_Encoding: chunked\r\nContent-Length: {length}\r\n"),
            like("transfer_encoding", "transfer-encoding"),
        ),
        ("TRANSFER_ENCODING: chunked\r\n".to_owned(), like("transfer_encoding", "transfer-encoding")),
        (format!("Content-Length: 0{length}\r\n"), not_plain.clone()),
        ("Content-Length: 00\r\n".to_owned(), not_plain),
    ] {
        let mut bytes = request(&lines, hook.as_bytes());
        bytes.extend_from_slice(&post(hook.as_bytes()));
        assert_eq!(statuses(&door, &bytes), ["400"], "{lines}");
        // Without a body, what stands behind would be the next request.
        let mut bytes = request(&lines, b"");
        bytes.extend_from_slice(&post(hook.as_bytes()));
        assert_eq!(statuses(&door, &bytes), ["400"], "{lines}");
        let answer = door.refuses(&request(&lines, hook.as_bytes()), 400, &says, ("/hooks", "no_request"));
        assert_eq!(answer.json()["error"], says.as_str());
        assert_eq!(door.taken("/hooks"), 0, "{lines}");
    }
    // Before the secret, which nothing is said of.
    let guarded = b"POST /guarded HTTP/1.1\r\nHost: x\r\nContent_Length: 1\r\n\r\n";
    door.refuses(guarded, 400, &like("content_length", "content-length"), ("/guarded", "no_request"));
}

/// What stands behind the last answer of a connection is not even looked at: no hook is taken that nobody hears of.
#[test]
fn nothing_behind_the_end_of_a_connection_is_taken() {
    let door = Door::new();
    for first in ["HEAD /hooks HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut bytes = first.as_bytes().to_vec();
        bytes.extend_from_slice(&post(gitflic_push().as_bytes()));
        assert_eq!(statuses(&door, &bytes), ["405"], "{first}");
        assert_eq!(door.taken("/hooks"), 0, "{first}");
    }
    door.goes_on();
}

#[test]
fn http_1_1_needs_a_host_and_http_1_0_a_length() {
    let door = Door::new();
    let hook = gitflic_push();
    let length = hook.len();
    let bytes = |head: &str| format!("{head}\r\n{hook}").into_bytes();
    let no_host = bytes(&format!("POST /hooks HTTP/1.1\r\nContent-Length: {length}\r\n"));
    let no_length = bytes("POST /hooks HTTP/1.0\r\n");
    let chunked = bytes("POST /hooks HTTP/1.0\r\nTransfer-Encoding: chunked\r\n");
    for request in [no_host, no_length, chunked] {
        door.refuses(&request, 400, NOT_UNDERSTOOD, NO_REQUEST);
    }
    let old = bytes(&format!("POST /hooks HTTP/1.0\r\nContent-Length: {length}\r\n"));
    assert_eq!(exchange(&door.app.address, &old).status, 200);
}

#[test]
fn chunks_that_are_none_end_the_request_and_the_connection() {
    let door = Door::new();
    let hook = gitflic_push();
    let (length, smuggled) = (hook.len(), String::from_utf8(post(hook.as_bytes())).unwrap());
    for (what, chunks) in [
        ("a size with a prefix", format!("0x{length:x}\r\n{hook}\r\n0\r\n\r\n")),
        ("a size with a sign", format!("+{length:x}\r\n{hook}\r\n0\r\n\r\n")),
        ("a negative size", format!("-{length:x}\r\n{hook}\r\n0\r\n\r\n")),
        ("a space behind the size", format!("{length:x} \r\n{hook}\r\n0\r\n\r\n")),
        ("a tab before an extension", format!("{length:x}\t;a=b\r\n{hook}\r\n0\r\n\r\n")),
        ("spaces behind the last size", format!("{length:x}\r\n{hook}\r\n0  \r\n\r\n")),
        ("a space before the size", format!(" {length:x}\r\n{hook}\r\n0\r\n\r\n")),
        ("an empty size", format!("\r\n{hook}\r\n0\r\n\r\n")),
        ("a size beyond 64 bits", format!("1{length:016x}\r\n{hook}\r\n0\r\n\r\n")),
        ("a bare LF behind the size", format!("{length:x}\n{hook}\r\n0\r\n\r\n")),
        ("a CR in an extension", format!("{length:x};a=b\rc\r\n{hook}\r\n0\r\n\r\n")),
        ("a LF in an extension", format!("{length:x};a=b\n{hook}\r\n0\r\n\r\n")),
        ("more than the size says", format!("{length:x}\r\n{hook}xx\r\n0\r\n\r\n")),
        ("less than the size says", format!("{:x}\r\n{hook}\r\n0\r\n\r\n", length + 1)),
        ("a size of many zeros", format!("{length:020x}\r\n{hook}\r\n0\r\n\r\n")),
        ("a long extension", format!("{length:x};{}\r\n{hook}\r\n0\r\n\r\n", "x".repeat(70_000))),
        ("a LF behind the last size", format!("{length:x}\r\n{hook}\r\n0\r\n\n")),
        ("a LF in a trailer", format!("{length:x}\r\n{hook}\r\n0\r\nX: a\nb\r\n\r\n")),
        ("a LF behind a trailer", format!("{length:x}\r\n{hook}\r\n0\r\nX: a\r\n\n")),
        ("a NUL in a trailer", format!("{length:x}\r\n{hook}\r\n0\r\nX: \0\r\n\r\n")),
        ("a folded trailer", format!("{length:x}\r\n{hook}\r\n0\r\nX: a\r\n b\r\n\r\n")),
        ("a request for a trailer", format!("{length:x}\r\n{hook}\r\n0\r\n")),
        ("a long trailer", format!("{length:x}\r\n{hook}\r\n0\r\nX: {}\r\n\r\n", "x".repeat(70_000))),
    ] {
        let before = door.taken("/hooks");
        let bytes = request("Transfer-Encoding: chunked\r\n", format!("{chunks}{smuggled}").as_bytes());
        assert_eq!(statuses(&door, &bytes), ["400"], "{what}");
        door.refuses(&bytes, 400, "is not made of chunks", ("/hooks", "bad_body"));
        assert_eq!(door.taken("/hooks"), before, "{what}");
    }
    // An extension and a trailer are allowed, and nobody looks at them.
    let good = format!("{length:x};a=b\r\n{hook}\r\n0\r\nX-Trailer: a\r\n\r\n");
    let answer = exchange(&door.app.address, &request("Transfer-Encoding: chunked\r\n", good.as_bytes()));
    assert_eq!(answer.json()["status"], "stored", "{answer:?}");
}

/// A body that hides a request is a body, whatever its answer is.
#[test]
fn no_second_hook_comes_out_of_the_body_of_a_first() {
    let door = Door::new();
    let inner = post(gitflic_push().as_bytes());
    for lines in ["", "Upgrade: websocket\r\nConnection: upgrade\r\n", "Expect: 100-continue\r\n"] {
        let bytes = request(&format!("{lines}Content-Length: {}\r\n", inner.len()), &inner);
        let answers = statuses(&door, &bytes);
        assert_eq!(answers.last().map(String::as_str), Some("400"), "{lines}: {answers:?}");
        assert!(!answers.iter().any(|status| status == "200"), "{lines}: {answers:?}");
    }
    // Those that are refused before their body is read end the connection, or their body is passed over.
    for (target, lines) in [("/nowhere", ""), ("/guarded", ""), ("/hooks", "Content-Encoding: gzip\r\n")] {
        let length = inner.len();
        let mut bytes =
            format!("POST {target} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {length}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(&inner);
        assert!(!statuses(&door, &bytes).contains(&"200".to_owned()), "{target}");
    }
    assert_eq!(door.taken("/hooks"), 0);
    door.goes_on();
}

/// RFC 9112 lets a server take lines that end in LF alone, and some take them for a part of a value: two readings.
#[test]
fn lines_that_end_with_lf_alone_are_refused() {
    let door = Door::new();
    let hook = gitflic_push();
    let length = hook.len();
    for head in [
        format!("POST /hooks HTTP/1.1\nHost: x\nContent-Length: {length}\n\n"),
        format!("POST /hooks HTTP/1.1\nHost: x\r\nContent-Length: {length}\r\n\r\n"),
        format!("POST /hooks HTTP/1.1\r\nHost: x\nContent-Length: {length}\r\n\r\n"),
        format!("POST /hooks HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\n\r\n"),
        format!("POST /hooks HTTP/1.1\r\nHost: x\r\nX-A: b\nContent-Length: {length}\r\n\r\n"),
        format!("POST /hooks HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\n"),
    ] {
        let bytes = format!("{head}{hook}").into_bytes();
        assert_eq!(statuses(&door, &[bytes.clone(), post(hook.as_bytes())].concat()), ["400"], "{head}");
        door.refuses(&bytes, 400, NOT_UNDERSTOOD, NO_REQUEST);
    }
    assert_eq!(door.taken("/hooks"), 0);
}

/// Several requests at once are answered one after another, and each answer says of the connection what its own request
/// does.
#[test]
fn a_connection_ends_behind_the_request_that_says_so() {
    let door = Door::with("", "duplicates = \"none\"");
    let hook = gitflic_push();
    let with = |lines: &str| request(&format!("{lines}Content-Length: {}\r\n", hook.len()), hook.as_bytes());
    let (plain, last) = (with(""), with("Connection: close\r\n"));
    let old =
        [format!("POST /hooks HTTP/1.0\r\nContent-Length: {}\r\n\r\n", hook.len()).into_bytes(), hook.clone().into()];
    let old = old.concat();
    let asking = with("Expect: 100-continue\r\n");
    let mut taken = 0;
    for (what, requests, answers) in [
        ("one, that is last", [&last, &plain, &plain], 1),
        ("two", [&plain, &last, &plain], 2),
        ("three", [&plain, &plain, &last], 3),
        ("in the words of HTTP/1.0", [&plain, &old, &plain], 2),
        ("one that asks whether to go on", [&plain, &last, &asking], 2),
    ] {
        let mut stream = connect(&door.app.address);
        stream.write_all(&requests.into_iter().flatten().copied().collect::<Vec<u8>>()).unwrap();
        let mut all = String::new();
        // It ends by itself, long before silence would end it.
        stream.read_to_string(&mut all).unwrap();
        assert!(!all.contains("100 Continue"), "{what}: {all}");
        // HTTP/1.0 ends a connection without a word.
        let is_closed = |one: &str| one.starts_with('0') || one.contains("connection: close");
        let closed: Vec<bool> = all.split("HTTP/1.").skip(1).map(is_closed).collect();
        let mut expected = vec![false; answers];
        expected[answers - 1] = true;
        assert_eq!(closed, expected, "{what}: {all}");
        taken += answers as u64;
        assert_eq!(door.taken("/hooks"), taken, "{what}");
    }
    door.goes_on();
}

#[test]
fn a_sender_that_asks_whether_to_go_on_is_told_so() {
    let door = Door::new();
    let hook = gitflic_push();
    let mut stream = connect(&door.app.address);
    let head = request(&format!("Expect: 100-continue\r\nContent-Length: {}\r\n", hook.len()), b"");
    stream.write_all(&head).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(hook.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
}

/// The word to go on and the answer may be ready at once: the first does not stand for the second.
#[test]
fn a_sender_that_does_not_wait_for_the_word_to_go_on_gets_its_answer_too() {
    let door = Door::new();
    let last = "Expect: 100-continue\r\nConnection: close\r\n";
    for (lines, body, status) in [
        (format!("{last}Content-Length: 2\r\n"), "[]", "400"),
        (format!("{last}Content-Length: 0\r\n"), "", "400"),
        (format!("{last}Transfer-Encoding: chunked\r\n"), "2\r\n[]\r\n0\r\n\r\n", "400"),
        ("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n".to_owned(), "2\r\n{}\r\n0\r\nX: a\nb\r\n\r\n", "400"),
    ] {
        for _ in 0..5 {
            let answers = statuses(&door, &request(&lines, body.as_bytes()));
            assert_eq!(answers.last().map(String::as_str), Some(status), "{lines}{answers:?}");
        }
    }
    let hook = gitflic_push();
    let answers = statuses(&door, &request(&format!("{last}Content-Length: {}\r\n", hook.len()), hook.as_bytes()));
    assert_eq!(answers.last().map(String::as_str), Some("200"), "{answers:?}");
}

/// Who may not send, or could not send this, is told so before the body comes, and in place of a word to go on.
#[test]
fn a_sender_that_asks_whether_to_go_on_gets_a_refusal_at_once() {
    let door = Door::with("", "rate_limit = \"1/h\"\nallow_from = [\"127.0.0.0/8\"]");
    let hook = gitflic_push();
    let length = hook.len();
    assert_eq!(exchange(&door.app.address, &post(hook.as_bytes())).status, 200);
    for (first, lines, status) in [
        ("POST /nowhere", format!("Content-Length: {length}\r\n"), "404"),
        ("PUT /hooks", format!("Content-Length: {length}\r\n"), "405"),
        ("POST /guarded", format!("Content-Length: {length}\r\n"), "401"),
        ("POST /guarded", "Transfer-Encoding: chunked\r\n".to_owned(), "401"),
        ("POST /hooks", format!("Content-Length: {length}\r\n"), "429"),
        ("POST /quiet", "Content-Length: 99999999\r\n".to_owned(), "413"),
        ("POST /quiet", format!("Content-Encoding: gzip\r\nContent-Length: {length}\r\n"), "415"),
    ] {
        let mut stream = connect(&door.app.address);
        let head = format!("{first} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{lines}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        assert!(all.starts_with(&format!("HTTP/1.1 {status} ")), "{first}: {all}");
        assert!(all.matches("HTTP/1.1").count() == 1 && all.contains("\r\nconnection: close\r\n"), "{first}: {all}");
    }
    door.goes_on();
}

#[test]
fn what_is_wrong_behind_a_good_request_is_answered_behind_its_answer() {
    let door = Door::new();
    let mut bytes = post(gitflic_push().as_bytes());
    bytes.extend_from_slice(b"garbage\r\n\r\n");
    assert_eq!(statuses(&door, &bytes), ["200", "400"]);
    door.wait_for_refused("", "no_request", 1);
    door.goes_on();
}

/// Bytes of every kind, made from a fixed seed: nothing panics, and each connection ends.
#[test]
fn no_bytes_at_all_do_harm() {
    let door = Door::new();
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let good = post(gitflic_push().as_bytes());
    for _ in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..=next(8) {
            let (at, head) = (next(good.len()), next(120));
            match next(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(head.min(bytes.len()), u8::try_from(next(256)).unwrap()),
                2 => drop(bytes.splice(head.min(bytes.len())..head.min(bytes.len()), b"\r\n".iter().copied())),
                _ => {
                    if let Some(byte) = bytes.get_mut(head) {
                        *byte = u8::try_from(next(256)).unwrap();
                    }
                }
            }
        }
        let mut stream = connect(&door.app.address);
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!(
            !all.starts_with(b"HTTP/1.1 5"),
            "{}\n{}",
            String::from_utf8_lossy(&bytes),
            String::from_utf8_lossy(&all)
        );
    }
    assert!(!door.app.log().contains("panicked"), "{}", door.app.log());
    door.goes_on();
}

/// The framework would leave the length aside, and wait for what never comes.
#[test]
fn a_websocket_is_refused_and_not_waited_for() {
    let door = Door::new();
    let hook = gitflic_push();
    let lines = format!("Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: {}\r\n", hook.len());
    door.refuses(&request(&lines, hook.as_bytes()), 400, "asks for a websocket", ("/hooks", "no_request"));
    let second = format!("Upgrade: h2c\r\n{lines}");
    door.refuses(&request(&second, hook.as_bytes()), 400, "asks for a websocket", ("/hooks", "no_request"));
}

/// The answer to a HEAD has a length and no body: nothing may come behind it that could be taken for one.
#[test]
fn a_connection_ends_with_the_answer_to_a_head_request() {
    let door = Door::new();
    let before = door.refused("/hooks", "method");
    let mut stream = connect(&door.app.address);
    stream.write_all(b"HEAD /hooks HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n").unwrap();
    let mut answer = String::new();
    // A connection that is reset has said what it says.
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    assert_eq!(door.refused("/hooks", "method"), before + 1);
    door.goes_on();
}
