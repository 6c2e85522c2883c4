use super::{Door, request};
use crate::config::{ConfigFile, ROUTE, assert_faults};
use crate::support::gitflic_push;
use crate::support::wire::exchange;

fn with_target(method: &str, target: &str) -> Vec<u8> {
    let hook = gitflic_push();
    format!("{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{hook}", hook.len()).into_bytes()
}

#[test]
fn hooks_come_by_post_alone() {
    let door = Door::new();
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "post", "BREW"] {
        let answer = door.refuses(&with_target(method, "/hooks"), 405, "hooks come by POST", ("/hooks", "method"));
        assert_eq!(answer.header("allow").as_deref(), Some("POST"));
    }
    let head = exchange(&door.app.address, b"HEAD /hooks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (405, ""));
    assert_eq!(door.taken("/hooks"), 0);
}

/// A path is taken letter by letter: what another spelling means, proxies and servers do not agree on. The query is nobody's.
#[test]
fn a_path_is_taken_letter_by_letter() {
    let door = Door::new();
    for path in [
        "/",
        "/nowhere",
        "/hooks/",
        "//hooks",
        "/hooks//",
        "/Hooks",
        "/%68ooks",
        "/hooks%2F",
        "/hooks%00",
        "/./hooks",
        "/x/../hooks",
        "/hooks/..",
        "/hooks;a=b",
        "/%2e%2e/hooks",
        "*",
    ] {
        let says = format!("no route has the path {path}");
        door.refuses(&with_target("POST", path), 404, &says, ("", "unknown_path"));
    }
    for target in ["/hooks", "/hooks?", "/hooks?token=a&b=/other", "http://elsewhere.example.org/hooks"] {
        let answer = exchange(&door.app.address, &with_target("POST", target));
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("stored")), "{target}: {answer:?}");
    }
}

#[test]
fn a_count_of_hops_that_is_none_ends_a_hook() {
    let door = Door::new();
    let send = |lines: &str| {
        let hook = gitflic_push();
        exchange(&door.app.address, &request(&format!("{lines}Content-Length: {}\r\n", hook.len()), hook.as_bytes()))
    };
    let ignored = |reason: &str| {
        door.app.metric(&format!("hookglot_ignored_total{{destination=\"\",reason=\"{reason}\"}}")).unwrap_or(0)
    };
    let garbage = ["", "one", "-1", "+4", "1.5", "0x5", "1, 1", "5;", "４", "NaN"];
    for value in garbage {
        let answer = send(&format!("Hookglot-Hops: {value}\r\n"));
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ignored")), "{value}: {answer:?}");
        assert!(answer.json()["reason"].as_str().unwrap().contains("Hookglot-Hops is not a number"), "{answer:?}");
    }
    assert_eq!(ignored("bad_hops"), garbage.len() as u64);
    for lines in
        ["Hookglot-Hops: 5\r\n", "Hookglot-Hops: 99999999999999999999\r\n", "Hookglot-Hops: 0\r\nHookglot-Hops: 7\r\n"]
    {
        assert!(send(lines).json()["reason"].as_str().unwrap().contains("goes in a circle"), "{lines}");
    }
    assert_eq!(ignored("loop"), 3);
    assert_eq!(send("Hookglot-Hops: 4\r\n").json()["status"], "stored");
    assert_eq!(door.tool.wait_for(1)[0].header("Hookglot-Hops"), Some("5"));
}

#[test]
fn limits_that_are_none_are_told_with_their_place() {
    let limits = "[limits]\nconnections = 0\nhead_timeout = \"0s\"\nkeep_alive = \"soon\"\nread_timeout = 0\n";
    assert_faults(
        &ConfigFile::new(&format!("{limits}{ROUTE}")).faults(&[], &[]),
        &[
            ("limits.connections", "expected a number from 1"),
            ("limits.head_timeout", "0: no request could come in"),
            ("limits.keep_alive", "expected a time such as"),
            ("limits.read_timeout", "0: no request could come in"),
        ],
    );
}
