//! Examples that stand in a mapping file: read with it, and run whenever it is loaded, in production too.

use super::diagnostic::{Diagnostics, Position, did_you_mean};
use super::eval::{Run, Surroundings};
use super::file::{Mapping, Output};
use super::json::Document;
use super::knowledge::NoKnowledge;
use super::scope::Scope;
use super::selection;
use super::set::{Files, Mappings, Untranslated};
use super::yaml::Yaml;
use serde_json::Value;

const KEYS: [&str; 11] =
    ["name", "event", "input", "given", "change", "remove", "hook", "output", "expect", "headers", "ignored"];

/// One example: a hook, and what the mapping must make of it.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) position: Position,
    /// The event to translate it as; the first of the mapping's events when the file does not say.
    pub(crate) event: Option<String>,
    pub(crate) input: String,
    /// What `hook` says; an instance and a time that never change.
    pub(crate) hook: Value,
    wanted: Vec<Wanted>,
}

#[derive(Debug)]
enum Wanted {
    /// The whole body.
    Output(Value),
    /// Some fields of the body.
    Expect(Value),
    /// Some headers.
    Headers(Value),
    /// No body: a mapping that ignores.
    Ignored,
}

/// Reads the examples of a mapping file, with the files that they name.
pub(crate) fn read(files: &Files, path: &str, node: Option<&Yaml>, scope: &mut Scope<'_>) -> Vec<Example> {
    let Some(node) = node else {
        scope.error(
            Position { line: 1, column: 1 },
            "`examples` is missing: a mapping shows at least one hook and what becomes of it",
        );
        return Vec::new();
    };
    let items = node.list().unwrap_or_default();
    if items.is_empty() {
        scope.error(node.position, "`examples` is a list of at least one example");
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    items.iter().filter_map(|item| Reader { files, folder, scope }.example(item)).collect()
}

struct Reader<'r, 's, 'd> {
    files: &'r Files,
    folder: &'r str,
    scope: &'s mut Scope<'d>,
}

impl Reader<'_, '_, '_> {
    fn example(&mut self, item: &Yaml) -> Option<Example> {
        for (key, _) in item.map().unwrap_or_default() {
            if !KEYS.contains(&key.name.as_str()) {
                let suggestion = did_you_mean(&key.name, KEYS);
                self.scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
            }
        }
        let name = item.get("name").and_then(Yaml::text).unwrap_or_default().to_owned();
        if name.is_empty() {
            self.scope.error(item.position, "an example has a `name` that says what it shows");
        }
        let mut input = match (item.get("input"), item.get("given")) {
            (Some(node), None) | (None, Some(node)) => self.value(node)?,
            _ => {
                self.scope.error(item.position, "an example has an `input` (or `given` and what to `change` in it)");
                return None;
            }
        };
        self.change(item, &mut input);
        let wanted = self.wanted(item);
        if wanted.is_empty() {
            self.scope.error(
                item.position,
                "an example says what comes out: `output`, `expect`, `headers` or `ignored: true`",
            );
        }
        let mut hook = serde_json::json!({
            "id": "00000000-0000-7000-8000-000000000000",
            "received_at": "2026-01-02T03:04:05Z",
            "instance": "git.example.org",
        });
        for (key, value) in item.get("hook").and_then(Yaml::map).unwrap_or_default() {
            set(&mut hook, &key.name, value.to_json());
        }
        let event = item.get("event").and_then(Yaml::text).map(str::to_owned);
        Some(Example { name, position: item.position, event, input: input.to_string(), hook, wanted })
    }

    fn change(&mut self, item: &Yaml, input: &mut Value) {
        for (key, value) in item.get("change").and_then(Yaml::map).unwrap_or_default() {
            if !set(input, &key.name, value.to_json()) {
                self.scope.error(key.position, format!("nothing in the example can hold `{}`", key.name));
            }
        }
        if let Some(remove) = item.get("remove").filter(|remove| remove.list().is_none()) {
            self.scope.error(remove.position, "`remove` is a list of paths");
        }
        for path in item.get("remove").and_then(Yaml::list).unwrap_or_default() {
            if !remove(input, path.text().unwrap_or_default()) {
                self.scope.error(path.position, "the example has no such field to remove");
            }
        }
    }

    fn wanted(&mut self, item: &Yaml) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        if let Some(output) = item.get("output").and_then(|node| self.value(node)) {
            wanted.push(Wanted::Output(output));
        }
        if let Some(expect) = item.get("expect").and_then(|node| self.value(node)) {
            wanted.push(Wanted::Expect(expect));
        }
        if let Some(headers) = item.get("headers") {
            wanted.push(Wanted::Headers(headers.to_json()));
        }
        if item.get("ignored").and_then(Yaml::text) == Some("true") {
            wanted.push(Wanted::Ignored);
        }
        wanted
    }

    /// A value that stands in the file, or the JSON file that a text names.
    fn value(&mut self, node: &Yaml) -> Option<Value> {
        let Some(name) = node.text() else { return Some(node.to_json()) };
        let Some((shown, text)) = self.files.get(&format!("{}/{name}", self.folder)) else {
            self.scope.error(node.position, format!("there is no file `{name}` beside this one"));
            return None;
        };
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.scope.error(node.position, format!("{shown} is not JSON: {error}"));
                None
            }
        }
    }
}

