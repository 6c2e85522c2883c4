//! `deliveries list`, `show`, `diff`, `tail` and `routes` before a server that answers as they want, and on a terminal.

use crate::support::app::command;
use crate::support::process::{Ended, Running, ended};
use crate::support::script::{Scripted, TOKEN, always, asking, events, json, problem, run};
use crate::support::shapes::{ID, OTHER, delivery, difference, whole};
use crate::support::terminal::Terminal;
use crate::support::wait_for;
use serde_json::{Value, json as value};

/// Answers `show` with a delivery and the lines that made it.
fn shows() -> Scripted {
    Scripted::new(|_, line| {
        if !line.ends_with("/explain") {
            return json(200, &whole());
        }
        let made = |path: &str, json: &str, line: u32| {
            value!({"path": path, "json": json, "file": "gitflic-to-gitlab/push.yaml", "line": line, "column": 3,
                "sources": [], "decided_by": []})
        };
        let body = [made("kind", "\"push\"", 7), made("tide.level", "12345678901234567890", 9)];
        json(200, &value!({"mapping": "gitflic-to-gitlab/push", "headers": [], "body": body}))
    })
}

#[test]
fn a_list_goes_on_from_page_to_page() {
    let server = Scripted::new(|number, line| {
        let (items, next) = match number {
            0 => (vec![delivery(ID); 500], Some(70)),
            // A page ends after a second of looking, whatever it has found.
            1 => (Vec::new(), Some(60)),
            _ => (vec![delivery(OTHER); 3], None),
        };
        assert_eq!(line.contains("before="), number > 0, "{line}");
        json(200, &value!({"items": items, "next": next}))
    });
    let all = run(&server, &["deliveries", "list", "--all", "--json", "--text", "a&b=c"]);
    assert_eq!((all.code, all.out.lines().count()), (Some(0), 503), "{:?}", all.err);
    let lines: Vec<String> = server.asked().into_iter().map(|(line, _)| line).collect();
    let query = |rest: &str| format!("GET /api/v1/deliveries?text=a%26b%3Dc{rest}&limit=500");
    assert_eq!(lines, [query(""), query("&before=70"), query("&before=60")]);
    let page = || value!({"items": [delivery(ID), delivery(OTHER)], "next": 7});
    let server = always(json(200, &page()));
    assert_eq!(run(&server, &["deliveries", "list", "--limit", "4"]).out.lines().count(), 5);
    assert!(server.asked()[1].0.ends_with("?before=7&limit=2"), "{:?}", server.asked());
    let counts = |number: usize| value!({"pending": 1, "delivered": 2, "ignored": 0, "failed": 4, "next": (number == 0).then_some(7)});
    let server = Scripted::new(move |number, _| json(200, &counts(number)));
    let counted = run(&server, &["deliveries", "list", "--count", "--json"]).json();
    assert_eq!(counted, value!({"pending": 2, "delivered": 4, "ignored": 0, "failed": 8}));
}

#[test]
fn each_field_of_the_sent_body_is_shown_with_the_line_that_made_it() {
    let shown = run(&shows(), &["deliveries", "show", ID]);
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""), "{shown:?}");
    let kind = format!("{:33}  gitflic-to-gitlab/push.yaml:7\n", "  \"kind\": \"push\",");
    assert!(shown.out.contains(&kind), "{}", shown.out);
    assert!(shown.out.contains("\"level\": 12345678901234567890  gitflic-to-gitlab/push.yaml:9\n"), "{}", shown.out);
    let unexplained = Scripted::new(|_, line| {
        if line.ends_with("/explain") { problem(404, "there is no such call") } else { json(200, &whole()) }
    });
    let shown = run(&unexplained, &["deliveries", "show", ID]);
    assert!(shown.code == Some(0) && shown.out.contains("\"kind\": \"push\",\n"), "{shown:?}");
    assert!(shown.err.contains("which lines made the body is not known: "), "{shown:?}");
}

