//! What is said of people, projects and numbers: `[[user]]`, `[[project]]`, `[[number]]`. A file alone can say it.
//!
//! It is about people, and faults are logged: no message repeats an id, a number or a text of an entry.

use super::fields::{Collector, Fields};
use crate::known::configured::{Configured, Entry};
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::identity::KINDS;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use url::Url;

/// The largest number that every tool can keep.
const LARGEST: u32 = i32::MAX as u32;
const VISIBILITIES: [&str; 3] = ["private", "internal", "public"];

/// A list of tables of the file.
struct Tables {
    /// How they are called there.
    key: &'static str,
    /// The kind of what they are about; `None` where each says so itself.
    about: Option<&'static str>,
    columns: &'static [&'static str],
}

const TABLES: [Tables; 3] = [
    Tables { key: "user", about: Some("user"), columns: &["name", "username", "email", "avatar"] },
    Tables {
        key: "project",
        about: Some("project"),
        columns: &["default_branch", "description", "avatar", "visibility", "language"],
    },
    Tables { key: "number", about: None, columns: &[] },
];

/// An entry, and where it stands.
struct Placed {
    path: String,
    table: &'static str,
    entry: Entry,
}

/// Says of each variable that would set one of them that they stand in a file only, and takes what it sets out.
pub(super) fn refuse_variables(members: &mut Map<String, Value>, all: &mut Collector<'_>) {
    for Tables { key, .. } in TABLES {
        let below = format!("{key}.");
        let is_ours = |path: &&String| *path == key || path.starts_with(&below);
        let paths: Vec<String> = all.origins.variables.keys().filter(is_ours).cloned().collect();
        for path in &paths {
            all.fault(path, format!("stands in a file only: write a [[{key}]] there"));
        }
        if !paths.is_empty() {
            members.remove(key);
        }
    }
}

/// Everything that is said of anybody.
pub(super) fn configured(top: &mut Fields, all: &mut Collector<'_>) -> Configured {
    let mut placed = Vec::new();
    for tables in TABLES {
        for table in top.tables(tables.key, all) {
            placed.extend(entry(table, &tables, all));
        }
    }
    check_unique(&placed, all);
    Configured::new(placed.into_iter().map(|placed| placed.entry).collect())
}

fn entry(mut table: Fields, of: &Tables, all: &mut Collector<'_>) -> Option<Placed> {
    let (path, faults) = (table.path().to_owned(), all.faults.len());
    let kind = of.about.or_else(|| kind(&mut table, all));
    let id = table.required("id", "what the forge calls it by, a UUID for one", all);
    let id = id.filter(|id| is_some_text(&table.path_of("id"), id, all));
    let instance = if of.about.is_some() { host(&mut table, "instance", all) } else { None };
    let mut columns = BTreeMap::new();
    for name in of.columns {
        if let Some(text) = column(&mut table, name, all) {
            columns.insert(*name, text);
        }
    }
    let number = number(&mut table, of.about.is_none(), all);
    let number_instance = host(&mut table, "number_instance", all);
    if number_instance.is_some() && number.is_none() && !all.is_wrong(&table.path_of("number")) {
        all.fault(&table.path_of("number_instance"), "there is no `number` that it could have given");
    }
    table.end(all);
    if all.faults.len() == faults && columns.is_empty() && number.is_none() {
        all.fault(&path, format!("says nothing but an id: add {} or number", of.columns.join(", ")));
    }
    let entry = Entry { kind: kind?, id: id?, instance, columns, number, number_instance };
    Some(Placed { path, table: of.key, entry })
}

