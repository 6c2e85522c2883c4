/// The list, read.
mod list;
/// What holds for every hook, whatever its event.
mod rules;

use super::{Made, assert_every_kind_among, kind, made, whole_hooks};
use list::{Event, FILE, Field};
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) use rules::moment;

#[test]
fn every_hook_has_what_some_tool_demands() {
    let events = list::read();
    let (mut judged, mut faults) = (BTreeSet::new(), Vec::new());
    for made in made() {
        let said = faults_of(&made, &events);
        faults.extend(said.into_iter().map(|fault| format!("{}: {fault}", made.name)));
        judged.extend(kind(&made.body));
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert_every_kind_among(&judged);
}

#[test]
fn gitlabs_own_hooks_have_it_all() {
    let events = list::read();
    for own in whole_hooks() {
        let mut faults = faults_of(&own, &events);
        // Of a tag or a new branch on a commit that it has already GitLab lists no commit; ours lists it, since tools build
        // nothing else.
        let is_new = own.body["before"].as_str().is_some_and(|before| before.trim_start_matches('0').is_empty());
        faults.retain(|fault| !is_new || !fault.starts_with("the head of a push"));
        assert_eq!(faults, Vec::<String>::new(), "{}", own.name);
    }
}

/// Everything that is wrong with a hook.
fn faults_of(made: &Made, events: &[Event]) -> Vec<String> {
    let mut faults = Vec::new();
    rules::check(&made.body, &mut faults);
    let (told, kind) = (made.header("X-Gitlab-Event"), kind(&made.body));
    let told_of: Vec<&Event> = events.iter().filter(|event| event.headers.iter().any(|own| own == told)).collect();
    match told_of.iter().find(|event| Some(event.name.as_str()) == kind) {
        Some(event) => event.fields.iter().for_each(|field| hold(field, &made.body, "", &mut faults)),
        None if kind.is_none() && told_of.is_empty() && !told.is_empty() => {}
        None => faults.push(format!("X-Gitlab-Event is `{told}`, the body of a kind {kind:?}")),
    }
    faults
}

/// Holds an object to one field of the list.
fn hold(field: &Field, object: &Value, at: &str, faults: &mut Vec<String>) {
    if field.name == "*" {
        for (name, value) in object.as_object().into_iter().flatten() {
            hold_all(&field.fields, value, &format!("{at}{name}"), faults);
        }
        return;
    }
    let (path, line) = (format!("{at}{}", field.name), field.line);
    match object.get(&field.name) {
        None | Some(Value::Null) if field.tools.is_empty() => {}
        Some(Value::Null) if field.nullable => {}
        None => faults.push(format!("`{path}` is missing, without which {} cannot do ({FILE}:{line})", field.tools)),
        Some(Value::Null) => faults.push(format!("`{path}` is null ({}; {FILE}:{line})", field.tools)),
        Some(value) => {
            if !field.words.is_empty() && !field.words.iter().any(|word| value == word.as_str()) {
                faults.push(format!("`{path}` is {value}, none of {:?} ({FILE}:{line})", field.words));
            }
            match (field.is_list, value.as_array()) {
                (true, Some(items)) => {
                    for (position, item) in items.iter().enumerate() {
                        hold_all(&field.fields, item, &format!("{path}[{position}]"), faults);
                    }
                }
                (true, None) => faults.push(format!("`{path}` is {value}, no list ({FILE}:{line})")),
                (false, _) => hold_all(&field.fields, value, &path, faults),
            }
        }
    }
}

fn hold_all(fields: &[Field], value: &Value, path: &str, faults: &mut Vec<String>) {
    if !fields.is_empty() && !value.is_object() {
        faults.push(format!("`{path}` is {value}, no object"));
        return;
    }
    for field in fields {
        hold(field, value, &format!("{path}."), faults);
    }
}

/// The pointers of all fields of the list that a body must have.
fn demanded(fields: &[Field], at: &str, found: &mut Vec<String>) {
    for field in fields.iter().filter(|field| !field.tools.is_empty() && field.name != "*") {
        let pointer = format!("{at}/{}", field.name);
        demanded(&field.fields, &if field.is_list { format!("{pointer}/0") } else { pointer.clone() }, found);
        found.push(pointer);
    }
}

#[test]
fn a_field_that_is_taken_away_is_missed() {
    let events = list::read();
    for event in &events {
        let mut pointers = Vec::new();
        demanded(&event.fields, "", &mut pointers);
        assert!(pointers.len() > 30, "{} demands {} fields alone", event.name, pointers.len());
        // The richest hook of the kind: a deleted branch has no commits to take anything from.
        let is_own = |made: &Made| kind(&made.body) == Some(&event.name);
        let hooks = made().into_iter().chain(whole_hooks());
        let Some(mut made) = hooks.filter(is_own).max_by_key(|made| made.body.to_string().len()) else { continue };
        let whole = made.body.clone();
        for pointer in &pointers {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            // What an empty list has no element for cannot be taken away.
            let Some(holder) = made.body.pointer_mut(parent).and_then(Value::as_object_mut) else { continue };
            holder.remove(key).unwrap_or_else(|| panic!("{}: {pointer}", made.name));
            // Without these it is no hook of this kind any more.
            let is_told_by = ["/object_kind", "/object_attributes", "/object_attributes/noteable_type"];
            if kind(&made.body).is_some() || !is_told_by.contains(&pointer.as_str()) {
                let path = pointer[1..].replace("/0", "[0]").replace('/', ".");
                let faults = faults_of(&made, &events).join("\n");
                assert!(faults.contains(&format!("`{path}` is missing")), "{}: {pointer}\n{faults}", made.name);
            }
            made.body.clone_from(&whole);
        }
    }
}

#[test]
fn what_tools_refuse_is_refused() {
    let events = list::read();
    let is_branch = |made: &Made| kind(&made.body) == Some("push") && made.body["commits"][0].is_object();
    let mut made = made().into_iter().find(is_branch).expect("a push with a commit");
    assert_eq!(faults_of(&made, &events), Vec::<String>::new());
    let whole = made.body.clone();
    for (pointer, wrong) in [
        ("/object_kind", Value::from("Push")),
        ("/object_kind", Value::from("tag_push")),
        ("/project_id", Value::from("6d2b8f04-51c7-4e39-9a60-c3e5f7180b92")),
        ("/project_id", Value::from(1_u64 << 31)),
        ("/project/id", Value::from(0)),
        ("/user_email", Value::from("olga@harbour.test")),
        ("/user_email", Value::from("olga@localhost")),
        ("/user_email", Value::from("olga")),
        ("/user_email", Value::Null),
        ("/user_name", Value::from("")),
        ("/commits", Value::Null),
        ("/commits", Value::Array(Vec::new())),
        ("/commits/0/added", Value::Null),
        ("/commits/0/id", Value::from(17)),
        ("/commits/0/timestamp", Value::from("2026-02-03T09:08:07")),
        ("/commits/0/timestamp", Value::from("2026-02-03T09:08:07+0300")),
        ("/commits/0/timestamp", Value::from("")),
        ("/commits/0/author", Value::from("olga")),
        ("/project/visibility_level", Value::from("private")),
        ("/project/http_url", Value::from("https://git.example.org/north-harbour/ledger")),
        ("/ref", Value::from("main")),
        ("/checkout_sha", Value::from("")),
        ("/total_commits_count", Value::from(0)),
        ("/push_options", Value::Null),
    ] {
        *made.body.pointer_mut(pointer).unwrap() = wrong.clone();
        assert!(!faults_of(&made, &events).is_empty(), "{pointer} = {wrong} should be refused");
        made.body.clone_from(&whole);
    }
    for good in ["", "[REDACTED]", "olga.sedova@harbour.example.com"] {
        made.body["user_email"] = good.into();
        assert_eq!(faults_of(&made, &events), Vec::<String>::new(), "{good}");
    }
}
