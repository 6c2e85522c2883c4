//! Real bodies are not what manuals show. Every field of every example is taken away, emptied, or given a value of another
//! kind, one at a time: what comes out is a body that its schema accepts, a reason, or a failure that names the line.

use hookglot::config::Format;
use hookglot::delivery::{self, Refused, Wanted};
use hookglot::forge::Header;
use hookglot::mapping::NoKnowledge;
use hookglot::mapping_files;
use hookglot::rules::Rules;
use hookglot::schemas::Schemas;
use hookglot::store::Hook;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;

/// The forges whose hooks are held against this.
const FORGES: [(&str, &str); 2] = [("gitlab", "gitflic"), ("gitflic", "gitlab")];

#[test]
fn no_field_that_is_missing_or_of_another_kind_makes_nonsense() {
    let files = mapping_files::built_in();
    let (rules, _) = Rules::load(&files).unwrap_or_else(|faults| panic!("{faults}"));
    let (mut tried, mut faults) = (0, Vec::new());
    for (from, to) in FORGES {
        let mut known = HashSet::new();
        let mut schemas = Schemas::new(&files, rules.forges.named(to).unwrap());
        for (name, body) in examples(from, to) {
            let kind = body.get("object_kind").or(body.get("event_name")).or(body.get("action")).map(Value::to_string);
            // What stands deeper is read in the same way in every hook of a kind.
            let depth = |path: &str| path.trim_start_matches("/object_attributes").matches('/').count();
            let mut is_new = |path: &String| depth(path) < 2 || known.insert((kind.clone(), path.clone()));
            for path in paths(&body).into_iter().filter(|path| is_new(path)) {
                for (what, value) in others(body.pointer(&path).unwrap()) {
                    tried += 1;
                    let mut other = body.clone();
                    put(&mut other, &path, value);
                    if let Err(fault) = answer(&rules, &mut schemas, from, &other) {
                        faults.push(format!("{name}: {path} {what}: {fault}"));
                    }
                }
            }
        }
    }
    assert!(tried > 1000, "{tried}");
    assert!(faults.is_empty(), "{} of {tried}:\n{}", faults.len(), faults.join("\n"));
}

/// What is wrong with the answer to a hook, if something is.
fn answer(rules: &Rules, schemas: &mut Schemas<'_>, from: &str, body: &Value) -> Result<(), String> {
    let settings = serde_json::Map::new();
    let wanted = Wanted { format: &Format::Other, settings: &settings, overlays: &[] };
    let hook = match hook(rules, from, body) {
        Ok(hook) => hook,
        // Whose hook it is and what it is called is said before anything is translated.
        Err(failure) => return named_line(&failure),
    };
    match delivery::outgoing(&hook, wanted, rules, &NoKnowledge) {
        Ok((outgoing, _)) => {
            let made = serde_json::from_slice(&outgoing.body).map_err(|error| error.to_string())?;
            schemas.validate(&outgoing.headers, &made).map_err(|wrong| {
                let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                wrong.join("; ")
            })
        }
        Err(Refused::Ignored(reason)) if reason.starts_with("no mapping for the event") => Err(reason),
        Err(Refused::Ignored(_)) => Ok(()),
        Err(Refused::Failed(message)) => named_line(&message),
    }
}

/// A failure begins with `mappings/…/file.yaml:line:column: `.
fn named_line(message: &str) -> Result<(), String> {
    let mut parts = message.splitn(4, ':');
    let file = parts.next().is_some_and(|file| file.starts_with("mappings/"));
    let numbers = parts.by_ref().take(2).filter(|part| part.parse::<u32>().is_ok()).count();
    if file && numbers == 2 { Ok(()) } else { Err(message.to_owned()) }
}

fn hook(rules: &Rules, from: &str, body: &Value) -> Result<Hook, String> {
    let forge = rules.forges.named(from).unwrap();
    // System hooks alone have no kind, and only the header says what they are.
    let is_system = body.get("object_kind").is_none() && body.get("before").is_none();
    let header = forge.event_header().filter(|_| is_system).map(|name| (name.to_owned(), "System Hook".to_owned()));
    let headers: Vec<Header> = header.into_iter().collect();
    crate::support::stored(forge, headers, body.to_string().into_bytes())
}

/// The hooks that examples are made of.
fn examples(from: &str, to: &str) -> Vec<(String, Value)> {
    let folder = PathBuf::from(format!("{}/mappings/{from}-to-{to}/examples", env!("CARGO_MANIFEST_DIR")));
    let made = format!(".{to}.json");
    let mut all: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| !name.ends_with(&made))
        .map(|(name, path)| (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()))
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

/// Where something stands, as JSON pointers; of a list the first element.
fn paths(body: &Value) -> Vec<String> {
    let (mut all, mut open) = (Vec::new(), vec![String::new()]);
    while let Some(path) = open.pop() {
        match body.pointer(&path) {
            Some(Value::Object(members)) => open.extend(members.keys().map(|key| format!("{path}/{key}"))),
            Some(Value::Array(items)) if !items.is_empty() => open.push(format!("{path}/0")),
            _ => {}
        }
        if !path.is_empty() {
            all.push(path);
        }
    }
    all
}

/// What else could stand in the place of a value; nothing at all is none of them.
fn others(value: &Value) -> Vec<(&'static str, Option<Value>)> {
    let mut all = vec![("is gone", None), ("is null", Some(Value::Null))];
    if !value.is_object() {
        all.push(("is an object", Some(json!({"id": {}}))));
    }
    if !value.is_array() {
        all.push(("is a list", Some(json!([[]]))));
    }
    if !value.is_string() {
        all.push(("is a text", Some(json!("x"))));
    }
    if !value.is_number() {
        all.push(("is a number", Some(json!(7))));
    }
    if !value.is_boolean() {
        all.push(("is true", Some(json!(true))));
    }
    all.push(("is an empty text", Some(json!(""))));
    all
}

fn put(body: &mut Value, path: &str, value: Option<Value>) {
    let (parent, key) = path.rsplit_once('/').unwrap();
    match (body.pointer_mut(parent).unwrap(), value) {
        (Value::Object(members), Some(value)) => drop(members.insert(key.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(key)),
        (Value::Array(items), Some(value)) => items[0] = value,
        (Value::Array(items), None) => drop(items.remove(0)),
        _ => unreachable!("a path stands in an object or a list"),
    }
}
