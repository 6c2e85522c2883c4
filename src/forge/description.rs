//! Reads `forge.yaml` and runs its examples.

use super::naming::Naming;
use super::{FilterKind, Forge, Header, Identity, branch, private, prove, settings, teaching};
use crate::mapping::Files;
use crate::mapping::diagnostic::{Diagnostics, Position, did_you_mean};
use crate::mapping::examples::reach::{self, Reached, Sample};
use crate::mapping::file::{check_header, members, read_names, single};
use crate::mapping::json::Document;
use crate::mapping::program::{Condition, Template};
use crate::mapping::scope::Scope;
use crate::mapping::template::read_condition;
use crate::mapping::yaml::{self, Yaml};
use serde_json::{Value, json};
use std::collections::HashSet;

const KEYS: [&str; 25] = [
    "forge",
    "name",
    "doc",
    "tables",
    "let",
    "recognise",
    "event",
    "event_header",
    "disabled_after",
    "project",
    "instance",
    "delivery_key",
    "prove",
    "send",
    "set_by_mappings",
    "pass",
    "never_pass",
    "events",
    "unlisted",
    "schemas",
    "branch_filters",
    "teaches",
    "settings",
    "private",
    "examples",
];
const EXAMPLE_KEYS: [&str; 4] = ["name", "headers", "body", "expect"];

/// The forge, where its file has no errors, and every finding in it.
pub(super) fn load(files: &Files, name: &str) -> (Option<Forge>, Diagnostics) {
    let mut faults = Diagnostics::default();
    let forge = read_file(files, name, &mut faults).filter(|_| !faults.has_errors());
    (forge, faults)
}

fn read_file(files: &Files, name: &str, faults: &mut Diagnostics) -> Option<Forge> {
    let path = format!("{name}/forge.yaml");
    let start = Position { line: 1, column: 1 };
    let Some((file, text)) = files.get(&path) else {
        faults.error(&path, start, "there is no such file");
        return None;
    };
    let root = yaml::parse(&file, text, faults)?;
    let forge = read(&root, name, &file, faults);
    if !faults.has_errors() {
        for schema in forge.schemas.iter().map(|(_, schema)| schema) {
            if files.get(&format!("{name}/schema/{schema}")).is_none() {
                faults.error(&file, start, format!("there is no schema `schema/{schema}`"));
            }
        }
        run_examples(&forge, &root, &file, faults);
        check_reach(&forge, &root, files, faults);
    }
    Some(forge)
}

fn read(root: &Yaml, name: &str, file: &str, faults: &mut Diagnostics) -> Forge {
    let mut scope = Scope::new(file, true, faults);
    check_header(root, &KEYS, &mut scope);
    if let Some(given) = root.get("name").filter(|given| given.text() != Some(name)) {
        scope.error(given.position, format!("the forge in the folder `{name}` is named `{name}`"));
    }
    read_names(root, &mut scope);
    let recognise = read_recognise(root, &mut scope);
    let [event, project, instance, delivery_key] =
        ["event", "project", "instance", "delivery_key"].map(|key| Naming::read(root, key, &mut scope));
    let named = root.get("event_header").map(Yaml::to_json);
    let event_header = named.as_ref().and_then(serde_json::Value::as_str).map(str::to_ascii_lowercase);
    let disabled_after = read_disabled_after(root, event_header.is_some(), &mut scope);
    let (prove, signature) = prove::read(root.get("prove"), &mut scope);
    let send = templates(root.get("send"), &mut scope);
    let set_by_mappings = texts(root.get("set_by_mappings")).map(str::to_ascii_lowercase).collect();
    let pass = texts(root.get("pass")).map(str::to_ascii_lowercase).collect();
    let never_pass = read_patterns(root.get("never_pass"), &mut scope);
    let [events, unlisted, schemas] = ["events", "unlisted", "schemas"].map(|key| pairs(root, key, &mut scope));
    if events.is_empty() {
        scope.error(root.position, "`events` is missing: every event that the forge sends, and what it tells");
    }
    for key in ["unlisted", "schemas"] {
        check_events(root.get(key), &events, &mut scope);
    }
    let branch_filters = branch::read(root, &events, &mut scope);
    let teaches = teaching::read(root, &mut scope);
    let settings = settings::read(root, &mut scope);
    let private = private::read(root, &mut scope);
    let program = scope.program;
    Forge {
        name: name.to_owned(),
        program,
        recognise,
        event,
        event_header,
        disabled_after,
        project,
        instance,
        delivery_key,
        prove,
        signature,
        send,
        set_by_mappings,
        pass,
        never_pass,
        events,
        unlisted,
        schemas,
        branch_filters,
        teaches,
        settings,
        private,
    }
}

/// Hooks that fail are known by the header alone: their body may not even be readable.
fn read_disabled_after(root: &Yaml, has_header: bool, scope: &mut Scope<'_>) -> Option<u32> {
    let node = root.get("disabled_after").filter(|node| !node.to_json().is_null())?;
    let number = node.to_json().as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
    if number.is_none() {
        scope.error(node.position, "`disabled_after` is a number of failures in a row, from 1");
    } else if !has_header {
        scope.error(node.position, "`disabled_after` needs an `event_header`, by which hooks that failed are known");
    }
    number
}

fn read_recognise(root: &Yaml, scope: &mut Scope<'_>) -> Vec<Condition> {
    match root.get("recognise").and_then(Yaml::list) {
        Some(items) if !items.is_empty() => items.iter().filter_map(|item| read_condition(item, scope)).collect(),
        _ => {
            scope.error(
                root.position,
                "`recognise` is a list of conditions, one of which every hook of the forge meets",
            );
            Vec::new()
        }
    }
}