#[test]
fn a_wide_terminal_has_both_bodies_beside_each_other_in_colour() {
    let server = shows();
    let mut wide = Terminal::start(asking(&server, &["deliveries", "show", ID]), 140);
    assert_eq!(wide.end(), Some(0));
    wide.wait_for("push.yaml:9");
    let shown = wide.shown();
    let line = shown.lines().find(|line| line.contains("push.yaml:7")).unwrap();
    assert!(line.starts_with("  \"tide\": 1234") && line.contains(" │   \"kind\": \"push\","), "{shown}");
    assert!(shown.contains("\u{1b}[31mfailed\u{1b}[0m"), "{shown}");
    let mut plain = asking(&server, &["deliveries", "show", ID]);
    plain.env("NO_COLOR", "1");
    let mut narrow = Terminal::start(plain, 80);
    assert_eq!(narrow.end(), Some(0));
    narrow.wait_for("push.yaml:9");
    assert!(!narrow.shown().contains('│') && !narrow.shown().contains('\u{1b}'), "{}", narrow.shown());
}

#[test]
fn as_curl_without_an_attempt_or_a_body_says_what_it_can() {
    let curl = run(&always(json(200, &whole())), &["deliveries", "show", ID, "--as-curl"]);
    assert!(
        curl.out.starts_with("printf %s '{\"kind\":\"push\"") && curl.out.contains("Content-Type: application/json")
    );
    assert!(curl.err.starts_with("hookglot: no attempt is kept: "), "{curl:?}");
    assert!(curl.err.ends_with("hookglot: put back what is `hidden` in the address\n"), "{curl:?}");
    let mut nothing = whole();
    nothing["outgoing"] = Value::Null;
    let curl = run(&always(json(200, &nothing)), &["deliveries", "show", ID, "--as-curl"]);
    assert!(curl.says(1).contains("nothing to send"), "{curl:?}");
}

#[test]
fn a_diff_ends_as_diff_does() {
    let differs = run(&always(json(200, &difference(false))), &["deliveries", "diff", ID]);
    assert_eq!(differs.code, Some(1));
    assert_eq!(differs.out, "- commits[0].title = \"a\"\n+ commits[0].title = \"b\\u{9b}\"\n+ tide = 1\n");
    let server = always(json(200, &difference(true)));
    let same = run(&server, &["deliveries", "diff", ID]);
    assert_eq!((same.code, same.out.as_str(), same.err.as_str()), (Some(0), "", ""));
    assert_eq!(server.asked()[0].0, format!("GET /api/v1/deliveries/{ID}/diff"));
    let mut refused = difference(false);
    (refused["anew"], refused["refused"]) = (Value::Null, "gitflic-to-gitlab/push.yaml:7: no tide".into());
    let refused = run(&always(json(200, &refused)), &["deliveries", "diff", ID]);
    assert!(refused.code == Some(1) && refused.err.contains("make nothing of it: gitflic-to-gitlab/push.yaml:7"));
    let missing = run(&always(problem(404, "there is no delivery")), &["deliveries", "diff", ID]);
    assert!(missing.says(2).contains("there is no delivery"), "{missing:?}");
    let json_differs = run(&always(json(200, &difference(false))), &["deliveries", "diff", ID, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&json_differs.out).unwrap(), difference(false));
}

fn happenings() -> Vec<Value> {
    let at = "2026-11-26T10:15:00.5Z";
    vec![
        value!({"at": at, "kind": "hook", "hook": OTHER, "route": "/", "forge": "gitflic", "event": "BRANCH_UPDATE",
            "project": "north\u{1b}[2J", "status": "stored", "reason": null}),
        value!({"at": at, "kind": "attempt", "hook": OTHER, "delivery": ID, "destination": "quay", "event": "BRANCH_UPDATE",
            "attempt": 1, "status": 503, "outcome": "again", "error": "503 Service Unavailable", "elapsed_ms": 12.4}),
        value!({"at": at, "kind": "ended", "hook": OTHER, "delivery": ID, "destination": "quay", "event": "BRANCH_UPDATE",
            "state": "failed", "reason": "410 Gone"}),
        value!({"at": at, "kind": "breaker", "destination": "pier", "is_open": true, "error": "no connection"}),
        value!({"at": at, "kind": "reload", "what": "mappings", "faults": []}),
    ]
}

/// Follows until there are so many lines, then ends it: what it printed.
fn tail(arguments: &[&str], lines: usize) -> Ended {
    let server = always(events(&happenings(), false));
    let tail = Running::start(asking(&server, &[&["deliveries", "tail"], arguments].concat()), b"");
    wait_for("lines", || (tail.out().lines().count() >= lines).then_some(()));
    tail.signal("INT");
    tail.end()
}

