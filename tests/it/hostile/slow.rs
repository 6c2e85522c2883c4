use super::{Door, is_refusal, post, request};
use crate::support::gitflic_push;
use crate::support::wire::{connect, read_answer};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Reads until the other side closes.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

#[test]
fn a_head_that_never_ends_is_408() {
    let door = Door::with("head_timeout = \"1s\"", "");
    let mut stream = connect(&door.app.address);
    stream.write_all(b"POST /hooks HTTP/1.1\r\nHost: x\r\nX-").unwrap();
    door.goes_on();
    let answer = read_answer(&mut stream);
    is_refusal(&answer, 408, "the head of the request did not come within 1 s");
    assert!(rest(&mut stream).is_empty());
    door.wait_for_refused("", "slow_head", 1);
    assert_eq!(door.app.metric("hookglot_requests_total{route=\"\",status=\"408\"}"), Some(1));
    assert!(door.app.wait_for_log("status=408").contains("from=\"127.0.0.1\""), "{}", door.app.log());
}

/// A byte now and then does not start the time anew.
#[test]
fn a_head_that_drips_is_408() {
    let door = Door::with("head_timeout = \"1s\"", "");
    let mut stream = connect(&door.app.address);
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    stream.write_all(b"POST /hooks HTTP/1.1\r\nHost: x\r\nX-A: ").unwrap();
    let mut byte = [0; 1];
    // The read waits, and ends with the answer; whatever comes before that is another byte of the head.
    let drips = (0..300).find(|_| stream.peek(&mut byte).is_ok() || stream.write_all(b"a").is_err());
    assert!(drips.is_some_and(|drips| drips > 3), "{drips:?}");
    is_refusal(&read_answer(&mut stream), 408, "the head of the request did not come within 1 s");
}

/// The framework keeps no time for the second head of a connection.
#[test]
fn the_second_head_of_a_connection_has_its_time_too() {
    let door = Door::with("head_timeout = \"1s\"", "");
    let mut stream = connect(&door.app.address);
    stream.write_all(&post(gitflic_push().as_bytes())).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    stream.write_all(b"POST /hooks HT").unwrap();
    is_refusal(&read_answer(&mut stream), 408, "the head of the request did not come within 1 s");
    // One and a half requests in one packet.
    let mut stream = connect(&door.app.address);
    let mut bytes = post(gitflic_push().as_bytes());
    bytes.extend_from_slice(b"POST /hooks HT");
    stream.write_all(&bytes).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    stream.write_all(b"TP").unwrap();
    is_refusal(&read_answer(&mut stream), 408, "the head of the request did not come within 1 s");
    door.goes_on();
}

#[test]
fn silence_ends_a_connection_without_a_word() {
    let door = Door::with("head_timeout = \"1s\"\nkeep_alive = \"5s\"", "");
    let since = Instant::now();
    let mut new = connect(&door.app.address);
    assert!(rest(&mut new).is_empty());
    assert!(since.elapsed() < Duration::from_secs(4), "a new one has the time of a head: {:?}", since.elapsed());
    let mut kept = connect(&door.app.address);
    kept.write_all(&post(gitflic_push().as_bytes())).unwrap();
    assert_eq!(read_answer(&mut kept).status, 200);
    let since = Instant::now();
    assert!(rest(&mut kept).is_empty());
    assert!(since.elapsed() > Duration::from_secs(4), "silence has its own time: {:?}", since.elapsed());
    // Empty lines are silence: no head begins with them, and no time begins anew.
    let mut kept = connect(&door.app.address);
    kept.write_all(&post(gitflic_push().as_bytes())).unwrap();
    assert_eq!(read_answer(&mut kept).status, 200);
    kept.write_all(b"\r\n").unwrap();
    let since = Instant::now();
    assert!(rest(&mut kept).is_empty());
    assert!(since.elapsed() > Duration::from_secs(4), "silence has its own time: {:?}", since.elapsed());
    assert_eq!(door.all_refused(), 0);
    door.goes_on();
}

