use super::{Door, SECRET, is_refusal, request};
use crate::config::{ConfigFile, ROUTE, assert_faults};
use crate::support::app::command;
use crate::support::wire::{exchange, post as post_to};
use crate::support::{gitflic_push, wait_for};

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
    let tunnel = "CONNECT asks for a tunnel, which is not to be had here: hooks come by POST to a path";
    let connect = b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(door.refuses(connect, 405, tunnel, ("", "method")).json()["error"], tunnel);
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
        // What stands behind `=` may be a key.
        let says = format!("no route has the path {}", path.replace("hooks;a=b", "hidden"));
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
fn wrong_secrets_are_401_and_too_many_of_them_429() {
    let door = Door::with("sign_in_failures = \"5/h\"", "");
    let send = |from: Option<&str>, path: &str, secret: &str| {
        let address = from.map_or_else(|| door.app.address.clone(), ToOwned::to_owned);
        post_to(&address, path, &[("Gitflic-Webhook-Secret", secret)], gitflic_push().as_bytes())
    };
    for number in 0..5 {
        is_refusal(
            &send(None, "/guarded", &format!("guess-{number}")),
            401,
            "the secret of the hook is missing or wrong",
        );
    }
    for number in 0..3 {
        let answer = send(None, "/guarded", &format!("guess-{number}"));
        is_refusal(&answer, 429, "has been too often from this address");
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=720).contains(&seconds), "{answer:?}");
        assert_eq!(answer.header("connection").as_deref(), Some("close"));
    }
    assert_eq!((door.refused("/guarded", "secret"), door.refused("/guarded", "secret_too_often")), (5, 3));
    // The forge behind the same proxy is not shut out, nor does its hook let the stranger begin anew.
    assert_eq!(send(None, "/guarded", SECRET).json()["status"], "stored");
    assert_eq!(send(None, "/guarded", "guess").status, 429);
    door.goes_on();
}

#[test]
fn the_limit_of_wrong_secrets_cools_and_can_be_switched_off() {
    let wrong = |door: &Door| door.app.post("/guarded", &[], b"{}").status;
    let door = Door::with("sign_in_failures = \"1/s\"", "");
    assert_eq!(wrong(&door), 401);
    wait_for("too many", || (wrong(&door) == 429).then_some(()));
    wait_for("another 401", || (wrong(&door) == 401).then_some(()));
    let door = Door::with("sign_in_failures = \"none\"", "");
    assert!((0..30).all(|_| wrong(&door) == 401));
    assert_eq!(door.refused("/guarded", "secret"), 30);
}

#[test]
fn a_route_takes_as_many_hooks_as_its_rate_limit_allows() {
    let door = Door::with("", "rate_limit = \"3/h\"");
    let send = |secret: &str| door.app.post("/guarded", &[("X-Gitlab-Token", secret)], gitflic_push().as_bytes());
    // Who does not prove themselves does not use up what the forge may send.
    (0..5).for_each(|_| assert_eq!(send("guess").status, 401));
    (0..3).for_each(|_| assert_eq!(send(SECRET).status, 200));
    let answer = send(SECRET);
    is_refusal(&answer, 429, "more hooks come than the rate_limit of the route allows");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1_100..=1_200).contains(&seconds), "{answer:?}");
    assert_eq!(door.refused("/guarded", "rate"), 1);
    assert_eq!(door.app.metric("hookglot_requests_total{route=\"/guarded\",status=\"429\"}"), Some(1));
    // Each route has its own.
    assert_eq!(door.app.post("/hooks", &[], gitflic_push().as_bytes()).status, 200);
    door.goes_on();
}

#[test]
fn a_rate_limit_lets_hooks_in_again_as_time_goes_by() {
    let door = Door::with("", "rate_limit = \"2/s\"");
    let send = || door.app.post("/hooks", &[], gitflic_push().as_bytes()).status;
    wait_for("too many", || (send() == 429).then_some(()));
    wait_for("room", || (send() == 200).then_some(()));
}

#[test]
fn an_address_that_is_not_allowed_is_403_before_anything_is_read() {
    let door = Door::with("", "allow_from = [\"10.0.0.0/8\", \"2001:db8::/32\"]");
    let refused = ("/hooks", "address");
    let says = "it is not among the addresses of its allow_from";
    let answer = door.refuses(&with_target("POST", "/hooks"), 403, says, refused);
    assert_eq!(answer.header("connection").as_deref(), Some("close"));
    door.refuses(&with_target("GET", "/hooks"), 403, says, refused);
    // No body is waited for, and no secret is looked at.
    let before_the_body = b"POST /guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n";
    door.refuses(before_the_body, 403, says, ("/guarded", "address"));
    assert_eq!((door.taken("/hooks"), door.refused("/guarded", "secret")), (0, 0));
    // What a header says of an address is no address.
    let pretended = door.app.post("/hooks", &[("X-Forwarded-For", "10.0.0.1")], gitflic_push().as_bytes());
    assert_eq!(pretended.status, 403);
}

