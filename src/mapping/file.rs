//! Reads one mapping file: its header, its names, and its body compiled.

use super::diagnostic::{Diagnostics, Position, did_you_mean};
use super::examples::{self, Example};
use super::files::Files;
use super::headers::{self, Header};
use super::identity;
use super::lossy::{self, Loss};
use super::program::{Condition, Constant, Let, Place, Program, Table, Template};
use super::scope::{Block, Scope};
use super::selection::{self, Match};
use super::shared;
use super::template::{self, text_position};
use super::usage::{NamedKind, Usage};
use super::yaml::{self, Key, Yaml, scalar_json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The version of the mapping language that this binary understands.
pub(crate) const LANGUAGE: &str = "1";

/// In the place of an event's name: every event that no file names.
pub(crate) const ANY_OTHER: &str = "*";

/// What a `let` and a loop variable cannot be named.
const WORDS: [&str; 13] =
    ["true", "false", "null", "and", "or", "not", "in", "exists", "hook", "settings", "seen", "delivery", "header"];

const MAPPING_KEYS: [&str; 14] = [
    "mapping", "name", "doc", "use", "event", "match", "tables", "let", "blocks", "headers", "body", "ignore", "lossy",
    "examples",
];

/// One mapping, ready to run.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) name: Arc<str>,
    pub(crate) file: Arc<str>,
    /// Where `event:` stands, for messages about the selection.
    pub(crate) position: Position,
    /// Where the body begins.
    body_position: Position,
    pub(crate) events: Vec<String>,
    pub(crate) matches: Vec<Match>,
    pub(crate) condition: Option<Condition>,
    pub(crate) program: Program,
    /// The headers that it sets.
    pub(crate) headers: Vec<Header>,
    pub(crate) output: Output,
    pub(crate) lossy: Vec<Loss>,
    pub(crate) doc: String,
    /// The SHA-256 of the file and of the one that it uses, in hexadecimal digits: which version of it was at work.
    pub(crate) sha256: Arc<str>,
    pub(crate) examples: Vec<Example>,
}

/// What a mapping makes of a hook.
#[derive(Debug)]
pub(crate) enum Output {
    Body(Template),
    /// Nothing, for the reason given.
    Ignore(String),
}

impl Mapping {
    /// Where the body stands, as a place of its program.
    pub(crate) fn body_place(&self) -> Place {
        Place { file: 0, position: self.body_position }
    }

    /// How close the mapping is to an event: whether it names it, and how closely it says which hooks it is for.
    /// Nothing when it is not for the event.
    pub(crate) fn closeness(&self, event: &str) -> Option<(bool, usize)> {
        let names = self.events.iter().any(|own| own == event);
        let is_for = names || self.events.iter().any(|own| own == ANY_OTHER);
        is_for.then(|| (names, self.specificity()))
    }

    /// How closely the mapping says which hooks of its events it is for.
    pub(crate) fn specificity(&self) -> usize {
        self.matches.len() + usize::from(self.condition.is_some())
    }
}

/// Reads and compiles a mapping file. Faults are noted; with errors among them the result must not be used. One that
/// `is_checked` already keeps neither examples nor what only they are held against.
pub(crate) fn load(files: &Files, path: &str, is_checked: bool, faults: &mut Diagnostics) -> Option<Mapping> {
    let (file, text) = files.get(path)?;
    let root = yaml::parse(&file, text, faults)?;
    let mut scope = Scope::new(&file, false, faults);
    check_header(&root, &MAPPING_KEYS, &mut scope);
    root.map()?;
    let parts = compile(files, path, &root, &mut scope);
    if root.get("name").and_then(Yaml::text).unwrap_or_default().trim().is_empty() {
        let position = root.get("name").map_or(root.position, |name| name.position);
        scope.error(position, "`name` is missing: what logs and metrics call the mapping, such as `folder/file`");
    }
    let events = read_events(&root, &mut scope);
    let lossy = lossy::read(root.get("lossy"), &mut scope);
    let examples = if is_checked { Vec::new() } else { examples::read(files, path, root.get("examples"), &mut scope) };
    let position = root.get("event").map_or(root.position, |event| event.position);
    let [name, doc] =
        ["name", "doc"].map(|key| root.get(key).and_then(Yaml::text).unwrap_or_default().trim().to_owned());
    let mut hash = Sha256::new_with_prefix(text);
    if let Some((_, shared)) = root.get("use").and_then(|shared| shared::file_of(files, path, shared)) {
        hash.update(shared);
    }
    let (needed, program) = (scope.needed_lets(), scope.program);
    let parts = parts?;
    let (mut program, Parts { matches, condition, headers, output }) =
        if faults.has_errors() { (program, parts) } else { lean(files, path, &root, program.usage, needed)? };
    if is_checked {
        program.usage.keep_settings();
    }
    Some(Mapping {
        name: Arc::from(name),
        file: Arc::from(file),
        position,
        body_position: root.get("body").map_or(position, |body| body.position),
        events,
        matches,
        condition,
        program,
        headers,
        output,
        lossy,
        doc,
        sha256: Arc::from(identity::hexadecimal(&hash.finalize())),
        examples,
    })
}