/// It is neither silence nor the head of a new connection, and nothing comes behind it that would start its time.
#[test]
fn half_a_head_that_came_with_whole_requests_is_408_in_its_time() {
    let door = Door::with("head_timeout = \"1s\"", "");
    let hook = gitflic_push();
    let chunked = format!("{:x}\r\n{hook}\r\n0\r\n\r\n", hook.len());
    let chunked = request("Transfer-Encoding: chunked\r\n", chunked.as_bytes());
    let whole = [post(hook.as_bytes()), chunked, [post(hook.as_bytes()), post(hook.as_bytes())].concat()];
    let halves = ["P", "POST /hooks HT", "POST /hooks HTTP/1.1\r\nHost: x\r\n"];
    for (number, (whole, half)) in (1..).zip(whole.iter().zip(halves)) {
        let since = Instant::now();
        let mut stream = connect(&door.app.address);
        stream.write_all(&[whole, half.as_bytes()].concat()).unwrap();
        let text = String::from_utf8(rest(&mut stream)).unwrap();
        // Silence would end it after 75 s, and the test stops reading after 30.
        assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
        let statuses: Vec<&str> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        let (last, before) = statuses.split_last().unwrap();
        assert!(*last == "408" && !before.is_empty() && before.iter().all(|status| *status == "200"), "{text}");
        assert!(text.ends_with("{\"error\":\"the head of the request did not come within 1 s\"}"), "{text}");
        door.wait_for_refused("", "slow_head", number);
    }
    door.goes_on();
}

#[test]
fn a_body_that_never_ends_is_408() {
    let door = Door::with("read_timeout = \"1s\"", "");
    for start in [request("Content-Length: 10\r\n", b"{"), request("Transfer-Encoding: chunked\r\n", b"5\r\n{   ")] {
        let mut stream = connect(&door.app.address);
        stream.write_all(&start).unwrap();
        let answer = read_answer(&mut stream);
        is_refusal(&answer, 408, "the body did not come within 1 s");
        rest(&mut stream);
    }
    assert_eq!(door.refused("/hooks", "slow_body"), 2);
    door.goes_on();
}

/// Chunk after chunk, as fast as they go, for ever.
#[test]
fn chunks_without_end_are_413() {
    let door = Door::new();
    let mut stream = connect(&door.app.address);
    stream.write_all(&request("Transfer-Encoding: chunked\r\n", b"")).unwrap();
    let chunk = [b"10000\r\n", &[b' '; 0x10000][..], b"\r\n"].concat();
    // 25 MiB are 400 of these.
    let sent = (0..4_000).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!((400..4_000).contains(&sent), "{sent}");
    door.wait_for_refused("/hooks", "large_body", 1);
    assert_eq!(door.app.metric("hookglot_bytes_in_flight"), Some(0));
    door.goes_on();
}

/// Who may not send is not listened to for ever either.
#[test]
fn chunks_without_end_to_a_route_that_is_not_open_end_too() {
    let door = Door::with("head_timeout = \"1s\"", "");
    let mut stream = connect(&door.app.address);
    stream.write_all(b"POST /guarded HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let until = Instant::now() + crate::support::DEADLINE;
    while stream.write_all(b"1\r\n \r\n").is_ok() {
        assert!(Instant::now() < until, "it is listened to for ever");
    }
    assert_eq!(door.refused("/guarded", "secret"), 1);
    door.goes_on();
}

#[test]
fn half_a_request_is_told_and_counted() {
    let door = Door::new();
    for half in [
        request("Content-Length: 100\r\n", b"{\"a\":"),
        request("Transfer-Encoding: chunked\r\n", b"64\r\n{\"a\":"),
        request("Transfer-Encoding: chunked\r\n", b"2\r\n{}\r\n"),
    ] {
        let mut stream = connect(&door.app.address);
        stream.write_all(&half).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = read_answer(&mut stream);
        is_refusal(&answer, 400, "the body broke off before its end");
        assert!(rest(&mut stream).is_empty());
    }
    assert_eq!(door.refused("/hooks", "bad_body"), 3);
    let mut stream = connect(&door.app.address);
    stream.write_all(b"POST /hooks HTTP/1.1\r\nHo").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(rest(&mut stream).is_empty());
    door.wait_for_refused("", "broken_head", 1);
    door.app.wait_for_log("a connection ended within the head of a request");
    assert_eq!(door.taken("/hooks"), 0);
    door.goes_on();
}

/// Whoever asks on and on and never reads an answer is not served for ever.
#[test]
fn a_sender_that_does_not_read_its_answers_is_cut_off() {
    let door = Door::with("read_timeout = \"1s\"", "");
    let mut stream = connect(&door.app.address);
    let question = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200)).repeat(100);
    let until = Instant::now() + crate::support::DEADLINE;
    let error = loop {
        assert!(Instant::now() < until, "it is served for ever");
        if let Err(error) = stream.write_all(question.as_bytes()) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    door.goes_on();
}