/// Puts a value at a dotted path, making objects on the way; says whether there was a place for it.
fn set(target: &mut Value, path: &str, value: Value) -> bool {
    let mut place = target;
    for key in path.split('.') {
        place = match (place, key.parse::<usize>()) {
            (Value::Object(members), _) => members.entry(key).or_insert_with(|| Value::Object(serde_json::Map::new())),
            (Value::Array(items), Ok(position)) if position < items.len() => match items.get_mut(position) {
                Some(item) => item,
                None => return false,
            },
            _ => return false,
        };
    }
    *place = value;
    true
}

fn remove(target: &mut Value, path: &str) -> bool {
    let (parent, key) = path.rsplit_once('.').map_or(("", path), |(parent, key)| (parent, key));
    let pointer = if parent.is_empty() { String::new() } else { format!("/{}", parent.replace('.', "/")) };
    target.pointer_mut(&pointer).and_then(Value::as_object_mut).and_then(|members| members.shift_remove(key)).is_some()
}

/// Runs every example of a set; a body that is not what its example says is an error.
pub(crate) fn run(set: &Mappings, faults: &mut Diagnostics) {
    for mapping in set.iter() {
        for example in &mapping.examples {
            if let Err((message, position)) = run_one(set, mapping, example) {
                faults.error(&mapping.file, position, format!("example \"{}\": {message}", example.name));
            }
        }
    }
}

type Wrong = (String, Position);

fn run_one(set: &Mappings, mapping: &Mapping, example: &Example) -> Result<(), Wrong> {
    let at = example.position;
    let event = example.event.as_ref().or(mapping.events.first()).cloned().unwrap_or_default();
    if !mapping.events.contains(&event) {
        return Err((format!("this file is not for the event `{event}`"), at));
    }
    let made = translate(set, mapping, example, &event).map_err(|message| (message, at))?;
    for wanted in &example.wanted {
        check(mapping, example, wanted, made.as_ref())?;
    }
    Ok(())
}

/// What a translation gives: headers and body; nothing when the mapping ignores the event.
pub(crate) type Made = Option<(Vec<(String, String)>, Value)>;

/// Translates an example, after making sure that this mapping and no other is the one for it.
pub(crate) fn translate(set: &Mappings, mapping: &Mapping, example: &Example, event: &str) -> Result<Made, String> {
    let input = Document::parse(example.input.as_bytes()).map_err(|error| error.to_string())?;
    let hook_text = example_hook(example, event).to_string();
    let hook = Document::parse(hook_text.as_bytes()).map_err(|error| error.to_string())?;
    let instance = hook.root().get("instance").and_then(super::json::Node::text).unwrap_or_default();
    let beside = Surroundings { hook: Some(hook.root()), instance: &instance, ..Surroundings::new(&NoKnowledge) };
    for other in set.for_event(event) {
        let taken = selection::takes(other, &Run::new(&other.program, input.root(), &beside))
            .map_err(|failure| failure.to_string())?;
        if taken && !std::ptr::eq(other, mapping) && other.specificity() >= mapping.specificity() {
            return Err(format!("matches {}:{}:{} as well", other.file, other.position.line, other.position.column));
        }
    }
    match set.translate(event, input.root(), &beside) {
        Ok(translated) => {
            let body =
                serde_json::from_slice(&translated.body).map_err(|error| format!("the body is not JSON: {error}"))?;
            Ok(Some((translated.headers, body)))
        }
        Err(Untranslated::Ignored { .. }) => Ok(None),
        Err(other) => Err(other.to_string()),
    }
}

