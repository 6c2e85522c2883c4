use crate::mappings::{RULES, direction};
use hookglot::mapping::json::Document;
use hookglot::mapping::{HookFacts, NoKnowledge, Surroundings, Untranslated};
use hookglot::{mapping_files, schemas::Schemas};
use serde_json::{Value, json};
use std::path::Path;

/// What a hook of GitFlic must have; everything else may be absent, null or empty.
const REQUIRED: [&str; 13] = [
    "/project_id",
    "/project/alias",
    "/project/owner_alias",
    "/project/http_transport_url",
    "/project/ssh_transport_url",
    "/issue/id",
    "/issue_note/issue_id",
    "/discussion/message",
    "/discussion_comment/message",
    "/push/after",
    "/push/ref",
    "/push/commits/0/id",
    "/push/commits/1/id",
];

/// GitFlic's manual leaves out a field here and a field there, and writes numbers now as numbers, now as texts.
#[test]
fn whatever_gitflic_leaves_out_a_strict_receiver_takes_what_comes_out() {
    let files = mapping_files::built_in();
    let mut schemas = Schemas::new(&files, RULES.forges.named("gitlab").unwrap());
    let (mut hooks, mut faults) = (0, Vec::new());
    for (name, golden) in examples() {
        let mut places = Vec::new();
        leaves(&golden, String::new(), &mut places);
        for (place, value) in places.iter().filter(|(place, _)| place != "/action") {
            for other in others(value) {
                let mut hook = golden.clone();
                put(&mut hook, place, other.clone());
                hooks += 1;
                let fault = match translated(&hook) {
                    _ if REQUIRED.contains(&place.as_str()) => None,
                    Ok((headers, body)) => schemas.validate(&headers, &body).err().map(|found| found[0].to_string()),
                    Err(failed) => Some(failed.to_string()),
                };
                faults.extend(fault.map(|fault| format!("{name}, {place} = {other:?}: {fault}")));
            }
        }
    }
    assert!(hooks > 1000, "{hooks}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn translated(hook: &Value) -> Result<(Vec<(String, String)>, Value), Untranslated> {
    let text = hook.to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    let (event, instance) = (hook["action"].as_str().unwrap(), "git.example.org");
    let facts = HookFacts { id: "0", received_at: "2026-01-02T03:04:05Z", event, instance: Some(instance) };
    let beside = Surroundings { hook: Some(facts), instance, ..Surroundings::new(&NoKnowledge) };
    let made = direction("gitflic", "gitlab").translate(event, document.root(), &beside)?;
    let headers = made.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    Ok((headers, serde_json::from_slice(&made.body).unwrap()))
}

/// The hooks that the mappings have as examples.
fn examples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/gitflic-to-gitlab/examples");
    let mut found: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_str().unwrap().ends_with(".gitlab.json"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), serde_json::from_str(&text).unwrap())
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn leaves(value: &Value, at: String, all: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, inner)| leaves(inner, format!("{at}/{key}"), all));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(key, inner)| leaves(inner, format!("{at}/{key}"), all));
        }
        leaf => all.push((at, leaf.clone())),
    }
}

/// What may stand in a value's place; `None` is nothing at all.
fn others(value: &Value) -> Vec<Option<Value>> {
    let mut others = vec![None, Some(Value::Null), Some(json!(""))];
    if let Value::Number(number) = value {
        others.push(Some(json!(number.to_string())));
    }
    others
}

fn put(hook: &mut Value, place: &str, value: Option<Value>) {
    let (above, key) = place.rsplit_once('/').unwrap();
    match (hook.pointer_mut(above).unwrap(), value) {
        (Value::Object(members), None) => drop(members.remove(key)),
        (Value::Object(members), Some(value)) => drop(members.insert(key.to_owned(), value)),
        (Value::Array(items), None) => drop(items.remove(key.parse().unwrap())),
        (Value::Array(items), Some(value)) => items[key.parse::<usize>().unwrap()] = value,
        _ => unreachable!("a leaf stands in an object or a list"),
    }
}