fn kind(table: &mut Fields, all: &mut Collector<'_>) -> Option<&'static str> {
    let path = table.path_of("kind");
    let said = table.required("kind", &format!("of what it is the number, {}", KINDS.join(", ")), all)?;
    let known = KINDS.into_iter().find(|kind| *kind == said);
    if known.is_none() {
        let suggestion = did_you_mean(&said, KINDS);
        all.fault(&path, format!("unknown kind `{said}`: expected {}{suggestion}", KINDS.join(", ")));
    }
    known
}

/// An instance is known by its host, and its port where the address has one.
fn host(table: &mut Fields, key: &'static str, all: &mut Collector<'_>) -> Option<String> {
    let path = table.path_of(key);
    let text = table.text(key, all).filter(|text| is_some_text(&path, text, all))?;
    let is_host = !text.contains(['/', '@']) && !text.contains(char::is_whitespace);
    if !is_host {
        all.fault(&path, "expected a host, with its port where the address has one: git.example.org, lab:8443");
    }
    is_host.then_some(text)
}

fn column(table: &mut Fields, name: &'static str, all: &mut Collector<'_>) -> Option<String> {
    let path = table.path_of(name);
    let text = table.text(name, all).filter(|text| is_some_text(&path, text, all))?;
    let fault = match name {
        "email" if !text.contains('@') => Some("expected an e-mail address, with an @".to_owned()),
        "avatar" if !is_page(&text) => Some("expected an http:// or https:// URL".to_owned()),
        "visibility" if !VISIBILITIES.contains(&text.as_str()) => {
            Some(format!("expected {}{}", VISIBILITIES.join(", "), did_you_mean(&text, VISIBILITIES)))
        }
        _ => None,
    };
    match fault {
        Some(message) => {
            all.fault(&path, message);
            None
        }
        None => Some(text),
    }
}

/// An empty text would stand in the place of what hooks tell, and tools refuse some that are empty.
fn is_some_text(path: &str, text: &str, all: &mut Collector<'_>) -> bool {
    let is_some = !text.trim().is_empty();
    if !is_some {
        all.fault(path, "an empty text: leave it out where nothing is known");
    }
    is_some
}

fn is_page(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn number(table: &mut Fields, is_required: bool, all: &mut Collector<'_>) -> Option<u32> {
    let path = table.path_of("number");
    if is_required && table.peek("number").is_none() {
        all.fault(&path, "missing: the number that tools know");
    }
    table.parsed("number", all, |text| {
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let fitting = number.filter(|number| (1..=LARGEST).contains(number));
        fitting.ok_or_else(|| format!("expected a number from 1 to {LARGEST}"))
    })
}

/// Looks for what is said twice, and for numbers that contradict each other.
fn check_unique(placed: &[Placed], all: &mut Collector<'_>) {
    let (mut entries, mut of_text) = (HashMap::new(), HashMap::new());
    let mut of_number: HashMap<_, Vec<&Placed>> = HashMap::new();
    for own in placed {
        let Placed { path, table, entry } = own;
        // Of a number alone only the instance that gave it is said.
        let instance = if *table == "number" { &entry.number_instance } else { &entry.instance };
        let instance = instance.as_ref().map(|host| host.to_ascii_lowercase());
        if let Some(first) = first(&mut entries, (*table, entry.kind, &entry.id, instance), path) {
            all.fault(&format!("{path}.id"), format!("{first} has the same id at the same instance: make them one"));
            continue;
        }
        let Some(number) = entry.number else { continue };
        let (other, of_other) = of_text.entry((entry.kind, &entry.id)).or_insert((number, path));
        if *other != number {
            let message = format!("{of_other} gives the same id another number: tools would know it under two");
            all.fault(&format!("{path}.number"), message);
        }
        let others = of_number.entry((entry.kind, number)).or_default();
        if let Some(other) = others.iter().find(|other| excludes(&other.entry, entry)) {
            let message = format!("{} gives another id the same number: nobody could tell them apart", other.path);
            all.fault(&format!("{path}.number"), message);
        }
        others.push(own);
    }
}

/// Whether a tool could not tell two entries of one number apart, whichever instances gave it to them.
fn excludes(one: &Entry, other: &Entry) -> bool {
    one.id != other.id
}

/// Where something was said first, if this is not the first time.
fn first<'p, K: std::hash::Hash + Eq>(seen: &mut HashMap<K, &'p str>, key: K, path: &'p str) -> Option<&'p str> {
    let before = seen.get(&key).copied();
    seen.entry(key).or_insert(path);
    before
}

#[cfg(test)]
mod tests;
