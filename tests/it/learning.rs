//! What hooks teach of an issue or a merge request, and what of it a later hook finds.

use crate::support::app::{App, serve_in};
use crate::support::project_file;
use crate::support::receiver::Receiver;
use crate::support::tool::nobodys_address;
use crate::support::wait_for;
use serde_json::{Value, json};

fn config(routes: &[(&str, &str, &str)]) -> String {
    let route = |(name, url, more): &(&str, &str, &str)| {
        format!(
            "[[route]]\npath = \"/{name}\"\nsecret = \"none\"\n[[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\n\
             format = \"gitlab\"\nprobe = \"200ms\"\nretries = [\"200ms\", \"200ms\"]\n{more}\n"
        )
    };
    routes.iter().map(route).collect()
}

/// An issue as a hook tells of it.
fn issue(action: &str, changes: &Value) -> String {
    let mut hook: Value =
        serde_json::from_str(&project_file("mappings/gitflic-to-gitlab/examples/ISSUE_CREATE.json")).unwrap();
    hook["action"] = action.into();
    for (name, value) in changes.as_object().unwrap() {
        hook["issue"][name] = value.clone();
    }
    hook.to_string()
}

/// A comment, which names its issue by its id alone.
fn comment() -> String {
    project_file("mappings/gitflic-to-gitlab/examples/NEW_ISSUE_NOTE.json")
}

fn send(app: &App, route: &str, body: &str, becomes: &str) {
    let answer = app.post(&format!("/{route}"), &[], body.as_bytes());
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some(becomes)), "{answer:?}");
}

fn title(got: &Value) -> &str {
    got["issue"]["title"].as_str().unwrap_or_default()
}

#[test]
fn a_hook_finds_what_those_before_it_told_also_to_nobody_and_before_a_crash() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let config = config(&[("one", &tool.url, "events = [\"NEW_ISSUE_NOTE\"]"), ("other", &tool.url, "")]);
    let mut app = App::start(serve_in(folder.path(), &config));
    // Nobody has told of it.
    send(&app, "one", &comment(), "stored");
    assert_eq!(title(&tool.wait_for(1)[0].json()), "Issue 12");
    send(&app, "one", &issue("ISSUE_CREATE", &json!({})), "ignored");
    // What is not recorded yet would be sent again.
    wait_for("the record of it", || app.metric("hookglot_pending{destination=\"one\"} ").filter(|count| *count == 0));
    app.signal("KILL");
    app.wait();
    let app = App::start(serve_in(folder.path(), &config));
    send(&app, "one", &comment(), "stored");
    let got = tool.wait_for(2)[1].json();
    assert_eq!((title(&got), got["issue"]["state"].as_str()), ("Moorings are counted twice", Some("opened")));
    // What is told anew takes the place of what was, and what is left out stays.
    send(
        &app,
        "one",
        &issue("ISSUE_UPDATE", &json!({"title": null, "description": null, "status": "CLOSED"})),
        "ignored",
    );
    send(&app, "one", &comment(), "stored");
    let got = tool.wait_for(3)[2].json();
    assert_eq!((title(&got), got["issue"]["state"].as_str()), ("Moorings are counted twice", Some("closed")));
    // Each route learns from its own hooks.
    send(&app, "other", &comment(), "stored");
    assert_eq!(title(&tool.wait_for(4)[3].json()), "Issue 12");
}

/// A hook is delivered with what was known when it came, whatever has come since.
#[test]
fn what_a_hook_has_seen_stays_as_it_was_however_late_it_is_delivered() {
    let (folder, address) = (tempfile::tempdir().unwrap(), nobodys_address());
    let config = config(&[("one", &format!("http://{address}/"), "")]);
    let mut app = App::start(serve_in(folder.path(), &config));
    for number in 0..6 {
        send(&app, "one", &issue("ISSUE_UPDATE", &json!({"title": format!("Title {number}")})), "stored");
        send(&app, "one", &comment(), "stored");
    }
    app.signal("KILL");
    app.wait();
    let tool = Receiver::at(address);
    let _app = App::start(serve_in(folder.path(), &config));
    let mut titles: Vec<String> = tool
        .wait_for(12)
        .iter()
        .map(crate::support::receiver::Got::json)
        .filter(|got| got["object_kind"] == "note")
        .map(|got| title(&got).to_owned())
        .collect();
    titles.sort();
    assert_eq!(titles, (0..6).map(|number| format!("Title {number}")).collect::<Vec<_>>());
}

#[test]
fn what_is_too_long_is_not_remembered_and_the_rest_is() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&[("one", &tool.url, "")])));
    send(&app, "one", &issue("ISSUE_CREATE", &json!({"description": "\u{1}".repeat(70_000)})), "stored");
    tool.wait_for(1);
    let line = app.wait_for_log("too long to be remembered");
    assert!(line.contains("WARN") && line.contains("unkept=\"description\""), "{line}");
    assert_eq!(app.metric("hookglot_unlearned_total{forge=\"gitflic\",route=\"/one\"}"), Some(1));
    send(&app, "one", &comment(), "stored");
    let note = tool.wait_for(2)[1].json();
    assert_eq!((title(&note), &note["issue"]["description"]), ("Moorings are counted twice", &json!("")));
    send(&app, "one", &issue("ISSUE_UPDATE", &json!({"status": "CLOSED"})), "stored");
    assert_eq!(tool.wait_for(3)[2].json()["object_attributes"]["action"], "close");
}

#[test]
fn a_hook_that_teaches_too_much_is_delivered_and_it_is_said() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&[("one", &tool.url, "")])));
    let labels: Vec<String> = (0..100).map(|number| format!("{number} {}", "x".repeat(3_000))).collect();
    send(&app, "one", &issue("ISSUE_CREATE", &json!({"labels": labels})), "stored");
    tool.wait_for(1);
    let line = app.wait_for_log("nothing is learned of this hook");
    assert!(
        line.contains("WARN") && line.contains("gitflic/forge.yaml:") && line.contains("may have 262144"),
        "{line}"
    );
    assert_eq!(app.metric("hookglot_unlearned_total{forge=\"gitflic\",route=\"/one\"}"), Some(1));
    send(&app, "one", &comment(), "stored");
    assert_eq!(title(&tool.wait_for(2)[1].json()), "Issue 12");
}
