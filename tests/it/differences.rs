//! What an update did and whom it was done by, found out from what the hooks before it told.

use crate::support::app::{App, command, serve_in};
use crate::support::asker::{TOKEN, posted, shown};
use crate::support::load::Client;
use crate::support::process::{Ended, Running};
use crate::support::project_file;
use crate::support::receiver::Receiver;
use crate::support::wait_for;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn config(routes: &[(&str, &str, &str)]) -> String {
    let token = format!("admin_token = \"{TOKEN}\"\n");
    let route = |(name, url, format): &(&str, &str, &str)| {
        format!(
            "[[route]]\npath = \"/{name}\"\nsecret = \"none\"\n[[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\n\
             format = \"{format}\"\norder = \"project\"\n"
        )
    };
    token + &routes.iter().map(route).collect::<String>()
}

fn hook(folder: &str, name: &str, object: &str, changes: &Value) -> String {
    let mut hook: Value = serde_json::from_str(&project_file(&format!("mappings/{folder}/examples/{name}"))).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        hook[object][name] = value.clone();
    }
    hook.to_string()
}

fn issue(event: &str, changes: &Value) -> String {
    hook("gitflic-to-gitlab", &format!("{event}.json"), "issue", changes)
}

fn send(app: &App, route: &str, body: &str) -> String {
    let answer = app.post(&format!("/{route}"), &[], body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["delivery"].as_str().unwrap().to_owned()
}

fn last(tool: &Receiver, count: usize) -> Value {
    tool.wait_for(count)[count - 1].json()
}

fn action(hook: &Value) -> &str {
    hook["object_attributes"]["action"].as_str().unwrap_or_default()
}

#[test]
fn two_routes_that_get_the_same_hook_each_see_the_difference() {
    let (one, other, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
    let config = config(&[("one", &one.url, "gitlab"), ("other", &other.url, "gitlab")]);
    let app = App::start(serve_in(folder.path(), &config));
    for (number, status) in ["OPEN", "CLOSED", "IN_PROGRESS"].into_iter().enumerate() {
        let event = if number == 0 { "ISSUE_CREATE" } else { "ISSUE_UPDATE" };
        for route in ["one", "other"] {
            send(&app, route, &issue(event, &json!({"status": status})));
        }
    }
    for tool in [&one, &other] {
        let hooks = tool.wait_for(3);
        let actions: Vec<String> = hooks.iter().map(|got| action(&got.json()).to_owned()).collect();
        assert_eq!(actions, ["open", "close", "reopen"]);
        let states: Vec<Value> = hooks.iter().map(|got| got.json()["changes"]["state_id"].clone()).collect();
        assert_eq!(states, [Value::Null, json!({"previous": 1, "current": 2}), json!({"previous": 2, "current": 1})]);
    }
}

#[test]
fn a_repeat_changes_nothing() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&[("one", &tool.url, "gitlab")])));
    send(&app, "one", &issue("ISSUE_CREATE", &json!({"title": "Lamp", "status": "OPEN"})));
    let closed = issue("ISSUE_UPDATE", &json!({"title": "New lamp", "status": "CLOSED"}));
    send(&app, "one", &closed);
    let first = last(&tool, 2);
    assert_eq!((action(&first), &first["changes"]["title"]["previous"]), ("close", &json!("Lamp")), "{first}");
    send(&app, "one", &closed);
    let second = last(&tool, 3);
    assert_eq!(action(&second), "update");
    let changed: Vec<&String> = second["changes"].as_object().unwrap().keys().collect();
    assert_eq!(changed, ["updated_at"], "{second}");
    let times = |hook: &Value, name: &str| hook["object_attributes"][name].clone();
    assert_eq!(times(&second, "closed_at"), times(&first, "closed_at"));
    assert_eq!(times(&second, "created_at"), times(&first, "created_at"));
}

