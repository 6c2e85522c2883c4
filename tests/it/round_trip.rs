use crate::mappings::{RULES, direction, translate};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const ZERO: &str = "0000000000000000000000000000000000000000";
/// Without a memory a number does not tell its UUID.
const IDS: [&str; 3] = ["project_id", "project.project_id", "push.author_id"];

fn sha() -> impl Strategy<Value = String> {
    "[1-9a-f][0-9a-f]{39}"
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "\\PC{0,40}", 1 => Just(String::new()), 1 => Just("one\n\ntwo \"three\" \\ \u{1} ё 🛳".to_owned())]
}

fn time() -> impl Strategy<Value = String> {
    let seconds = 0_i64..4_000_000_000;
    let whole = seconds
        .prop_map(|seconds| jiff::Timestamp::from_second(seconds).unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string());
    (whole, select(vec!["", ".5", ".123", ".123456"])).prop_map(|(whole, fraction)| whole + fraction)
}

fn commit() -> impl Strategy<Value = Value> {
    (sha(), text(), text(), text(), time()).prop_map(|(id, message, name, email, timestamp)| {
        json!({"id": id, "message": message, "author_name": name, "author_email": email, "timestamp": timestamp})
    })
}

fn project() -> impl Strategy<Value = Value> {
    let name = || "[a-zA-Z][a-zA-Z0-9._-]{0,12}";
    let owner_type = select(vec!["USER", "TEAM", "COMPANY"]);
    let language = select(vec!["", "Rust", "C++"]);
    (name(), name(), text(), owner_type, language, any::<bool>()).prop_map(
        |(owner, alias, title, owner_type, language, private)| {
            json!({
                "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92", "title": title, "alias": alias,
                "owner_alias": owner, "owner_type": owner_type, "language": language, "private": private,
                "http_transport_url": format!("https://git.example.org/project/{owner}/{alias}.git"),
                "ssh_transport_url": format!("git@git.example.org:{owner}/{alias}.git"),
            })
        },
    )
}

/// A hook of every event that has a way there and back, as GitFlic would send it.
fn hook() -> impl Strategy<Value = Value> {
    let actions = ["BRANCH_CREATE", "BRANCH_UPDATE", "BRANCH_DELETE", "TAG_CREATE", "TAG_DELETE", "PUSH"];
    let commits = prop::collection::vec(commit(), 0..4);
    let author = prop::option::of(Just("1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71"));
    (select(actions.to_vec()), project(), sha(), sha(), "[a-z][a-z0-9/_-]{0,20}", commits, 0_u32..60, author).prop_map(
        |(action, project, before, after, name, mut commits, more, author)| {
            let deleted = action.ends_with("_DELETE");
            let of_tag = action.starts_with("TAG_");
            if deleted || of_tag {
                commits.clear();
            }
            if let (Some(last), true) = (commits.last_mut(), more % 3 != 0) {
                last["id"] = json!(after);
            }
            let count = if commits.is_empty() { 0 } else { commits.len() + more as usize };
            let mut push = json!({
                "before": if action.ends_with("_CREATE") { ZERO } else { &before },
                "after": if deleted { ZERO } else { &after },
                "ref": format!("refs/{}/{name}", if of_tag { "tags" } else { "heads" }),
                "commits": commits, "total_commits_count": count,
            });
            if let Some(author) = author {
                push["author_id"] = json!(author);
            }
            let id = "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92";
            json!({"action": action, "project_id": id, "project": project, "push": push})
        },
    )
}

/// The paths at which two hooks differ, with the value that was there first.
fn differences(one: &Value, other: &Value, at: &str, all: &mut Vec<(String, Value)>) {
    match (one, other) {
        (Value::Object(own), Value::Object(others)) => {
            let keys = own.keys().chain(others.keys().filter(|key| !own.contains_key(*key)));
            for key in keys {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                differences(&one[key], &other[key], &path, all);
            }
        }
        // A head that was not listed is listed behind those that were: nothing of the hook is lost by that.
        (Value::Array(own), Value::Array(others)) if (own.len()..=own.len() + 1).contains(&others.len()) => {
            own.iter().zip(others).for_each(|(one, other)| differences(one, other, &format!("{at}[]"), all));
        }
        _ if one != other => all.push((at.to_owned(), one.clone())),
        _ => {}
    }
}

/// Whether a mapping declares that a value at a path is lost.
fn is_declared(mapping: &str, path: &str, value: &Value) -> bool {
    let sets = RULES.directions.values();
    let own = sets.flat_map(hookglot::mapping::Mappings::descriptions).find(|own| own.name == mapping).unwrap();
    own.lossy.iter().flat_map(|loss| &loss.fields).any(|field| {
        let covers = path.strip_prefix(&field.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        covers && (field.values.is_empty() || field.values.iter().any(|own| *own == shown(value)))
    })
}

/// A value as `lossy` writes it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "''".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The event that GitLab gives a translated body.
fn event(body: &Value) -> &'static str {
    if body["object_kind"] == "tag_push" { "Tag Push Hook" } else { "Push Hook" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn from_gitflic_and_back_everything_is_there_that_is_not_declared_lost(hook in hook()) {
        let action = hook["action"].as_str().unwrap();
        let (mapping, there) = translate(direction("gitflic", "gitlab"), action, &hook).unwrap();
        let (_, back) = translate(direction("gitlab", "gitflic"), event(&there), &there).unwrap();
        let mut lost = Vec::new();
        differences(&hook, &back, "", &mut lost);
        lost.retain(|(path, value)| !IDS.contains(&path.as_str()) && !is_declared(&mapping, path, value));
        prop_assert!(lost.is_empty(), "{mapping}: {lost:?}\n{back}");
    }
}