/// What of a mapping runs.
struct Parts {
    matches: Vec<Match>,
    condition: Option<Condition>,
    headers: Vec<Header>,
    output: Output,
}

fn compile(files: &Files, path: &str, root: &Yaml, scope: &mut Scope<'_>) -> Option<Parts> {
    if let Some(shared) = root.get("use") {
        shared::take(files, path, shared, scope);
    }
    read_names(root, scope);
    scope.selects = true;
    let (matches, condition) = selection::read(root.get("match"), scope);
    scope.selects = false;
    let headers = headers::read(root.get("headers"), scope);
    let output = read_output(root, scope)?;
    Some(Parts { matches, condition, headers, output })
}

/// Compiles a sound mapping once more without the `let`s of the shared file that it does not need: what such a file has
/// for many mappings would cost each of them room and time for every hook. What was noted at first is kept.
fn lean(files: &Files, path: &str, root: &Yaml, usage: Usage, needed: HashSet<Place>) -> Option<(Program, Parts)> {
    let (file, _) = files.get(path)?;
    let mut said_already = Diagnostics::default();
    let mut scope = Scope::new(&file, false, &mut said_already);
    scope.needed = Some(needed);
    let parts = compile(files, path, root, &mut scope)?;
    Some((Program { usage, ..scope.program }, parts))
}

/// Checks the language version and that every key is known.
pub(crate) fn check_header(root: &Yaml, known: &[&str], scope: &mut Scope<'_>) {
    let Some(members) = root.map() else {
        scope.error(root.position, "expected a map of keys such as `mapping`, `event` and `body`");
        return;
    };
    let version_key = known.first().copied().unwrap_or_default();
    match root.get(version_key) {
        None => scope.error(
            root.position,
            format!("`{version_key}: {LANGUAGE}` is missing: the version of the language that the file is written in"),
        ),
        Some(version) if version.text() != Some(LANGUAGE) => {
            let given = version.text().unwrap_or("something else").to_owned();
            scope.error(
                version.position,
                format!("version {given} of the mapping language: this binary understands {LANGUAGE}"),
            );
        }
        Some(_) => {}
    }
    for (key, _) in members {
        if !known.contains(&key.name.as_str()) {
            let belongs =
                if key.name == "where" && known.contains(&"match") { ": it belongs under `match`" } else { "" };
            let suggestion = did_you_mean(&key.name, known.iter().copied());
            let suggestion = if belongs.is_empty() { &suggestion } else { belongs };
            scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
        }
    }
}

/// Reads `tables`, `blocks` and `let`, in the order in which they can use each other.
pub(crate) fn read_names(root: &Yaml, scope: &mut Scope<'_>) {
    for (key, value) in members(root.get("tables"), "tables", scope) {
        let table = read_table(key, value, scope);
        if scope.program.tables.iter().any(|own| own.name == key.name) {
            scope.error(key.position, format!("`{}` is a table of the file that this one uses", key.name));
        }
        scope.name(NamedKind::Table, &key.name, table.place);
        scope.program.tables.push(table);
    }
    for (key, value) in members(root.get("blocks"), "blocks", scope) {
        if scope.blocks.contains_key(&key.name) {
            scope.error(key.position, format!("`{}` is a block of the file that this one uses", key.name));
        }
        let place = scope.place(key.position);
        scope.name(NamedKind::Block, &key.name, place);
        scope.blocks.insert(key.name.clone(), Block { place, body: value.clone() });
    }
    let lets = members(root.get("let"), "let", scope);
    scope.later = lets.iter().rev().map(|(key, _)| key.name.clone()).collect();
    for (key, value) in lets {
        let place = scope.place(key.position);
        if scope.needed.as_ref().is_some_and(|needed| !needed.contains(&place)) {
            scope.later.pop();
            continue;
        }
        let valid = key.name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        if !valid || key.name.is_empty() {
            scope.error(key.position, "a name is made of letters, digits and `_`");
        }
        check_word(&key.name, key.position, scope);
        if scope.program.lets.iter().any(|own| own.name == key.name) {
            scope.error(key.position, format!("`{}` is a `let` of the file that this one uses", key.name));
        }
        scope.compiling = Some(place);
        let compiled = single(value, scope);
        scope.compiling = None;
        let origins = scope.program.usage.let_origins(&compiled);
        scope.name(NamedKind::Let, &key.name, place);
        scope.program.lets.push(Let { name: key.name.clone(), place, origins, value: compiled });
        scope.later.pop();
    }
}