/// Sent again, it says what it said, whatever has come since, and teaches nothing anew.
#[test]
fn a_resend_says_what_was_changed_then() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&[("one", &tool.url, "gitlab")])));
    send(&app, "one", &issue("ISSUE_CREATE", &json!({"title": "Lamp"})));
    let renamed = send(&app, "one", &issue("ISSUE_UPDATE", &json!({"title": "New lamp"})));
    send(&app, "one", &issue("ISSUE_UPDATE", &json!({"title": "Newest lamp"})));
    tool.wait_for(3);
    for (count, how) in [(4, "as_sent"), (5, "anew")] {
        let listed = shown(&app, &format!("/hooks/{renamed}"));
        let delivery = listed["deliveries"][0]["id"].as_str().unwrap().to_owned();
        let answer = posted(&app, &format!("/deliveries/{delivery}/resend"), &json!({"how": how}));
        assert_eq!(answer.status, 200, "{answer:?}");
        let again = last(&tool, count);
        assert_eq!(again["changes"]["title"], json!({"previous": "Lamp", "current": "New lamp"}), "{how}");
    }
    send(&app, "one", &issue("ISSUE_UPDATE", &json!({"title": "Lamp at last"})));
    assert_eq!(last(&tool, 6)["changes"]["title"]["previous"], "Newest lamp");
}

/// What was stored has taught, what was not has not: the chain of titles has no gap, however often the process is killed.
#[test]
fn a_crash_while_it_learns_leaves_no_gap() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let config = config(&[("one", &tool.url, "gitlab")]);
    let next = Arc::new(AtomicUsize::new(0));
    for round in 0..6 {
        let mut app = App::start(serve_in(folder.path(), &config));
        let (mut client, next, reached) = (Client::new(&app.address), Arc::clone(&next), 20 * (round + 1));
        let count = Arc::clone(&next);
        let sender = std::thread::spawn(move || {
            loop {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let body = issue("ISSUE_UPDATE", &json!({"title": format!("Title {number}")}));
                // Nobody answers any more: the process was killed meanwhile.
                if client.post("/one", &[], body.as_bytes()).is_none() {
                    return;
                }
            }
        });
        wait_for("some hooks", || (next.load(Ordering::SeqCst) > reached).then_some(()));
        app.signal("KILL");
        app.wait();
        sender.join().unwrap();
    }
    let app = App::start(serve_in(folder.path(), &config));
    send(&app, "one", &issue("ISSUE_UPDATE", &json!({"title": "The last"})));
    let is_last = |hook: &Value| hook["object_attributes"]["title"] == "The last";
    let hooks = wait_for("the last hook", || {
        let hooks: Vec<Value> = tool.got().iter().map(crate::support::receiver::Got::json).collect();
        hooks.iter().any(is_last).then_some(hooks)
    });
    // A crash may repeat an attempt: the same hook twice in a row.
    let mut chain: Vec<(Option<String>, String)> = hooks
        .iter()
        .map(|hook| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let title = text(&hook["object_attributes"]["title"]).unwrap();
            (text(&hook["changes"]["title"]["previous"]), title)
        })
        .collect();
    chain.dedup();
    assert!(chain.len() > 100, "{}", chain.len());
    for pair in chain.windows(2) {
        assert_eq!(pair[1].0.as_ref(), Some(&pair[0].1), "each knows the one stored before it: {pair:?}");
    }
}

#[test]
fn a_late_hook_of_gitlab_teaches_nothing_and_what_is_merged_stays_so() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::start(serve_in(folder.path(), &config(&[("one", &tool.url, "gitflic")])));
    let request =
        |changes: &Value| hook("gitlab-to-gitflic", "merge-request-update.json", "object_attributes", changes);
    send(&app, "one", &request(&json!({"title": "New", "updated_at": "2026-02-03T09:20:00.000Z"})));
    send(&app, "one", &request(&json!({"title": "Old", "updated_at": "2026-02-03T09:19:00.000Z"})));
    let states = || shown(&app, "/states")["items"][0]["state"].clone();
    tool.wait_for(2);
    assert_eq!(states()["title"], "New");
    let merged = json!({"action": "merge", "state": "merged", "updated_at": "2026-02-03T09:30:00.000Z"});
    send(&app, "one", &request(&merged));
    assert_eq!(last(&tool, 3)["merge_request"]["status"], "MERGED");
    // GitLab writes hooks side by side: of the same second one may still say opened.
    send(&app, "one", &request(&json!({"state": "opened", "updated_at": "2026-02-03T09:30:00.000Z"})));
    assert_eq!(last(&tool, 4)["merge_request"]["status"], "MERGED");
    assert_eq!(states()["state"], "merged");
}

