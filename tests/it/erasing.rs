use crate::support::app::{App, command, serve_in};
use crate::support::gitflic_push;
use crate::support::load::{mark, numbered_push};
use crate::support::process::{Ended, ended};
use crate::support::receiver::{Receiver, status};
use crate::support::tool::{Tool, nobodys_address};
use crate::support::wait_for;
use crate::support::wire::{Answer, exchange};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// The token that may change things, and the one that may only look.
pub const WRITES: &str = "writes-0123456789-harbour";
pub const READS: &str = "reads-0123456789-harbour";

/// Tokens of the admin API, and a route to a tool.
pub fn config(url: &str) -> String {
    format!(
        "[[admin.token]]\nname = \"on-call\"\ntoken = \"{WRITES}\"\nrights = \"write\"\n\
         [[admin.token]]\nname = \"board\"\ntoken = \"{READS}\"\n\
         [[route]]\npath = \"/\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"tool\"\nurl = \"{url}\"\nformat = \"gitlab\"\nretries = [\"1h\"]\n"
    )
}

/// Asks the admin API.
pub fn ask(app: &App, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n");
    let of_body = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    exchange(&app.admin, format!("{head}{of_body}\r\n{body}").as_bytes())
}

/// What the API gives to who may only look.
pub fn look(app: &App, path: &str) -> Value {
    let answer = ask(app, "GET", path, READS, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn erase(app: &App, order: &Value) -> Value {
    let answer = ask(app, "POST", "/api/v1/erase", WRITES, &order.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn forget(app: &App, arguments: &[&str]) -> Ended {
    let mut forget = command(&[&["forget"], arguments].concat());
    forget.env("HOOKGLOT_ADMIN_URL", format!("http://{}", app.admin)).env("HOOKGLOT_ADMIN_TOKEN", WRITES);
    ended(forget)
}

/// A push to another project, by somebody else.
fn others_push() -> String {
    gitflic_push()
        .replace("6d2b8f04-51c7-4e39-9a60-c3e5f7180b92", "0a4e7c15-93d8-4b26-8f71-2d6c9b0e5a38")
        .replace("north-harbour/ledger", "north-harbour/quay")
        .replace("Olga Vetrova", "Anna Belova")
        .replace("o.vetrova", "a.belova")
}

fn send(app: &App, hook: &str) -> String {
    let answer = app.post("/", &[], hook.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["delivery"].as_str().unwrap().to_owned()
}

fn delivered(app: &App, count: u64) {
    let path = "/api/v1/deliveries/count";
    wait_for("deliveries", || (look(app, path)["delivered"] == count).then_some(()));
}

/// Whether a text stands in a file of the store.
fn is_stored(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder.join("data")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| std::fs::read(file).unwrap()).any(|bytes| {
        let text = text.as_bytes();
        bytes.windows(text.len()).any(|window| window == text)
    })
}

#[test]
fn what_is_stored_of_somebody_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Receiver::scripted(|_| {
        "HTTP/1.1 200 OK\r\nX-To: o.vetrova\r\nContent-Length: 12\r\n\r\nOlga Vetrova".to_owned()
    });
    let mut app = App::start(serve_in(folder.path(), &config(&tool.url)));
    let (own, other) = (send(&app, &gitflic_push()), send(&app, &others_push()));
    delivered(&app, 2);
    assert!(is_stored(folder.path(), "o.vetrova@harbour.example.com") && is_stored(folder.path(), "Olga Vetrova"));

    let counted = forget(&app, &["--user", "O.Vetrova", "--dry-run"]);
    assert_eq!(counted.code, Some(0), "{counted:?}");
    // The tool said her name to the other hook as well.
    assert!(counted.out.starts_with("2 hooks with 2 deliveries and 2 attempts"), "{counted:?}");
    assert_eq!(look(&app, &format!("/api/v1/hooks/{own}"))["erased_at"], Value::Null);
    let unasked = forget(&app, &["--user", "O.Vetrova"]);
    assert_eq!(unasked.code, Some(1), "{unasked:?}");
    assert!(unasked.err.contains("--yes erases without asking"), "{unasked:?}");

    let forgotten = forget(&app, &["--user", "o.vetrova", "--yes"]);
    assert_eq!(forgotten.code, Some(0), "{forgotten:?}");
    for text in ["o.vetrova@harbour.example.com", "X-To", "Olga Vetrova"] {
        assert!(!is_stored(folder.path(), text), "{text}");
    }
    for hook in [own, other] {
        let shown = look(&app, &format!("/api/v1/hooks/{hook}"));
        assert!(shown["erased_at"].is_string() && shown["size"] == 0, "{shown}");
        assert_eq!(shown["deliveries"][0]["state"], "delivered");
    }
    assert!(!app.log().to_lowercase().contains("vetrova"), "{}", app.log());
    app.terminate();
    app.wait();
    assert!(!is_stored(folder.path(), "o.vetrova"));
}

#[test]
fn a_project_is_erased_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Receiver::content();
    let app = App::start(serve_in(folder.path(), &config(&tool.url)));
    let (own, other) = (send(&app, &gitflic_push()), send(&app, &others_push()));
    delivered(&app, 2);
    let forgotten = forget(&app, &["--project", "North-Harbour/ledger", "--yes"]);
    assert!(forgotten.out.starts_with("1 hook with 1 delivery and 1 attempt, "), "{forgotten:?}");
    assert!(!is_stored(folder.path(), "Olga Vetrova") && is_stored(folder.path(), "Anna Belova"));
    assert_eq!(look(&app, &format!("/api/v1/hooks/{own}"))["project"], Value::Null);
    assert_eq!(look(&app, &format!("/api/v1/hooks/{other}"))["erased_at"], Value::Null);
    let audit = look(&app, "/api/v1/audit?what=erase");
    let states: Vec<_> = audit["items"].as_array().unwrap().iter().map(|entry| &entry["about"]["state"]).collect();
    assert_eq!(states, ["done", "begun"]);
    assert_eq!(audit["items"][0]["who"], "on-call");
    assert_eq!(audit["items"][0]["about"]["erased"]["hooks"], 1);
}

#[test]
fn what_waits_is_left_until_it_is_said_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let address = nobodys_address();
    let app = App::start(serve_in(folder.path(), &config(&format!("http://{address}/"))));
    let hook = send(&app, &gitflic_push());
    app.wait_for_log("again");
    let left = forget(&app, &["--user", "o.vetrova", "--yes"]);
    assert_eq!(left.code, Some(1), "something is left: {left:?}");
    assert!(left.out.contains("1 delivery is waiting or under way"), "{left:?}");
    assert!(is_stored(folder.path(), "o.vetrova"));

    let erased = wait_for("its end", || {
        let erased = erase(&app, &json!({"user": "o.vetrova", "pending": true}));
        (erased["pending_left"] == 0).then_some(erased)
    });
    assert_eq!((&erased["hooks"], &erased["pending_ended"]), (&json!(1), &json!(1)));
    let shown = look(&app, &format!("/api/v1/hooks/{hook}"));
    assert_eq!(
        (&shown["deliveries"][0]["state"], &shown["deliveries"][0]["reason"]),
        (&json!("failed"), &json!("erased"))
    );
    wait_for("the queue", || app.metric("hookglot_pending{destination=\"tool\"} ").filter(|pending| *pending == 0));
    assert_eq!(app.metric("hookglot_deliveries_total{destination=\"tool\",outcome=\"failed\"} "), Some(1));
    assert!(app.log().contains("reason=\"erased\"") && !is_stored(folder.path(), "o.vetrova"));
}

#[test]
fn what_is_being_delivered_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (go, went) = std::sync::mpsc::channel();
    let went = std::sync::Mutex::new(went);
    let tool = Receiver::scripted(move |_| {
        let _ = went.lock().unwrap().recv();
        status(200, "")
    });
    let app = App::start(serve_in(folder.path(), &config(&tool.url)));
    send(&app, &gitflic_push());
    tool.wait_for(1);
    let erased = erase(&app, &json!({"user": "o.vetrova", "pending": true}));
    assert_eq!((&erased["hooks"], &erased["pending_left"]), (&json!(0), &json!(1)));
    go.send(()).unwrap();
    delivered(&app, 1);
    let erased = erase(&app, &json!({"user": "o.vetrova", "pending": true}));
    assert_eq!((&erased["hooks"], &erased["pending_left"]), (&json!(1), &json!(0)));
}