#[test]
fn a_tail_prints_a_line_for_what_happens_until_ctrl_c() {
    let all = tail(&[], 5);
    assert_eq!((all.code, all.err.as_str()), (Some(0), ""), "{all:?}");
    let expected = [
        format!("hook     {OTHER}  BRANCH_UPDATE of gitflic on /, project north\\u{{1b}}[2J: stored"),
        format!("attempt  {ID}  BRANCH_UPDATE to quay, attempt 1: 503 again in 12 ms: 503 Service Unavailable"),
        format!("ended    {ID}  BRANCH_UPDATE to quay: failed: 410 Gone"),
        "breaker  pier is down: nothing but probes is sent: no connection".to_owned(),
        "reload   mappings in force".to_owned(),
    ];
    let expected = expected.map(|line| format!("2026-11-26T10:15:00Z  {line}\n")).concat();
    assert_eq!(all.out, expected);
    let json = tail(&["--json", "--state", "failed"], 1);
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap(), happenings()[2]);
    assert_eq!(tail(&["--destination", "pier"], 1).out.lines().count(), 1);
    assert_eq!(tail(&["--event", "BRANCH_UPDATE"], 3).out.lines().count(), 3);
}

#[test]
fn a_tail_connects_again_and_ends_when_it_is_refused() {
    let server = Scripted::new(|number, _| match number {
        0 => events(&happenings()[..1], true),
        1 => String::new(),
        2 => events(&happenings()[4..], true),
        _ => problem(401, "a token that the configuration does not have"),
    });
    let done = run(&server, &["deliveries", "tail"]);
    assert_eq!((done.code, done.out.lines().count()), (Some(1), 2), "{done:?}");
    assert!(done.err.contains("trying again") && done.err.contains("connected again"), "{done:?}");
    assert!(done.err.contains("none that its configuration has"), "{done:?}");
}

#[test]
fn routes_are_shown_with_the_health_of_their_destinations() {
    let route = |path: &str, destinations: Value| value!({"path": path, "accept": ["gitflic"], "ack": "stored", "open": true, "signed": false, "destinations": destinations});
    let to = |name: &str, health: &str, pending: u64, oldest: Option<f64>, delivered: Option<&str>| {
        value!({"name": name, "url": "http://quay.example/", "format": "gitlab", "events": null, "branch_filter": null,
            "overlays": [], "order": "free", "health": health, "breaker_open": health == "down", "pending": pending,
            "oldest_pending_seconds": oldest, "last_delivered_at": delivered, "last_failed_at": null, "last_error": null,
            "since_start": {"delivered": 0, "failed": 0, "ignored": 0, "retried": 0}})
    };
    let quay = to("quay", "ok", 0, None, Some("2026-11-26T10:15:00Z"));
    let routes = value!([
        route("/", value!([quay, to("pier\u{1b}", "down", 7, Some(7300.5), None)])),
        route("/empty", value!([]))
    ]);
    let server = always(json(200, &routes));
    let table = run(&server, &["routes"]);
    assert_eq!(table.code, Some(0));
    let expected = "\
ROUTE   DESTINATION  FORMAT  HEALTH              PENDING  OLDEST  LAST DELIVERED        ADDRESS
/       quay         gitlab  ok                  0                2026-11-26T10:15:00Z  http://quay.example/
/       pier\\u{1b}   gitlab  down, breaker open  7        2h                            http://quay.example/
/empty
";
    assert_eq!(table.out, expected);
    let json = run(&server, &["routes", "--json"]);
    let lines: Vec<Value> = json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::from(lines), routes);
    assert!(server.heads()[0].contains(&format!("Bearer {TOKEN}")));
}

#[test]
fn a_redirect_is_not_followed_with_the_token() {
    let other = always(json(200, &value!([])));
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", other.url());
    let done = run(&always(redirect), &["routes"]);
    assert!(done.says(1).contains("answered 302"), "{done:?}");
    assert!(other.asked().is_empty());
}

#[test]
fn every_command_says_how_it_ends() {
    for words in [&["list"][..], &["show"], &["tail"], &["resend"], &["diff"]] {
        let help = ended(command(&[&["deliveries"], words, &["--help"]].concat()));
        assert!(help.code == Some(0) && help.out.contains("Exit codes: 0 "), "{help:?}");
        assert!(help.out.contains("HOOKGLOT_ADMIN_TOKEN_FILE"), "{help:?}");
    }
}
