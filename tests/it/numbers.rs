//! Numbers for texts: no two texts have the same one, and each has the same on every route, for ever.

use crate::erasing::{WRITES, ask, look};
use crate::support::app::{App, command, serve_in};
use crate::support::process::{Ended, Running};
use crate::support::project_file;
use crate::support::receiver::Receiver;
use crate::support::wait_for;
use hookglot::mapping::identity;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

/// Titles of labels that have the same number by their hashes.
static COLLIDING: LazyLock<[String; 2]> = LazyLock::new(|| {
    let mut known = HashMap::new();
    let found = (0..400_000).find_map(|number| {
        let title = format!("berth {number}");
        let other = known.insert(identity::number("label", &title), title.clone())?;
        Some([other, title])
    });
    found.expect("among so many, two collide")
});

fn config(tools: &[&Receiver; 2]) -> String {
    let [one, other] = tools.map(|tool| &tool.url);
    let route = |name: &str, url: &str| {
        format!(
            "[[route]]\npath = \"/{name}\"\nsecret = \"none\"\n\
             [[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\nformat = \"gitlab\"\n"
        )
    };
    let tokens = format!("[[admin.token]]\nname = \"on-call\"\ntoken = \"{WRITES}\"\nrights = \"write\"\n");
    let reads = format!("[[admin.token]]\nname = \"board\"\ntoken = \"{}\"\n", crate::erasing::READS);
    format!("{tokens}{reads}{}{}", route("one", one), route("other", other))
}

/// An issue with labels, as GitFlic tells of it.
fn issue(labels: &[&str]) -> String {
    let mut hook: Value =
        serde_json::from_str(&project_file("mappings/gitflic-to-gitlab/examples/ISSUE_CREATE.json")).unwrap();
    hook["issue"]["labels"] = json!(labels);
    hook.to_string()
}

fn send(app: &App, route: &str, labels: &[&str]) {
    let answer = app.post(&format!("/{route}"), &[], issue(labels).as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The numbers of the labels of the hook that came last at a tool, after so many.
fn ids(tool: &Receiver, count: usize) -> Vec<u64> {
    let hook = tool.wait_for(count)[count - 1].json();
    hook["labels"].as_array().unwrap().iter().map(|label| label["id"].as_u64().unwrap()).collect()
}

fn hookglot_ids(app: &App, arguments: &[&str], input: &str) -> Ended {
    let mut ids = command(&[&["ids"], arguments].concat());
    ids.env("HOOKGLOT_ADMIN_URL", format!("http://{}", app.admin)).env("HOOKGLOT_ADMIN_TOKEN", WRITES);
    Running::start(ids, input.as_bytes()).end()
}

fn recorded(app: &App) {
    for name in ["one", "other"] {
        let pending = format!("hookglot_pending{{destination=\"{name}\"}} ");
        wait_for("the record of it", || app.metric(&pending).filter(|count| *count == 0));
    }
}

#[test]
fn what_collides_has_numbers_of_its_own_on_every_route_and_after_a_crash() {
    let ([first, second], folder) = (&*COLLIDING, tempfile::tempdir().unwrap());
    let (one, other) = (Receiver::content(), Receiver::content());
    let pure = u64::from(identity::number("label", first));
    let mut app = App::start(serve_in(folder.path(), &config(&[&one, &other])));
    send(&app, "one", &[second, first]);
    assert_eq!(ids(&one, 1), [pure, pure + 1], "who comes first has it");
    send(&app, "other", &[first]);
    assert_eq!(ids(&other, 1), [pure + 1]);
    recorded(&app);
    app.signal("KILL");
    app.wait();
    let app = App::start(serve_in(folder.path(), &config(&[&one, &other])));
    send(&app, "one", &[first, "cargo", second]);
    assert_eq!(ids(&one, 2), [pure + 1, u64::from(identity::number("label", "cargo")), pure]);
    let shown = look(&app, &format!("/api/v1/ids?kind=label&number={}", pure + 1));
    let item = &shown["items"][0];
    assert_eq!((&item["text"], &item["instance"]), (&json!(first), &json!("git.example.org")), "{shown}");
}

#[test]
fn without_its_number_nothing_is_sent() {
    let (folder, one) = (tempfile::tempdir().unwrap(), Receiver::content());
    let other = Receiver::content();
    let app = App::start(serve_in(folder.path(), &config(&[&one, &other])));
    send(&app, "one", &["cargo"]);
    ids(&one, 1);
    let database = rusqlite::Connection::open(folder.path().join("data/hookglot.db")).unwrap();
    database.busy_timeout(crate::support::DEADLINE).unwrap();
    let refusing = "CREATE TRIGGER refusing BEFORE INSERT ON number BEGIN SELECT raise(ABORT, 'no numbers today'); END";
    database.execute_batch(refusing).unwrap();
    send(&app, "one", &["quay"]);
    let said = app.wait_for_log("the store gives no numbers for what hooks name");
    assert!(said.contains("no numbers today"), "{said}");
    let errors = "hookglot_store_errors_total{reason=\"broken\"} ";
    wait_for("it to be tried again", || app.metric(errors).filter(|count| *count >= 2));
    // What names nothing new goes on.
    send(&app, "one", &["cargo"]);
    let cargo = u64::from(identity::number("label", "cargo"));
    assert_eq!(ids(&one, 2), [cargo]);
    database.execute_batch("DROP TRIGGER refusing").unwrap();
    assert_eq!(ids(&one, 3), [u64::from(identity::number("label", "quay"))]);
    assert_eq!(app.log().matches("the store gives no numbers").count(), 1, "it is said once");
}

#[test]
fn whoever_only_looks_makes_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Receiver::content(), Receiver::content());
    let app = App::start(serve_in(folder.path(), &config(&[&one, &other])));
    let asked = json!({"body": issue(&["cargo"]), "destination": "one", "explain": true}).to_string();
    let answer = ask(&app, "POST", "/api/v1/translate", WRITES, &asked);
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("translated")), "{answer:?}");
    assert_eq!(look(&app, "/api/v1/ids")["items"], json!([]));
    send(&app, "one", &["cargo"]);
    ids(&one, 1);
    let made = look(&app, "/api/v1/ids?kind=label");
    assert_eq!(made["items"].as_array().unwrap().len(), 1, "{made}");
    // What is made of it is shown with the numbers that it has.
    let delivery = &look(&app, "/api/v1/deliveries")["items"][0]["id"];
    let difference = look(&app, &format!("/api/v1/deliveries/{}/diff", delivery.as_str().unwrap()));
    assert_eq!(difference["same"], true, "{difference}");
}

