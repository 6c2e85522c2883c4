use crate::support::app::App;
use crate::support::receiver::{Receiver, status};
use crate::support::wire::{connect, read_answer};
use crate::support::{DEADLINE, gitflic_push};
use std::io::{ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

fn sidecar(tool: &Receiver, grace: &str) -> App {
    App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "none"),
        ("HOOKGLOT_GRACE", grace),
        ("HOOKGLOT_STORE", "memory"),
    ])
}

/// A tool whose answers wait until they are let go.
fn held() -> (Receiver, Arc<(Mutex<bool>, Condvar)>) {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let own = Arc::clone(&gate);
    let tool = Receiver::scripted(move |_| {
        let open = own.0.lock().unwrap();
        drop(own.1.wait_while(open, |open| !*open).unwrap());
        status(200, "")
    });
    (tool, gate)
}

#[test]
fn what_is_in_flight_is_finished_before_a_stop_exits_0() {
    let (tool, gate) = held();
    let mut app = sidecar(&tool, "20s");
    for _ in 0..12 {
        assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    }
    tool.wait_for(1);
    app.terminate();
    app.wait_for_log("stopping");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    let ended = app.wait();
    assert_eq!(ended.code(), Some(0), "{}", app.log());
    assert_eq!(tool.got().len(), 12, "accepted hooks are delivered before the process ends");
    assert!(!app.log().contains("lost:"), "{}", app.log());
}

#[test]
fn a_stop_gives_up_after_the_grace_time_and_says_what_is_lost() {
    let (tool, _gate) = held();
    let mut app = sidecar(&tool, "1s");
    let id = app.post("/", &[], gitflic_push().as_bytes()).json()["delivery"].as_str().unwrap().to_owned();
    tool.wait_for(1);
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    let log = app.log();
    assert!(log.contains("the grace time is over"), "{log}");
    let lost: Vec<&str> = log.lines().filter(|line| line.contains("lost: it waited in memory")).collect();
    assert!(lost.len() == 1 && lost[0].contains(&id) && lost[0].contains("event=\"BRANCH_UPDATE\""), "{log}");
}

#[test]
fn an_idle_connection_does_not_hold_up_a_stop() {
    let tool = Receiver::content();
    let mut app = sidecar(&tool, "20s");
    let mut idle = connect(&app.address);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_eq!(read_answer(&mut idle).status, 405);
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    assert!(!app.log().contains("the grace time is over"), "{}", app.log());
}

/// The framework would drop a connection that has not brought a request a moment after the stop.
#[test]
fn a_head_that_has_begun_may_come_slowly() {
    let tool = Receiver::content();
    let mut app = sidecar(&tool, "20s");
    let body = gitflic_push();
    let mut stream = connect(&app.address);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    app.terminate();
    app.wait_for_log("stopping");
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    for _ in 0..12 {
        // The read waits, and finds neither an answer nor an end.
        let read = stream.peek(&mut [0]);
        assert!(read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{}", app.log());
        stream.write_all(b"a").unwrap();
    }
    stream.write_all(format!("\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    assert_eq!(app.wait().code(), Some(0));
    assert_eq!(tool.got().len(), 1);
    assert!(!app.log().contains("the grace time is over"), "{}", app.log());
}

#[test]
fn a_head_that_never_comes_does_not_keep_a_stop_waiting_for_all_of_the_grace_time() {
    let tool = Receiver::content();
    let mut app = sidecar(&tool, "2s");
    let mut stream = connect(&app.address);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    app.terminate();
    assert_eq!(app.wait().code(), Some(0));
    assert!(!app.log().contains("the grace time is over"), "{}", app.log());
}

#[test]
fn a_request_under_way_is_answered_and_delivered() {
    let tool = Receiver::content();
    let mut app = sidecar(&tool, "20s");
    let body = gitflic_push();
    let mut stream = connect(&app.address);
    stream
        .write_all(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes())
        .unwrap();
    stream.write_all(&body.as_bytes()[..100]).unwrap();
    crate::support::wait_for("the first bytes", || app.metric("hookglot_bytes_in_flight").filter(|bytes| *bytes > 0));
    app.terminate();
    app.wait_for_log("stopping");
    stream.write_all(&body.as_bytes()[100..]).unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    assert_eq!(app.wait().code(), Some(0));
    assert_eq!(tool.got().len(), 1);
}