#[test]
fn what_is_of_others_arrives_once_while_somebody_is_erased_again_and_again() {
    const ALL: usize = 800;
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::scripted(|_| {
        std::thread::park_timeout(Duration::from_millis(10));
        status(200, "")
    });
    // More wait than are handed out at once.
    let config = config(&tool.url) + "concurrency = 1\n";
    let app = App::start(serve_in(folder.path(), &config));
    let others = |number: usize| number.is_multiple_of(2);
    let (mut ended, mut number) = (0, 0);
    let order = json!({"user": "o.vetrova", "pending": true});
    while number < ALL {
        for _ in 0..400 {
            let hook = numbered_push(number);
            send(&app, &if others(number) { hook.replace("o.vetrova", "a.belova") } else { hook });
            number += 1;
        }
        ended += erase(&app, &order)["pending_ended"].as_u64().unwrap();
    }
    let counts =
        wait_for("the end", || Some(look(&app, "/api/v1/deliveries/count")).filter(|counts| counts["pending"] == 0));
    assert_eq!((counts["failed"].as_u64(), counts["delivered"].as_u64()), (Some(ended), Some(ALL as u64 - ended)));
    let marks = tool.marks();
    for number in (0..ALL).filter(|number| others(*number)) {
        assert_eq!(marks.iter().filter(|own| **own == mark(number)).count(), 1, "{number}");
    }
    assert_eq!((marks.len() as u64, ended > 0), (ALL as u64 - ended, true));
    assert_eq!(erase(&app, &order)["pending_left"], 0);
    assert!(!is_stored(folder.path(), "o.vetrova"));
}