/// A hookglot with a new store, in which the two that collide came in another order.
fn lost(folder: &Path, tools: &[&Receiver; 2]) -> App {
    App::start(serve_in(folder, &config(tools)))
}

#[test]
fn an_export_brings_a_lost_store_its_numbers_back() {
    let ([first, second], folder) = (&*COLLIDING, tempfile::tempdir().unwrap());
    let (one, other) = (Receiver::content(), Receiver::content());
    let pure = u64::from(identity::number("label", first));
    let mut app = App::start(serve_in(folder.path(), &config(&[&one, &other])));
    send(&app, "one", &[first, second, "cargo"]);
    let before = ids(&one, 1);
    assert_eq!(before[..2], [pure, pure + 1]);
    let export = folder.path().join("ids.jsonl");
    let export = export.to_str().unwrap();
    let exported = hookglot_ids(&app, &["export", export], "");
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let again = hookglot_ids(&app, &["export", export], "");
    assert!(again.code == Some(1) && again.err.contains("ids.jsonl"), "what is there is not written over: {again:?}");
    let unread = folder.path().join("unread.jsonl");
    let mut refused = command(&["ids", "export", unread.to_str().unwrap()]);
    refused
        .env("HOOKGLOT_ADMIN_URL", format!("http://{}", app.admin))
        .env("HOOKGLOT_ADMIN_TOKEN", "none-of-the-harbour");
    assert_eq!(Running::start(refused, b"").end().code, Some(1));
    assert!(!unread.exists(), "nothing is left that looks like an export");
    let printed = hookglot_ids(&app, &["export"], "");
    assert_eq!(printed.out, std::fs::read_to_string(export).unwrap());
    app.terminate();
    app.wait();

    let emptied = tempfile::tempdir().unwrap();
    let app = lost(emptied.path(), &[&one, &other]);
    let imported = hookglot_ids(&app, &["import", "-"], &printed.out);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    assert!(imported.out.ends_with(" numbers are taken, 0 are not\n"), "{imported:?}");
    assert_eq!(hookglot_ids(&app, &["import", export], "").code, Some(0), "twice is as once");
    send(&app, "other", &[second, first, "cargo"]);
    assert_eq!(ids(&other, 1), [before[1], before[0], before[2]]);
    let audit = look(&app, "/api/v1/audit?what=import_ids");
    let [latest, earlier] = [0, 1].map(|at| &audit["items"][at]);
    assert_eq!((&latest["who"], &latest["about"]["refused"]), (&json!("on-call"), &json!(0)));
    assert_eq!(earlier["about"]["taken"], printed.out.lines().count());
}

