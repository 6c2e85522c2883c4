use super::Door;
use crate::support::app::App;
use crate::support::receiver::Receiver;
use crate::support::wire::{connect, read_answer};
use crate::support::{project_file, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// What is put in place of a field. Each field of each hook gets two of these, and each of these comes to fields of each hook.
fn others() -> [Value; 7] {
    [json!(null), json!({"id": {}}), json!([[]]), json!("x"), json!(7), json!(true), json!(-1.5e300)]
}

/// One example of each event: by its kind, what happened to what.
fn one_of_each(direction: &str, made: &str) -> BTreeMap<String, Value> {
    let folder = format!("mappings/{direction}/examples");
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(made))
        .collect();
    names.sort();
    let mut all = BTreeMap::new();
    for name in names {
        let hook: Value = serde_json::from_str(&project_file(&format!("{folder}/{name}"))).unwrap();
        let kind = ["/object_kind", "/event_name", "/action"].iter().find_map(|path| hook.pointer(path));
        let kind = kind.unwrap_or(&Value::Null);
        let inside = hook.pointer("/object_attributes/noteable_type").unwrap_or(&Value::Null);
        all.entry(format!("{kind} {inside}")).or_insert(hook);
    }
    all
}

/// `robustness` holds what comes out of every field of every example; here a part of that goes through the front door, and
/// each hook is translated and delivered behind it.
#[test]
fn a_field_of_any_kind_gets_an_answer_of_200() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let config = format!(
        "log_level = \"warn\"\n[[route]]\npath = \"/\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"tool\"\nurl = \"{}\"\nformat = \"other\"\n",
        tool.url
    );
    // Its lines of what listens where are of a lower level.
    let app = App::with_config(folder.path(), &config.replace("\"warn\"", "\"warn,hookglot::cli=info\""));
    let mut stream = connect(&app.address);
    let (mut sent, mut events) = (0, 0);
    for (direction, made) in [("gitflic-to-gitlab", ".gitlab.json"), ("gitlab-to-gitflic", ".gitflic.json")] {
        for (kind, hook) in one_of_each(direction, made) {
            events += 1;
            for (number, path) in paths(&hook).into_iter().enumerate() {
                for other in [others()[number % 7].clone(), others()[(number + 3) % 7].clone()] {
                    let mut hook = hook.clone();
                    *hook.pointer_mut(&path).unwrap() = other.clone();
                    let body = hook.to_string();
                    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
                    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
                    let answer = read_answer(&mut stream);
                    assert_eq!(answer.status, 200, "{kind} {path} {other}: {answer:?}");
                    sent += 1;
                }
            }
        }
    }
    assert!(events > 25 && sent > 2_000, "{events} events, {sent} hooks");
    wait_for("the deliveries", || (app.metric("hookglot_pending{destination=\"tool\"}") == Some(0)).then_some(()));
    let ended = |outcome: &str| {
        app.metric(&format!("hookglot_deliveries_total{{destination=\"tool\",outcome=\"{outcome}\"}}")).unwrap_or(0)
    };
    let ends = [ended("delivered"), ended("failed"), ended("ignored")];
    assert!(ends[0] > sent / 2 && ends.iter().sum::<u64>() <= sent, "{ends:?} of {sent}");
    assert!(!app.log().contains("panicked"), "{}", app.log());
    assert_eq!(app.get_admin("/live").status, 200);
}

fn paths(value: &Value) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        // One element says as much as all of them.
        Value::Array(items) => items.first().into_iter().map(|inner| ("0".to_owned(), inner)).collect(),
        _ => Vec::new(),
    };
    members
        .into_iter()
        .flat_map(|(key, inner)| {
            let below = paths(inner).into_iter().map({
                let key = key.clone();
                move |path| format!("/{key}{path}")
            });
            std::iter::once(format!("/{key}")).chain(below).collect::<Vec<_>>()
        })
        .collect()
}

/// What a hook is called by goes into log lines, metrics and headers: it is a text, and not of any length.
#[test]
fn names_that_are_none_or_too_long_are_said_to_be_so_in_few_words() {
    let door = Door::new();
    let long = "q".repeat(1_000_000);
    for (body, says) in [
        (
            json!({"object_kind": {"a": 1}, "project_id": 1}),
            "the hook has no text for `event`, so nobody knows what it tells",
        ),
        (json!({"object_kind": long, "project_id": 1}), "`event` has 1000000 bytes and may have 255"),
        (
            json!({"object_kind": "push", "project": {"path_with_namespace": long}}),
            "`project` has 1000000 bytes and may have 2048",
        ),
    ] {
        let answer = door.app.post("/hooks", &[], body.to_string().as_bytes());
        assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ignored")), "{answer:?}");
        let reason = answer.json()["reason"].as_str().unwrap().to_owned();
        assert!(
            reason.starts_with("the hook cannot be read: mappings/gitlab/forge.yaml:") && reason.ends_with(says),
            "{reason}"
        );
    }
    let key = "k".repeat(10_000);
    let answer = door.app.post("/hooks", &[("Idempotency-Key", &key)], crate::support::gitlab_push().as_bytes());
    assert!(answer.body.contains("`delivery_key` has 10000 bytes and may have 2048"), "{answer:?}");
    assert_eq!(door.app.metric("hookglot_ignored_total{destination=\"\",reason=\"unreadable\"}"), Some(4));
    let longest = door.app.log().lines().map(str::len).max();
    assert!(longest.is_some_and(|length| length < 1_000), "{longest:?}");
    door.goes_on();
}
