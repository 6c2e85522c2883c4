//! From GitFlic to GitLab and back: whatever a hook says is there again, but for ids and for what is declared lost.

/// Comments on merge requests.
mod discussions;
/// Issues, and comments on them.
mod issues;
/// Members of a project, as GitLab's system hooks tell of them.
mod members;
/// Merge requests.
mod merge_requests;
/// Pipelines.
mod pipelines;
/// Branches and tags.
mod push;

use crate::mappings::{RULES, direction};
use hookglot::mapping::json::Document;
use hookglot::mapping::{HookFacts, Mappings, NoKnowledge, Surroundings, Untranslated};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const PROJECT: &str = "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92";
const INSTANCE: &str = "git.example.org";

/// Without a memory a number does not tell its UUID; the discussion that a comment stands in is not told at all.
const IDS: [&str; 20] = [
    "project_id",
    "project.project_id",
    "push.author_id",
    "issue.id",
    "issue.user_id",
    "issue_note.id",
    "issue_note.user_id",
    "issue_note.issue_id",
    "merge_request.id",
    "merge_request.user_id",
    "merge_request.source_project_id",
    "merge_request.target_project_id",
    "initiator.id",
    "discussion.id",
    "discussion.user_id",
    "discussion.merge_request_id",
    "discussion.discussion_id",
    "pipeline.id",
    "pipeline.user_id",
    "collaborator.userid",
];

/// Of these the mappings declare that the addresses of images change: what has no image must come back as it was.
const TEXTS_WITH_IMAGES: [&str; 4] =
    ["issue.description", "issue_note.message", "merge_request.description", "discussion.message"];

/// Sends a hook there and back. What was in it and differs must be an id, or declared by the mapping that went there.
/// What was not in it and is now may also be declared by the mapping that came back, since that one makes it up.
///
/// `kept` names fields that other hooks of the mapping may lose, and this one may not.
fn there_and_back(hook: &Value, settings: &Value, kept: &[&str]) -> Result<(), TestCaseError> {
    let action = hook["action"].as_str().unwrap();
    let sent = translate(direction("gitflic", "gitlab"), action, hook, settings);
    let (there, headers, body) = sent.unwrap_or_else(|failure| panic!("{failure}\n{hook}"));
    let returned = translate(direction("gitlab", "gitflic"), &event(&headers, &body), &body, &json!({}));
    let (back, _, returned) = returned.unwrap_or_else(|failure| panic!("{failure}\n{body}"));
    let mut lost = Vec::new();
    differences(&renamed(hook), &returned, "", &mut lost);
    lost.retain(|(path, value)| {
        let declared = is_declared(&there, path, value) || value.is_null() && is_declared(&back, path, value);
        !IDS.contains(&path.as_str()) && (!declared || kept.contains(&path.as_str()))
    });
    prop_assert!(lost.is_empty(), "{there}: {lost:?}\nsent {hook}\nthere {body}\nback {returned}");
    Ok(())
}

/// A comment in a discussion comes back under the name of a discussion: GitLab does not tell them apart.
fn renamed(hook: &Value) -> Value {
    let mut hook = hook.clone();
    if let Some(comment) = hook.as_object_mut().unwrap().remove("discussion_comment") {
        hook["discussion"] = comment;
    }
    hook
}

type Made = (String, Vec<(String, String)>, Value);

/// The name of the mapping, the headers and the body.
fn translate(set: &Mappings, event: &str, input: &Value, settings: &Value) -> Result<Made, Untranslated> {
    let (text, settings) = (input.to_string(), settings.to_string());
    let (document, settings) =
        (Document::parse(text.as_bytes()).unwrap(), Document::parse(settings.as_bytes()).unwrap());
    let facts = HookFacts { id: "0", received_at: "2026-01-02T03:04:05Z", event, instance: Some(INSTANCE) };
    let beside = Surroundings {
        hook: Some(facts),
        settings: Some(settings.root()),
        instance: INSTANCE,
        ..Surroundings::new(&NoKnowledge)
    };
    let made = set.translate(event, document.root(), &beside)?;
    let headers = made.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    Ok((made.mapping.to_string(), headers, serde_json::from_slice(&made.body).unwrap()))
}

/// The event that GitLab's forge file finds in a translated hook.
fn event(headers: &[(String, String)], body: &Value) -> String {
    let text = body.to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    RULES.forges.named("gitlab").unwrap().identify(document.root(), headers).unwrap().event
}