#[test]
fn what_cannot_be_imported_says_who_holds_what() {
    let ([first, second], folder) = (&*COLLIDING, tempfile::tempdir().unwrap());
    let (one, other) = (Receiver::content(), Receiver::content());
    let pure = identity::number("label", first);
    let app = App::start(serve_in(folder.path(), &config(&[&one, &other])));
    send(&app, "one", &[second]);
    ids(&one, 1);
    let line = |text: &str, number: u32| json!({"kind": "label", "text": text, "number": number}).to_string() + "\n";
    let lines = [line(first, pure), line(second, pure + 1), line("quay", 7)].concat();
    let imported = hookglot_ids(&app, &["import", "-"], &lines);
    assert_eq!((imported.code, imported.out.as_str()), (Some(1), "1 number is taken, 2 are not\n"), "{imported:?}");
    let said = [
        format!("hookglot: the label `{first}` cannot have the number {pure}: that stands for `{second}`"),
        format!("hookglot: the label `{second}` cannot have the number {}: it has the number {pure}", pure + 1),
    ];
    assert_eq!(imported.err.lines().collect::<Vec<_>>(), said);
    let listed = hookglot_ids(&app, &["list", "--text", "quay", "--json"], "");
    assert_eq!(listed.json()["number"], 7);
    assert!(hookglot_ids(&app, &["list", "--kind", "label"], "").out.starts_with("KIND   NUMBER"), "a table");

    for (lines, said) in [
        ("{\"kind\": \"label\"}\n", "-:1: no line of an export"),
        ("{\"kind\": \"lable\", \"text\": \"x\", \"number\": 1}\n", "items[0].kind: unknown kind `lable`"),
        ("{\"kind\": \"label\", \"text\": \"\", \"number\": 1}\n", "items[0].text: expected a text"),
        (
            "{\"kind\": \"label\", \"text\": \"x\", \"number\": 0}\n",
            "items[0].number: expected a number from 1 to 2147483647",
        ),
    ] {
        let refused = hookglot_ids(&app, &["import", "-"], lines);
        assert!(refused.code == Some(1) && refused.err.contains(said), "{refused:?}");
    }
    let looks = ask(&app, "POST", "/api/v1/ids", crate::erasing::READS, "{\"items\": []}");
    assert_eq!(looks.status, 403, "{looks:?}");
}

#[test]
fn a_number_of_somebody_who_is_erased_goes_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Receiver::content(), Receiver::content());
    let app = App::start(serve_in(folder.path(), &config(&[&one, &other])));
    send(&app, "one", &["for o.sedova", "cargo"]);
    let before = ids(&one, 1);
    recorded(&app);
    let answer = ask(&app, "POST", "/api/v1/erase", WRITES, "{\"user\": \"o.sedova\"}");
    assert_eq!((answer.status, &answer.json()["numbers"]), (200, &json!(1)), "{answer:?}");
    let left = look(&app, "/api/v1/ids?kind=label");
    assert_eq!((left["items"].as_array().unwrap().len(), &left["items"][0]["text"]), (1, &json!("cargo")), "{left}");
    // Another has taken it meanwhile: what was known in memory is not believed.
    let line = json!({"kind": "label", "text": "quay", "number": before[0]});
    assert_eq!(hookglot_ids(&app, &["import", "-"], &line.to_string()).code, Some(0));
    send(&app, "other", &["for o.sedova"]);
    assert_eq!(ids(&other, 1), [before[0] + 1]);
}

#[test]
fn the_way_back_is_the_uuid_of_the_own_instance() {
    let folder = tempfile::tempdir().unwrap();
    let (one, back) = (Receiver::content(), Receiver::content());
    let config = config(&[&one, &back]).replace(
        &format!("url = \"{}\"\nformat = \"gitlab\"", back.url),
        &format!("url = \"{}\"\nformat = \"gitflic\"", back.url),
    );
    let app = App::start(serve_in(folder.path(), &config));
    send(&app, "one", &[]);
    // What it became, sent by the same installation.
    let made = one.wait_for(1).remove(0);
    let event = made.header("X-Gitlab-Event").or_else(|| made.header("x-gitlab-event")).unwrap().to_owned();
    for (at, elsewhere) in [(1, false), (2, true)] {
        let body = String::from_utf8(made.body.clone()).unwrap();
        let body = if elsewhere { body.replace("git.example.org", "else.example.org") } else { body };
        let answer = app.post("/other", &[("X-Gitlab-Event", &event)], body.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        let hook = back.wait_for(at)[at - 1].json();
        let is_told = hook["project_id"] == "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92";
        assert_eq!(is_told, !elsewhere, "{hook}");
        assert_eq!(hook["issue"]["user_id"] == "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71", !elsewhere, "{hook}");
    }
}
