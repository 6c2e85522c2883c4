use super::{Told, told};
use crate::support::app::App;
use crate::support::asker::{TOKEN, shown};
use crate::support::clock::{set_clock, with_clock};
use crate::support::receiver::{Got, Receiver, status};
use crate::support::wait_for;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How far the hooks are apart; the first comes at 09:00 UTC.
const MINUTES: usize = 8;

/// The requests that go wrong at the tool, by their number: it is not well, and it takes longer than it may.
const UNWELL: usize = 4;
const SLOW: usize = 11;

/// What became of the day of one forge at a tool that reads the other: for each hook of it a golden file's content.
pub fn sent(library: &str, from: &str, to: &str) -> Vec<Told> {
    let (day, folder, tool) = (told(from), tempfile::tempdir().unwrap(), tool());
    let config = config(&day, &tool.url, to);
    let app = with_clock(library, folder.path(), &config, "2026-03-02 08:59:00");
    let (mut became, mut ids) = (Vec::new(), Vec::new());
    for (number, hook) in day.iter().enumerate() {
        let minute = number * MINUTES;
        let clock = format!("2026-03-02 {:02}:{:02}:00", 9 + minute / 60, minute % 60);
        set_clock(folder.path(), &clock);
        let (id, mut value) = one(&app, &tool, &clock, hook);
        value.get_mut("ignored").into_iter().for_each(|reason| named(reason, &ids));
        ids.push((id, hook.name.clone()));
        became.push(Told { name: hook.name.clone(), value });
    }
    let got = tool.got();
    for wrong in [UNWELL, SLOW] {
        assert_eq!(got[wrong].body, got[wrong + 1].body, "a further attempt brings the same");
    }
    became
}

/// A tool that is content, but for two requests.
fn tool() -> Receiver {
    Receiver::scripted(|number| {
        if number == SLOW {
            std::thread::sleep(Duration::from_secs(3));
        }
        status(if number == UNWELL { 503 } else { 200 }, "")
    })
}

/// One route, its hooks in their order; every event of the day goes out, also those that must be listed.
fn config(day: &[Told], url: &str, to: &str) -> String {
    let actions: BTreeSet<&str> = day.iter().filter_map(|hook| hook.value["action"].as_str()).collect();
    let (events, settings) = match to {
        // Members of a project, as GitLab itself tells of them.
        "gitlab" => (
            format!("events = {:?}\n", actions.into_iter().collect::<Vec<_>>()),
            "[route.to.settings]\ndefault_branch = \"main\"\nmember_events = \"system\"\n",
        ),
        _ => (String::new(), ""),
    };
    format!(
        "admin_token = \"{TOKEN}\"\n[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\n\
         url = \"{url}\"\nformat = \"{to}\"\norder = \"project\"\ntimeout = \"2s\"\nretries = [\"100ms\", \"100ms\", \"1s\", \"3s\"]\n\
         {events}{settings}"
    )
}

/// A reason names another hook by the name of its file: its id is made anew each time.
fn named(reason: &mut Value, ids: &[(String, String)]) {
    if let Value::String(text) = reason {
        for (id, name) in ids {
            *text = text.replace(id, name);
        }
    }
}

/// Sends a hook when the clock stands so; its id, and what the tool gets of it, or why it gets nothing.
fn one(app: &App, tool: &Receiver, clock: &str, hook: &Told) -> (String, Value) {
    let headers = hook.value["headers"].as_object();
    let headers: Vec<(&str, &str)> =
        headers.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let body = hook.value.get("body").unwrap_or(&hook.value).to_string();
    let before = tool.got().len();
    let answer = app.post("/", &headers, body.as_bytes()).json();
    let id = answer["delivery"].as_str().unwrap().to_owned();
    if answer["status"] == "ignored" {
        return (id, json!({"ignored": answer["reason"]}));
    }
    assert_eq!(answer["status"], "stored", "{}: {answer}", hook.name);
    let kept = wait_for(&format!("an end of {}", hook.name), || {
        let kept = shown(app, &format!("/hooks/{id}"));
        (kept["deliveries"][0]["state"] != "pending").then_some(kept)
    });
    assert_eq!(kept["received_at"], format!("{}Z", clock.replace(' ', "T")), "{}", hook.name);
    let (delivery, got) = (&kept["deliveries"][0], tool.got().split_off(before));
    let value = match delivery["state"].as_str() {
        Some("ignored") => {
            assert!(got.is_empty(), "{}", hook.name);
            json!({"ignored": delivery["reason"]})
        }
        Some("delivered") => request(got.last().unwrap(), &id),
        _ => panic!("{}: {delivery}", hook.name),
    };
    (id, value)
}

/// A request as a golden file has it. Ids that are made anew each time have no place in it.
fn request(got: &Got, hook: &str) -> Value {
    let body = got.json();
    assert!(!body.to_string().contains(hook), "the hook's own id shows in {body}");
    match got.header("X-Gitlab-Event") {
        Some(event) => json!({"headers": {"X-Gitlab-Event": event}, "body": body}),
        None => json!({"headers": {}, "body": body}),
    }
}