fn templates(node: Option<&Yaml>, scope: &mut Scope<'_>) -> Vec<(String, Template)> {
    members(node, "send", scope).iter().map(|(key, value)| (key.name.clone(), single(value, scope))).collect()
}

fn texts(node: Option<&Yaml>) -> impl Iterator<Item = &str> {
    node.and_then(Yaml::list).unwrap_or_default().iter().filter_map(Yaml::text)
}

/// Names of headers; a `*` at the end of one stands for anything.
fn read_patterns(node: Option<&Yaml>, scope: &mut Scope<'_>) -> Vec<String> {
    let mut patterns = Vec::new();
    for item in node.and_then(Yaml::list).unwrap_or_default() {
        let name = item.text().unwrap_or_default();
        let beginning = name.strip_suffix('*').unwrap_or(name);
        if beginning.is_empty() || beginning.contains('*') {
            scope.error(item.position, "expected a header's name, or how names begin and a `*` behind it");
        }
        patterns.push(name.to_ascii_lowercase());
    }
    patterns
}

fn pairs(root: &Yaml, key: &str, scope: &mut Scope<'_>) -> Vec<(String, String)> {
    let found = members(root.get(key), key, scope);
    found.iter().map(|(key, value)| (key.name.clone(), value.text().unwrap_or_default().to_owned())).collect()
}

/// A path that no example's body has is a misspelt one.
fn check_reach(forge: &Forge, root: &Yaml, files: &Files, faults: &mut Diagnostics) {
    let examples = root.get("examples").and_then(Yaml::list).unwrap_or_default();
    let bodies: Vec<Value> = examples.iter().filter_map(|example| example.get("body")).map(Yaml::to_json).collect();
    // What a destination may set has fixed names here: those under `send` are all there are.
    let settings = json!({"token": null, "authorization": null});
    let samples = bodies.iter().map(|input| Sample { input, settings: &settings, seen: &Value::Null });
    let (samples, taken) = (samples.collect(), HashSet::new());
    // Which branches they take is not noted.
    let reached = Reached { files, program: &forge.program, samples, taken, all_ran: false };
    reach::check(&[reached], false, faults);
}

/// What is said of an event that the forge does not send is a misspelt name.
fn check_events(node: Option<&Yaml>, events: &[(String, String)], scope: &mut Scope<'_>) {
    for (key, _) in node.and_then(Yaml::map).unwrap_or_default() {
        if !events.iter().any(|(event, _)| *event == key.name) {
            let suggestion = did_you_mean(&key.name, events.iter().map(|(event, _)| event.as_str()));
            scope.error(key.position, format!("`{}` is not among `events`{suggestion}", key.name));
        }
    }
}

fn run_examples(forge: &Forge, root: &Yaml, file: &str, faults: &mut Diagnostics) {
    let examples = root.get("examples").and_then(Yaml::list).unwrap_or_default();
    if examples.is_empty() {
        faults.error(file, root.position, "`examples` is a list of at least one example");
    }
    for example in examples {
        for (key, _) in example.map().unwrap_or_default() {
            if !EXAMPLE_KEYS.contains(&key.name.as_str()) {
                let suggestion = did_you_mean(&key.name, EXAMPLE_KEYS);
                faults.error(file, key.position, format!("unknown key `{}`{suggestion}", key.name));
            }
        }
        if let Err(message) = run_example(forge, example) {
            let name = example.get("name").and_then(Yaml::text).unwrap_or_default();
            faults.error(file, example.position, format!("example \"{name}\": {message}"));
        }
    }
}

fn run_example(forge: &Forge, example: &Yaml) -> Result<(), String> {
    let text = example.get("body").map(Yaml::to_json).unwrap_or_default().to_string();
    let body = Document::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let headers: Vec<Header> = example
        .get("headers")
        .and_then(Yaml::map)
        .unwrap_or_default()
        .iter()
        .map(|(key, value)| (key.name.to_ascii_lowercase(), value.text().unwrap_or_default().to_owned()))
        .collect();
    let recognised = forge.recognises(body.root(), &headers);
    let Some(expected) = example.get("expect").and_then(Yaml::map) else {
        return if recognised {
            Err("expected no hook of this forge, but it is recognised".to_owned())
        } else {
            Ok(())
        };
    };
    if !recognised {
        return Err("is not recognised".to_owned());
    }
    let identity = forge.identify(body.root(), &headers).map_err(|failure| failure.to_string())?;
    for (key, value) in expected {
        if key.name == "teaches" {
            teaching::example::check(forge, &identity, &body, &headers, &value.to_json())?;
            continue;
        }
        let filtered = FilterKind::named(&key.name)
            .map(|kind| forge.filtered_name(kind, &identity.event, body.root(), &headers))
            .transpose()
            .map_err(|failure| failure.to_string())?;
        let got = match &filtered {
            Some(name) => name.as_deref(),
            None => told(&identity, &key.name)?,
        };
        let wanted = Some(value.to_json()).filter(|value| !value.is_null()).and_then(|_| value.text());
        if got != wanted {
            return Err(format!("{}: expected {}, got {}", key.name, shown(wanted), shown(got)));
        }
    }
    Ok(())
}

/// A fact of an identity by the name that an example gives it.
fn told<'i>(identity: &'i Identity, name: &str) -> Result<Option<&'i str>, String> {
    match name {
        "event" => Ok(Some(&identity.event)),
        "project" => Ok(identity.project.as_deref()),
        "instance" => Ok(identity.instance.as_deref()),
        "delivery_key" => Ok(identity.delivery_key.as_deref()),
        _ => Err(format!("an example cannot expect `{name}`")),
    }
}

/// A fact as messages show it.
fn shown(fact: Option<&str>) -> String {
    fact.map_or_else(|| "nothing".to_owned(), |fact| format!("`{fact}`"))
}