/// A name that is a word of the language would be read as that word, or hide what it stands for.
pub(crate) fn check_word(name: &str, position: Position, scope: &mut Scope<'_>) {
    if WORDS.contains(&name) {
        scope.error(position, format!("`{name}` is a word of the language: give it another name"));
    }
}

/// Compiles a template that must make a single value: a scalar, a text with holes, or a `$case` of them.
pub(crate) fn single(node: &Yaml, scope: &mut Scope<'_>) -> Template {
    let compiled = template::compile(node, scope);
    if !is_single(&compiled) {
        scope.error(node.position, "expected a single value here: objects and lists go into `blocks`");
    }
    compiled
}

fn is_single(template: &Template) -> bool {
    match template {
        Template::Literal { constant, .. } => constant.is_some(),
        Template::Hole(_) | Template::Text(_) => true,
        Template::Case(branches) => branches.iter().all(|branch| is_single(&branch.then)),
        _ => false,
    }
}

/// The members of an optional map; says so when it is none.
pub(crate) fn members<'y>(node: Option<&'y Yaml>, name: &str, scope: &mut Scope<'_>) -> &'y [(Key, Yaml)] {
    match node.map(|node| (node, node.map())) {
        None => &[],
        Some((_, Some(members))) => members,
        Some((node, None)) => {
            scope.error(node.position, format!("`{name}` is a map of names"));
            &[]
        }
    }
}

fn read_table(key: &Key, value: &Yaml, scope: &mut Scope<'_>) -> Table {
    let place = scope.place(key.position);
    let mut table = Table { name: key.name.clone(), place, rows: BTreeMap::new(), otherwise: None };
    for (row, value) in members(Some(value), "tables", scope) {
        let Some(scalar) = value.scalar() else {
            scope.error(value.position, "a table's values are texts, numbers, true, false or null");
            continue;
        };
        let constant = constant(&scalar_json(scalar));
        if row.name == "else" {
            table.otherwise = Some(constant);
        } else {
            table.rows.insert(row.name.clone(), constant);
        }
    }
    table
}

fn constant(value: &serde_json::Value) -> Constant {
    match value {
        serde_json::Value::Null => Constant::Null,
        serde_json::Value::Bool(truth) => Constant::Bool(*truth),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Constant::Number(number.to_string()), Constant::Int)
        }
        serde_json::Value::String(text) => Constant::text(text.clone()),
        other => Constant::text(other.to_string()),
    }
}

pub(crate) fn read_events(root: &Yaml, scope: &mut Scope<'_>) -> Vec<String> {
    let Some(event) = root.get("event") else {
        scope.error(root.position, "`event` is missing: the event, or the list of events, that this file is for");
        return Vec::new();
    };
    let listed: Vec<&Yaml> = event.list().map_or_else(|| vec![event], |items| items.iter().collect());
    let events: Vec<String> = listed.iter().filter_map(|item| item.text()).map(str::to_owned).collect();
    if events.is_empty() || events.len() != listed.len() || events.iter().any(String::is_empty) {
        scope.error(event.position, "`event` is a name or a list of names");
    }
    for (index, item) in listed.iter().enumerate() {
        if listed.iter().take(index).any(|other| other.text().is_some() && other.text() == item.text()) {
            scope.warning(item.position, format!("`{}` is listed already", item.text().unwrap_or_default()));
        }
    }
    events
}

fn read_output(root: &Yaml, scope: &mut Scope<'_>) -> Option<Output> {
    match (root.get("body"), root.get("ignore")) {
        (Some(body), None) => Some(Output::Body(template::compile(body, scope))),
        (None, Some(ignore)) => {
            let reason = ignore.text().unwrap_or_default().trim().to_owned();
            if reason.is_empty() {
                scope.error(text_position(ignore), "`ignore` says why the event has no counterpart");
            }
            Some(Output::Ignore(reason))
        }
        (None, None) => {
            scope.error(
                root.position,
                "`body` is missing (or `ignore` with the reason, for an event without a counterpart)",
            );
            None
        }
        (Some(_), Some(ignore)) => {
            scope.error(text_position(ignore), "`body` and `ignore` in one file: a hook is translated or ignored");
            None
        }
    }
}
