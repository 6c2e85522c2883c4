use crate::support::app::command;
use crate::support::process::Running;
use crate::support::wait_for;
use crate::support::wire::{connect, post, read_answer};
use std::io::{Read, Write};
use std::process::Child;

#[test]
fn echo_prints_what_arrives_and_no_secret() {
    let echo = Running::start(command(&["echo", "--listen", "127.0.0.1:0"]), b"");
    let address = wait_for("echo to listen", || {
        Some(echo.out().lines().next()?.strip_prefix("echo listens on http://")?.to_owned())
    });
    let headers = [
        ("x-gitlab-event", "Push Hook"),
        ("X-GITLAB-TOKEN", "brass-lantern-77"),
        ("Gitflic-Webhook-Secret", "copper-kettle-12"),
        ("authorization", "Bearer tin-whistle-34"),
        ("Proxy-Authorization", "Basic tin-whistle-34"),
        ("Cookie", "session=tin-whistle-34"),
        ("set-cookie", "session=tin-whistle-34"),
        ("X-Harbour", "berth 7"),
    ];
    let answer = post(&address, "/hooks?berth=7", &headers, b"{\"ledger\":[1]}");
    assert_eq!(answer.status, 200);
    wait_for("the body", || echo.out().contains("\n{\n  \"ledger\": [\n    1\n  ]\n}\n").then_some(()));
    let printed = echo.out();
    for line in [
        "--- arrived: POST /hooks?berth=7",
        "X-Gitlab-Event: Push Hook",
        "X-Harbour: berth 7",
        "X-Gitlab-Token: [secret]",
        "Gitflic-Webhook-Secret: [secret]",
        "Authorization: [secret]",
        "Proxy-Authorization: [secret]",
        "Cookie: [secret]",
        "Set-Cookie: [secret]",
    ] {
        assert!(printed.lines().any(|own| own == line), "{line}:\n{printed}");
    }
    for secret in ["brass-lantern-77", "copper-kettle-12", "tin-whistle-34"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    // What is no JSON is printed as it is.
    post(&address, "/", &[], b"ahoy, {harbour");
    wait_for("the other body", || echo.out().contains("\nahoy, {harbour\n").then_some(()));
}

#[test]
fn echo_goes_on_when_nobody_reads_what_it_prints() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut echo = Silent(command(&["echo", "--listen", "127.0.0.1:0"]).stdout(writer).spawn().unwrap());
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && reader.read(&mut byte).unwrap() == 1 {
        line.extend_from_slice(&byte);
    }
    drop(reader);
    let line = String::from_utf8(line).unwrap();
    let address = line.trim().strip_prefix("echo listens on http://").unwrap();
    let mut stream = connect(address);
    for _ in 0..2 {
        stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!(read_answer(&mut stream).status, 200);
    }
    assert!(echo.0.try_wait().unwrap().is_none(), "echo has ended");
}

/// A process whose output nobody collects; killed with the test.
struct Silent(Child);

impl Drop for Silent {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
