use super::{Door, post, request};
use crate::support::wire::{connect, exchange};
use crate::support::{gitflic_push, project_file, wait_for};
use std::io::{Read, Write};

const BAD_BODY: (&str, &str) = ("/hooks", "bad_body");

#[test]
fn what_is_not_json_is_told_with_line_and_column() {
    let door = Door::new();
    let not_json = "the body is not JSON: ";
    for (body, says) in [
        (&b"<xml/>"[..], "line 1, column 1: expected a value"),
        (b"{\n \"a\": tru}", "line 2, column 7: expected a value"),
        (b"{\"a\": 1,}", "line 1, column 9: "),
        (b"{\"a\": 1} x", "line 1, column 10: "),
        (b"{'a': 1}", "line 1, column 2: "),
        (b"{\"a\": NaN}", "line 1, column 7: expected a value"),
        (b"{\"a\": \"\x01\"}", "line 1, column 8: "),
        (b"payload=%7B%7D", "line 1, column 1: expected a value"),
        (b"\xef\xbb\xbf{}", "line 1, column 1: "),
        (b"{\"a\": \"b", "line 1, column "),
    ] {
        door.refuses(&post(body), 400, &format!("{not_json}{says}"), BAD_BODY);
    }
}

/// The sizes of chunks are no part of the body, however many they are.
#[test]
fn a_body_in_chunks_of_any_size_is_taken() {
    let door = Door::new();
    for (length, size) in [(50_000, 1), (200_000, 10), (2 << 20, 1000)] {
        let mut body = gitflic_push().into_bytes();
        body.resize(length, b' ');
        let mut chunked = Vec::new();
        for chunk in body.chunks(size) {
            chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            chunked.extend_from_slice(chunk);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        let answer = exchange(&door.app.address, &request("Transfer-Encoding: chunked\r\n", &chunked));
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{size}: {answer:?}");
    }
}

#[test]
fn json_that_is_not_an_object_is_no_hook() {
    let door = Door::new();
    for body in ["[]", "[{}]", "\"hook\"", "7", "null", "true"] {
        let says = "the body is JSON, but not an object; a hook is a JSON object";
        door.refuses(&post(body.as_bytes()), 400, says, BAD_BODY);
    }
}

#[test]
fn an_empty_body_is_no_hook() {
    let door = Door::new();
    let says = "the body is empty; a hook is a JSON object";
    assert_eq!(door.refuses(&post(b""), 400, says, BAD_BODY).json()["error"], says);
    door.refuses(&post(b" \n"), 400, "line 2, column 1: the text ends where a value should stand", BAD_BODY);
    door.refuses(&request("Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400, says, BAD_BODY);
}

/// Neither a length nor chunks: by RFC 9112, 6.3, there is no body, and what follows is the next request. Most likely it is the
/// body, so nothing that follows is looked at.
#[test]
fn a_post_without_a_length_has_no_body() {
    let door = Door::new();
    let says = "the body is empty: the request has neither a Content-Length nor Transfer-Encoding: chunked; a hook is a JSON object";
    assert_eq!(door.refuses(&request("", b""), 400, says, BAD_BODY).json()["error"], says);
    for body in [gitflic_push().into_bytes(), post(gitflic_push().as_bytes())] {
        let mut stream = connect(&door.app.address);
        stream.write_all(&request("", &body)).unwrap();
        let mut all = String::new();
        // A connection that is reset has said what it says.
        let _ = stream.read_to_string(&mut all);
        assert!(all.starts_with("HTTP/1.1 400 ") && all.matches("HTTP/1.1").count() == 1, "{all}");
        assert!(all.contains("\r\nconnection: close\r\n"), "{all}");
    }
    assert_eq!(door.taken("/hooks"), 0);
}

#[test]
fn a_body_of_25_mib_is_taken_and_one_byte_more_is_not() {
    let door = Door::new();
    let hook = gitflic_push();
    let mut body = vec![b' '; 25 << 20];
    body[..hook.len()].copy_from_slice(hook.as_bytes());
    let answer = door.app.post("/hooks", &[], &body);
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{answer:?}");
    body.push(b' ');
    let too_large = ("/hooks", "large_body");
    door.refuses(&post(&body), 413, "the body is larger than 26214400 bytes", too_large);
    let mut chunked = format!("{:x}\r\n", body.len()).into_bytes();
    chunked.extend_from_slice(&body);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let request = request("Transfer-Encoding: chunked\r\n", &chunked);
    door.refuses(&request, 413, "the body is larger than 26214400 bytes", too_large);
    assert_eq!(door.app.metric("hookglot_bytes_in_flight"), Some(0));
}

#[test]
fn ten_thousand_levels_are_too_deep() {
    let door = Door::new();
    let says = |column| format!("the body is nested too deeply: line 1, column {column}: at most 128 levels are read");
    door.refuses(&post("{\"a\":".repeat(10_000).as_bytes()), 400, &says(641), BAD_BODY);
    let whole = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    door.refuses(&post(whole.as_bytes()), 400, &says(133), BAD_BODY);
    // One level beyond, on another line; and the last that is read.
    let levels = |count: usize| format!("{}\n{}7{}", "{\"a\":".repeat(count - 1), "{\"a\":", "}".repeat(count));
    let says = "the body is nested too deeply: line 2, column 1: at most 128 levels are read";
    assert_eq!(door.refuses(&post(levels(129).as_bytes()), 400, says, BAD_BODY).json()["error"], says);
    assert_eq!(exchange(&door.app.address, &post(levels(128).as_bytes())).status, 200);
}

#[test]
fn bytes_that_are_not_utf_8_are_told_with_their_place() {
    let door = Door::new();
    for (body, column) in [
        (&b"{\"a\":\"\xff\"}"[..], 7),
        // Half a character, a surrogate, a slash in two bytes.
        (b"{\"a\":\"\xd0\"}", 7),
        (b"{\"a\":\"\xed\xa0\x80\"}", 7),
        (b"{\"a\":\"\xc0\xaf\"}", 7),
    ] {
        let says = format!("the body is not JSON: line 1, column {column}: this byte is not UTF-8");
        door.refuses(&post(body), 400, &says, BAD_BODY);
    }
}

#[test]
fn of_duplicate_keys_the_last_one_wins_everywhere() {
    let door = Door::new();
    let plain = gitflic_push();
    let twice = plain
        .replacen('{', "{\"action\": \"MOON_PHASE\", \"project\": 7, \"push\": {\"after\": null}, ", 1)
        .replace("\"after\":", "\"after\": 0, \"after\":");
    assert!(twice.matches("\"after\":").count() > 2 * plain.matches("\"after\":").count());
    for body in [&plain, &twice] {
        assert_eq!(door.app.post("/hooks", &[], body.as_bytes()).json()["status"], "stored");
    }
    let got = door.tool.wait_for(2);
    assert_eq!(got[0].json(), got[1].json());
    assert_eq!(door.taken("/hooks"), 2);
    door.goes_on();
}

/// A number that no integer of 64 bits holds goes on digit by digit where it is copied; where a mapping works with it, the
/// delivery fails with the line that does. Nothing is rounded in silence.
#[test]
fn numbers_beyond_64_bits_are_copied_or_told_with_their_line() {
    let door = Door::new();
    let (push, merge_request) = (
        project_file("mappings/gitlab-to-gitflic/examples/push.json"),
        project_file("mappings/gitflic-to-gitlab/examples/MERGE_REQUEST_CREATE.json"),
    );
    let numbers = ["9223372036854775808", "18446744073709551616", "-99999999999999999999999", "1e400"];
    for (at, number) in numbers.into_iter().enumerate() {
        let copied = push.replacen('{', &format!("{{\"odd\": {number}, "), 1);
        assert_eq!(door.app.post("/hooks", &[], copied.as_bytes()).json()["status"], "stored");
        let got = door.tool.wait_for(at + 1);
        assert_eq!(String::from_utf8_lossy(&got[at].body), copied);
        let worked_with = merge_request.replace("\"local_id\": 7", &format!("\"local_id\": {number}"));
        assert_ne!(worked_with, merge_request);
        assert_eq!(door.app.post("/hooks", &[], worked_with.as_bytes()).json()["status"], "stored");
        let is_told = |line: &&str| line.contains("ERROR failed") && line.contains(&format!("got `{number}`"));
        let line = wait_for("the failure", || door.app.log().lines().find(is_told).map(str::to_owned));
        assert!(line.contains("mappings/gitflic-to-gitlab/merge-request.yaml:"), "{line}");
    }
    door.goes_on();
}

#[test]
fn a_packed_body_is_refused_and_one_that_says_identity_is_not() {
    let door = Door::new();
    for encoding in ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "x-gzip"] {
        let says = format!("the body is encoded with {encoding}: forges send plain JSON");
        let body = b"\x1f\x8b\x08";
        let lines = format!("Content-Encoding: {encoding}\r\nContent-Length: {}\r\n", body.len());
        door.refuses(&request(&lines, body), 415, &says, ("/hooks", "encoding"));
    }
    let lines = "Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n";
    door.refuses(&request(lines, b"{}"), 415, "encoded with gzip", ("/hooks", "encoding"));
    let empty = "the header Content-Encoding is empty: leave it out, forges send plain JSON";
    let lines = "Content-Encoding: \r\nContent-Length: 2\r\n";
    assert_eq!(door.refuses(&request(lines, b"{}"), 415, empty, ("/hooks", "encoding")).json()["error"], empty);
    for encoding in ["identity", "Identity"] {
        let answer = door.app.post("/hooks", &[("Content-Encoding", encoding)], gitflic_push().as_bytes());
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{answer:?}");
    }
}