#[test]
fn an_address_that_is_allowed_comes_in_over_either_kind_of_socket() {
    let door = Door::with("", "allow_from = [\"127.0.0.0/8\", \"::1\"]");
    assert_eq!(door.app.post("/hooks", &[], gitflic_push().as_bytes()).status, 200);
    // An IPv6 socket shows the address 127.0.0.1 as ::ffff:127.0.0.1.
    let file = ConfigFile::new(&ROUTE.replace("secret =", "allow_from = [\"127.0.0.1\"]\nsecret ="));
    let mut serve = command(&["serve", "--config", file.shown()]);
    serve.args(["--listen", "[::]:0", "--admin-listen", "127.0.0.1:0"]);
    serve.env("HOOKGLOT_DATA_DIR", file.folder.path().join("data"));
    let running = crate::support::process::Running::start(serve, b"");
    let line = wait_for("an address", || {
        let log = running.err();
        log.lines().find(|line| line.contains("hooks come in on")).map(str::to_owned)
    });
    let port = line.rsplit(':').next().unwrap().trim();
    assert_eq!(post_to(&format!("127.0.0.1:{port}"), "/", &[], gitflic_push().as_bytes()).status, 200);
    let other = post_to(&format!("[::1]:{port}"), "/", &[], gitflic_push().as_bytes());
    assert_eq!(other.status, 403, "{other:?}");
}

#[test]
fn settings_of_access_that_are_none_are_told_with_their_place() {
    let route = ROUTE.replace(
        "secret =",
        "rate_limit = \"often\"\nallow_from = [\"10.0.0.1/8\", \"harbour\", \"::/200\"]\nsecret =",
    );
    let limits = "[limits]\nconnections = 0\nhead_timeout = \"0s\"\nkeep_alive = \"soon\"\nread_timeout = 0\n\
                  sign_in_failures = \"never\"\n";
    let said = ConfigFile::new(&format!("{limits}{route}")).faults(&[], &[]);
    let (ranges, others): (Vec<_>, Vec<_>) =
        said.into_iter().partition(|line| line.starts_with("route[0].allow_from: "));
    assert_faults(
        &others,
        &[
            ("limits.connections", "expected a number from 1"),
            ("limits.head_timeout", "0: no request could come in"),
            ("limits.keep_alive", "expected a time such as"),
            ("limits.read_timeout", "0: no request could come in"),
            ("limits.sign_in_failures", "expected a rate such as 100/s, 500/m or 2000/h, got `never`; or none"),
            ("route[0].rate_limit", "expected a rate such as 100/s, 500/m or 2000/h, got `often`"),
        ],
    );
    assert!(ranges[0].contains("`10.0.0.1/8` has bits behind its first 8: write 10.0.0.0/8"), "{ranges:?}");
    assert!(ranges[1].contains("got `harbour`") && ranges[2].contains("got `::/200`"), "{ranges:?}");
    let empty = ConfigFile::new(&ROUTE.replace("secret =", "allow_from = []\nsecret ="));
    let nobody = "an empty list: nobody could send to the route";
    assert_faults(&empty.faults(&[], &[]), &[("route[0].allow_from", nobody)]);
}

/// One request is one try: else a hundred secrets could be tried with each.
#[test]
fn secrets_that_contradict_each_other_open_nothing() {
    let door = Door::new();
    let hook = gitflic_push();
    let send = |lines: &str| {
        let head = format!("POST /guarded HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {}\r\n\r\n{hook}", hook.len());
        exchange(&door.app.address, head.as_bytes()).status
    };
    let right = format!("Gitflic-Webhook-Secret: {SECRET}\r\n");
    assert_eq!(send(&format!("Gitflic-Webhook-Secret: another\r\n{right}")), 401);
    assert_eq!(send(&format!("{right}Gitflic-Webhook-Secret: another\r\n")), 401);
    assert_eq!(send(&format!("{right}{right}")), 200);
    // Another kind of secret is another proof.
    assert_eq!(send(&format!("X-Gitlab-Token: another\r\n{right}")), 200);
}