/// The `hook` of an example, with its event.
fn example_hook(example: &Example, event: &str) -> Value {
    let mut hook = example.hook.clone();
    set(&mut hook, "event", event.into());
    hook
}

fn check(
    mapping: &Mapping,
    example: &Example,
    wanted: &Wanted,
    made: Option<&(Vec<(String, String)>, Value)>,
) -> Result<(), Wrong> {
    let at = example.position;
    let (headers, body) = match (wanted, made) {
        (Wanted::Ignored, None) => return Ok(()),
        (Wanted::Ignored, Some(_)) => {
            return Err(("expected the hook to be ignored, but it was translated".to_owned(), at));
        }
        (_, None) => return Err(("the hook is ignored".to_owned(), at)),
        (_, Some((headers, body))) => (headers, body),
    };
    let difference = match wanted {
        Wanted::Output(output) => difference(output, body, false, &mut Vec::new()),
        Wanted::Expect(expect) => difference(expect, body, true, &mut Vec::new()),
        Wanted::Headers(expect) => {
            let headers: Value = headers
                .iter()
                .map(|(name, value)| (name.clone(), value.clone().into()))
                .collect::<serde_json::Map<_, _>>()
                .into();
            return difference(expect, &headers, true, &mut Vec::new())
                .map_or(Ok(()), |found| Err((found.to_string(), at)));
        }
        Wanted::Ignored => None,
    };
    difference.map_or(Ok(()), |found| {
        let maker = match &mapping.output {
            Output::Body(body) => body.maker(&found.path),
            Output::Ignore(_) => None,
        };
        let made_by = maker.map_or_else(String::new, |place| {
            let file = mapping.program.files.get(place.file).filter(|file| **file != mapping.file);
            format!(
                " (made by {}line {})",
                file.map_or_else(String::new, |file| format!("{file} ")),
                place.position.line
            )
        });
        Err((format!("{found}{made_by}"), at))
    })
}

/// The first path at which two values differ.
struct Difference {
    path: Vec<String>,
    expected: Option<Value>,
    got: Option<Value>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |value: &Option<Value>| {
            value.as_ref().map_or_else(|| "nothing".to_owned(), |value| shortened(&value.to_string()))
        };
        write!(formatter, "{}: expected {}, got {}", self.path.join("."), show(&self.expected), show(&self.got))
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn difference(expected: &Value, got: &Value, subset: bool, path: &mut Vec<String>) -> Option<Difference> {
    let found = |path: &[String], expected: Option<&Value>, got: Option<&Value>| {
        Some(Difference { path: path.to_vec(), expected: expected.cloned(), got: got.cloned() })
    };
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            let added = got.keys().filter(|key| !subset && !expected.contains_key(*key));
            for key in expected.keys().chain(added) {
                path.push(key.clone());
                let deeper = match (expected.get(key), got.get(key)) {
                    (Some(expected), Some(got)) => difference(expected, got, subset, path),
                    (expected, got) => found(path, expected, got),
                };
                if deeper.is_some() {
                    return deeper;
                }
                path.pop();
            }
            None
        }
        (Value::Array(expected), Value::Array(got)) => {
            for position in 0..expected.len().max(got.len()) {
                path.push(position.to_string());
                let deeper = match (expected.get(position), got.get(position)) {
                    (Some(expected), Some(got)) => difference(expected, got, subset, path),
                    (expected, got) => found(path, expected, got),
                };
                if deeper.is_some() {
                    return deeper;
                }
                path.pop();
            }
            None
        }
        (expected, got) if expected == got => None,
        (expected, got) => found(path, Some(expected), Some(got)),
    }
}