/// The paths at which two hooks differ, with the value that was there first.
fn differences(one: &Value, other: &Value, at: &str, all: &mut Vec<(String, Value)>) {
    let below = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match (one, other) {
        (Value::Object(own), Value::Object(others)) => {
            for key in own.keys().chain(others.keys().filter(|key| !own.contains_key(*key))) {
                differences(&one[key], &other[key], &below(key), all);
            }
        }
        (Value::Object(own), Value::Null) => {
            own.iter().for_each(|(key, one)| differences(one, &Value::Null, &below(key), all));
        }
        (Value::Null, Value::Object(others)) => {
            others.iter().for_each(|(key, other)| differences(&Value::Null, other, &below(key), all));
        }
        (Value::Array(own), Value::Array(others)) if own.len() == others.len() || grew(own, others, at) => {
            own.iter().zip(others).for_each(|(one, other)| differences(one, other, &format!("{at}[]"), all));
        }
        // GitFlic's manual has texts where its samples have numbers: 7 and "7" are the same.
        (Value::String(text), Value::Number(number)) if *text == number.to_string() => {}
        _ if one != other => all.push((at.to_owned(), one.clone())),
        _ => {}
    }
}

/// A head that was not listed is listed behind those that were: nothing of the hook is lost by that.
fn grew(own: &[Value], others: &[Value], at: &str) -> bool {
    at == "push.commits" && !own.is_empty() && others.len() == own.len() + 1
}

/// Whether a mapping declares that a value at a path is lost, or made up where it is null.
fn is_declared(mapping: &str, path: &str, value: &Value) -> bool {
    // A text that ends with `!` makes an image of the link behind it; one that has an open `![` makes it the end of an image.
    let is_image =
        |before: &str| before.ends_with('!') || before.rfind("![").is_some_and(|open| !before[open..].contains(']'));
    let has_own_image =
        |text: &str| text.contains("](/") || text.split_once("[c](d)").is_some_and(|(before, _)| is_image(before));
    if TEXTS_WITH_IMAGES.contains(&path) && !value.as_str().is_some_and(has_own_image) {
        return false;
    }
    let sets = RULES.directions.values();
    let own = sets.flat_map(Mappings::descriptions).find(|own| own.name == mapping).unwrap();
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

fn sha() -> impl Strategy<Value = String> {
    prop_oneof!["[1-9a-f][0-9a-f]{39}", "[1-9a-f][0-9a-f]{63}"]
}

fn uuid() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "\\PC{0,40}", 1 => Just(String::new()), 1 => Just("one\n\ntwo \"three\" \\ \u{1} ё 🛳".to_owned())]
}

/// A text that may have images in it.
fn written() -> impl Strategy<Value = String> {
    let images = select(vec!["![a](/uploads/1/a.png)", "![](https://pictures.example.org/b.png)", "[c](d) ![e]"]);
    prop_oneof![3 => text(), 1 => (text(), images).prop_map(|(text, image)| text + image)]
}

/// A number, as GitFlic's samples have it, or its text, as its tables say.
fn number() -> impl Strategy<Value = Value> {
    (1_u32..1 << 31, any::<bool>())
        .prop_map(|(number, is_text)| if is_text { json!(number.to_string()) } else { json!(number) })
}

fn time() -> impl Strategy<Value = String> {
    let seconds = 0_i64..4_000_000_000;
    let whole = seconds
        .prop_map(|seconds| jiff::Timestamp::from_second(seconds).unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string());
    (whole, select(vec!["", ".5", ".123", ".123456"])).prop_map(|(whole, fraction)| whole + fraction)
}

fn alias() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9._-]{0,12}"
}

/// The UUID and the alias of somebody.
fn person() -> impl Strategy<Value = (String, String)> {
    (uuid(), alias())
}

fn commit() -> impl Strategy<Value = Value> {
    (sha(), text(), text(), text(), time()).prop_map(|(id, message, name, email, timestamp)| {
        json!({"id": id, "message": message, "author_name": name, "author_email": email, "timestamp": timestamp})
    })
}

fn project() -> impl Strategy<Value = Value> {
    let owner_type = select(vec!["USER", "TEAM", "COMPANY"]);
    let language = select(vec!["", "Rust", "C++"]);
    (alias(), alias(), text(), owner_type, language, any::<bool>()).prop_map(
        |(owner, alias, title, owner_type, language, private)| {
            json!({
                "project_id": PROJECT, "title": title, "alias": alias,
                "owner_alias": owner, "owner_type": owner_type, "language": language, "private": private,
                "http_transport_url": format!("https://{INSTANCE}/project/{owner}/{alias}.git"),
                "ssh_transport_url": format!("git@{INSTANCE}:{owner}/{alias}.git"),
            })
        },
    )
}

/// A hook of an event, with what it tells beside the project.
fn hook(action: &str, project: Value, mut tells: Value) -> Value {
    tells["action"] = json!(action);
    tells["project_id"] = json!(PROJECT);
    tells["project"] = project;
    tells
}
