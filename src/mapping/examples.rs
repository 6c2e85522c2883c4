//! Examples that stand in a mapping file: read with it, and run whenever it is loaded, in production too.

mod beside;
pub(crate) mod loss;
pub(crate) mod reach;
pub(crate) mod run;

use super::diagnostic::{Position, did_you_mean};
use super::file::Mapping;
use super::files::Files;
use super::lookups::Lookups;
use super::scope::Scope;
use super::yaml::Yaml;
use serde_json::Value;

const KEYS: [&str; 14] = [
    "name", "event", "input", "given", "change", "remove", "hook", "settings", "seen", "lookups", "output", "expect",
    "headers", "ignored",
];

/// One example: a hook, and what the mapping must make of it.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) position: Position,
    /// The event to translate it as; the first of the mapping's events when the file does not say.
    pub(crate) event: Option<String>,
    pub(crate) input: Value,
    /// What `hook` says; an instance and a time that never change.
    pub(crate) hook: Value,
    /// The settings of the destination.
    pub(crate) settings: Value,
    /// The last seen state of the object.
    pub(crate) seen: Value,
    /// What the look-up tables hold: those of files play no part in examples.
    pub(crate) lookups: Lookups,
    wanted: Vec<Wanted>,
}

impl Example {
    /// Whether the hook alone decides what comes out: no settings, no state seen before, no tables, no facts of its own.
    pub(crate) fn stands_alone(&self) -> bool {
        self.settings.is_null() && self.seen.is_null() && self.lookups.is_empty() && self.hook == steady_hook()
    }

    /// The event that it is an example of.
    pub(crate) fn event_of<'e>(&'e self, mapping: &'e Mapping) -> &'e str {
        self.event.as_ref().or(mapping.events.first()).map(String::as_str).unwrap_or_default()
    }
}

/// The facts of a request that every example has, so that what comes out of it never changes.
fn steady_hook() -> Value {
    serde_json::json!({
        "id": "00000000-0000-7000-8000-000000000000",
        "received_at": "2026-01-02T03:04:05Z",
        "instance": "git.example.org",
    })
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
    let file = scope.program.files.first().map(ToString::to_string).unwrap_or_default();
    let mut reader = Reader { files, folder, file, scope };
    let examples: Vec<Example> = items.iter().filter_map(|item| reader.example(item)).collect();
    for (index, example) in examples.iter().enumerate() {
        if examples.iter().take(index).any(|other| !other.name.is_empty() && other.name == example.name) {
            let message = format!("another example is named \"{}\" as well: messages could mean either", example.name);
            reader.scope.warning(example.position, message);
        }
    }
    examples
}

struct Reader<'r, 's, 'd> {
    files: &'r Files,
    folder: &'r str,
    file: String,
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
        if !["output", "expect", "headers", "ignored"].iter().any(|key| item.get(key).is_some()) {
            self.scope.error(
                item.position,
                "an example says what comes out: `output`, `expect`, `headers` or `ignored: true`",
            );
        }
        let (hook, lookups) = (self.hook(item), self.lookups(item));
        let event = item.get("event").and_then(|event| self.event(event));
        let (settings, seen) = (self.object(item, "settings"), self.object(item, "seen"));
        Some(Example { name, position: item.position, event, input, hook, settings, seen, lookups, wanted })
    }

    fn event(&mut self, event: &Yaml) -> Option<String> {
        if event.text().is_none_or(str::is_empty) {
            self.scope.error(event.position, "`event` is one of the names that the file is for");
        }
        event.text().map(str::to_owned)
    }

    fn change(&mut self, item: &Yaml, input: &mut Value) {
        for (key, value) in self.map_under(item, "change") {
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
            self.map_under(item, "headers");
            wanted.push(Wanted::Headers(headers.to_json()));
        }
        if let Some(ignored) = item.get("ignored") {
            if ignored.to_json() != Value::Bool(true) {
                self.scope.error(ignored.position, "`ignored: true` says that there is no body; else leave it out");
            }
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
            Err(_) if text.starts_with('\u{FEFF}') => {
                self.scope.error(node.position, format!("{shown} begins with a byte order mark: leave it out"));
                None
            }
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