#[test]
fn who_wants_nothing_remembered_has_nothing_remembered() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let config = config(&[("one", &tool.url, "gitlab")]) + "[retention]\nstates = \"0s\"\n";
    let app = App::start(serve_in(folder.path(), &config));
    send(&app, "one", &issue("ISSUE_CREATE", &json!({"status": "OPEN"})));
    send(&app, "one", &issue("ISSUE_UPDATE", &json!({"status": "CLOSED"})));
    let closed = last(&tool, 2);
    assert_eq!((action(&closed), &closed["object_attributes"]["state"]), ("update", &json!("closed")));
    for list in ["/states", "/users", "/projects"] {
        assert_eq!(shown(&app, list)["items"], json!([]), "{list}");
    }
}

fn hookglot(app: &App, arguments: &[&str]) -> Ended {
    let mut asking = command(arguments);
    asking.env("HOOKGLOT_ADMIN_URL", format!("http://{}", app.admin)).env("HOOKGLOT_ADMIN_TOKEN", TOKEN);
    Running::start(asking, b"").end()
}

#[test]
fn commands_show_what_is_known_and_who_told_it_and_forget_it() {
    const OLGA: &str = "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71";
    const STRANGER: &str = "7c41b2d8-0e95-4f3a-b6d7-28a1c9e4f503";
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let configured = format!("[[user]]\nid = \"{STRANGER}\"\nname = \"Анна Петрова\"\n");
    let app = App::start(serve_in(folder.path(), &(config(&[("one", &tool.url, "gitlab")]) + &configured)));
    let told = send(&app, "one", &issue("ISSUE_CREATE", &json!({"user_id": OLGA, "user_alias": "o.sedova"})));
    tool.wait_for(1);

    let listed = hookglot(&app, &["users", "list"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let [names, of_file, of_hooks] = listed.out.lines().collect::<Vec<_>>()[..] else { panic!("{}", listed.out) };
    assert!(names.starts_with("ID ") && of_file.starts_with(STRANGER) && of_file.contains("configuration"));
    assert!(of_hooks.starts_with(OLGA) && of_hooks.contains("username=o.sedova"), "{of_hooks}");
    let found = hookglot(&app, &["users", "list", "ПЕТРОВА", "--json"]);
    assert_eq!((found.out.lines().count(), found.json()["id"].as_str()), (1, Some(STRANGER)), "{found:?}");
    let shown = hookglot(&app, &["users", "show", OLGA]);
    assert!(shown.out.contains(&format!("username: o.sedova  (told by ISSUE_CREATE, hook {told}")), "{}", shown.out);
    let forgotten = hookglot(&app, &["users", "forget", OLGA]);
    assert!(forgotten.code == Some(0) && forgotten.out.starts_with("1 forgotten"), "{forgotten:?}");
    assert!(hookglot(&app, &["users", "show", OLGA]).says(1).contains("no hook told anything"));
    assert!(hookglot(&app, &["users", "forget", OLGA]).says(1).contains("no hook told anything"));
    assert!(hookglot(&app, &["projects", "list"]).out.contains("visibility="));

    let listed = hookglot(&app, &["states", "list", "--kind", "issue", "--json"]);
    let id = listed.json()["id"].as_str().unwrap().to_owned();
    let shown = hookglot(&app, &["states", "show", &id]);
    assert!(shown.out.contains("author_alias: o.sedova") && shown.out.contains("told of last:"), "{}", shown.out);
    assert_eq!(hookglot(&app, &["states", "forget", &id]).code, Some(0));
    assert_eq!(hookglot(&app, &["states", "list"]).out, "");
    send(&app, "one", &issue("ISSUE_UPDATE", &json!({"status": "CLOSED"})));
    assert_eq!(action(&last(&tool, 2)), "update", "it is as the first one");
}