#[test]
fn orders_that_are_wrong_erase_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::start(serve_in(folder.path(), &config("http://127.0.0.1:9/")));
    for (order, status, says) in [
        ("", 400, "the body: "),
        ("{}", 422, "expected either `user` or `project`"),
        (r#"{"user": "olga", "project": "a/b"}"#, 422, "expected either"),
        (r#"{"user": "ol"}"#, 422, "user: expected a text of 3 to 1000 characters"),
        (r#"{"project": " / "}"#, 422, "project: expected a text of 1"),
        (r#"{"user": "olga", "dryrun": true}"#, 400, "unknown field `dryrun`"),
    ] {
        let answer = ask(&app, "POST", "/api/v1/erase", WRITES, order);
        assert_eq!(answer.status, status, "{order}");
        assert!(answer.json()["error"].as_str().unwrap().contains(says), "{order}: {answer:?}");
    }
    assert_eq!(ask(&app, "POST", "/api/v1/erase", READS, r#"{"user": "olga"}"#).status, 403);
    assert_eq!(ask(&app, "POST", "/api/v1/erase", "somebody-elses-0123456789", r#"{"user": "olga"}"#).status, 401);
    assert_eq!(look(&app, "/api/v1/audit?what=erase")["items"], json!([]));
}

#[test]
fn forget_says_what_it_lacks() {
    let without = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut forget = command(&[&["forget"], arguments].concat());
        forget.envs(variables.iter().copied());
        ended(forget)
    };
    let whose = without(&[], &[]);
    assert_eq!((whose.code, whose.err.contains("--user <TEXT>|--project <PROJECT>")), (Some(2), true), "{whose:?}");
    let port = nobodys_address().to_string();
    let nobody = without(&["--user", "olga"], &[("HOOKGLOT_ADMIN_TOKEN", WRITES), ("HOOKGLOT_ADMIN_LISTEN", &port)]);
    assert_eq!(
        (nobody.code, nobody.err.contains(&format!("http://{port}/: no connection"))),
        (Some(1), true),
        "{nobody:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{READS}\n")).unwrap();
    let app = App::start(serve_in(folder.path(), &config("http://127.0.0.1:9/")));
    let url = format!("http://{}", app.admin);
    let token = without(&["--user", "olga", "--url", &url], &[]);
    assert_eq!((token.code, token.err.contains("set HOOKGLOT_ADMIN_TOKEN")), (Some(1), true), "{token:?}");
    let reads = without(&["--user", "olga", "--url", &url], &[("HOOKGLOT_ADMIN_TOKEN_FILE", file.to_str().unwrap())]);
    assert_eq!((reads.code, reads.err.contains("may only look")), (Some(1), true), "{reads:?}");
}
