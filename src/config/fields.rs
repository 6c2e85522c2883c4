//! Takes typed values out of a tree of settings and collects what is wrong with them.

use super::origins::Origins;
use super::read_files::ReadFiles;
use crate::mapping::diagnostic::did_you_mean;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// The faults found so far, and how to name the place of each.
pub(super) struct Collector<'c> {
    pub(super) faults: Vec<String>,
    /// Whether something could not be read at all, so that what it says is not known.
    pub(super) unreadable: bool,
    /// Where each setting was said.
    pub(super) origins: &'c Origins,
    /// What may be shown of settings that are secrets, or hold some.
    pub(super) hidden: BTreeMap<String, String>,
    /// The files that were read.
    pub(super) read_files: ReadFiles,
    /// Every setting that the code has read, whether it was said or not.
    #[cfg(test)]
    pub(super) read: std::collections::BTreeSet<String>,
    /// The paths that have a fault.
    wrong: HashSet<String>,
}

impl<'c> Collector<'c> {
    pub(super) fn new(faults: Vec<String>, unreadable: bool, origins: &'c Origins) -> Self {
        Self {
            faults,
            unreadable,
            origins,
            hidden: BTreeMap::new(),
            read_files: ReadFiles::default(),
            #[cfg(test)]
            read: std::collections::BTreeSet::new(),
            wrong: HashSet::new(),
        }
    }

    /// Lays a fault on the place that says a setting.
    pub(super) fn fault(&mut self, path: &str, message: impl AsRef<str>) {
        self.add(path, &self.origins.name(path), message.as_ref());
    }

    /// Lays a fault on the file, even where a variable goes over it.
    pub(super) fn fault_in_file(&mut self, path: &str, message: impl AsRef<str>) {
        self.add(path, &self.origins.name_in_file(path), message.as_ref());
    }

    fn add(&mut self, path: &str, place: &str, message: &str) {
        self.wrong.insert(path.to_owned());
        let fault = format!("{place}: {message}");
        // Each line of a file of secrets can have the same fault: once is enough.
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Whether a setting has a fault already.
    pub(super) fn is_wrong(&self, path: &str) -> bool {
        self.wrong.contains(path)
    }
}

/// The first step of a path: `route` of `route[0].to`.
pub(super) fn first_of(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// The members of one table; what is taken is known, what is left at the end is not.
pub(super) struct Fields {
    path: String,
    members: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    pub(super) fn new(path: &str, members: Map<String, Value>) -> Self {
        Self { path: path.to_owned(), members, known: Vec::new() }
    }

    /// Where the table itself stands.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Looks at a value without taking it.
    pub(super) fn peek(&self, key: &str) -> Option<&Value> {
        self.members.get(key)
    }

    /// Takes a value as it is.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.members.remove(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, key: &'static str, all: &mut Collector<'_>) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => {
                all.fault(&self.path_of(key), format!("expected a text, got {}", kind(&other)));
                None
            }
        }
    }

    /// Takes a text that must be there; an empty one is missing.
    pub(super) fn required(&mut self, key: &'static str, what: &str, all: &mut Collector<'_>) -> Option<String> {
        let text = self.text(key, all).filter(|text| !text.is_empty());
        let path = self.path_of(key);
        if text.is_none() && !all.is_wrong(&path) {
            all.fault(&path, format!("missing: {what}"));
        }
        text
    }

    /// Takes a text and parses it.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        all: &mut Collector<'_>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match self.take(key)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => {
                all.fault(&self.path_of(key), format!("expected a text, got {}", kind(&other)));
                return None;
            }
        };
        parse(&text).map_err(|message| all.fault(&self.path_of(key), message)).ok()
    }

    pub(super) fn duration(&mut self, key: &'static str, all: &mut Collector<'_>) -> Option<Duration> {
        self.parsed(key, all, duration)
    }

    pub(super) fn size(&mut self, key: &'static str, all: &mut Collector<'_>) -> Option<usize> {
        self.parsed(key, all, size)
    }

    pub(super) fn truth(&mut self, key: &'static str, all: &mut Collector<'_>) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(truth) => Some(truth),
            Value::String(text) if text == "true" || text == "false" => Some(text == "true"),
            other => {
                all.fault(&self.path_of(key), format!("expected true or false, got {}", kind(&other)));
                None
            }
        }
    }

    /// Takes a list of texts.
    pub(super) fn texts(&mut self, key: &'static str, all: &mut Collector<'_>) -> Option<Vec<String>> {
        let value = self.take(key)?;
        let texts =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        if texts.is_none() {
            all.fault(&self.path_of(key), "expected a list of texts");
        }
        texts
    }

    /// Takes a list of tables, each with its path.
    pub(super) fn tables(&mut self, key: &'static str, all: &mut Collector<'_>) -> Vec<Fields> {
        let path = self.path_of(key);
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .filter_map(|(position, item)| match item {
                    Value::Object(members) => Some(Fields::new(&format!("{path}[{position}]"), members)),
                    _ => {
                        all.fault(&format!("{path}[{position}]"), "expected a table");
                        None
                    }
                })
                .collect(),
            Some(_) => {
                all.fault(&path, format!("expected a list of tables: [[{key}]]"));
                Vec::new()
            }
        }
    }

    /// Takes a table.
    pub(super) fn table(&mut self, key: &'static str, all: &mut Collector<'_>) -> Fields {
        let path = self.path_of(key);
        match self.take(key) {
            Some(Value::Object(members)) => Fields::new(&path, members),
            None => Fields::new(&path, Map::new()),
            Some(_) => {
                all.fault(&path, "expected a table");
                Fields::new(&path, Map::new())
            }
        }
    }

    /// Whatever is in the table, by any name.
    pub(super) fn into_members(self) -> Map<String, Value> {
        self.members
    }

    /// Says of every key that nobody took that it is unknown.
    pub(super) fn end(self, all: &mut Collector<'_>) {
        #[cfg(test)]
        all.read.extend(self.known.iter().map(|key| self.path_of(key)));
        for key in self.members.keys() {
            let suggestion = did_you_mean(key, self.known.iter().copied());
            all.fault(&self.path_of(key), format!("unknown setting{suggestion}"));
        }
    }
}

/// What kind of value it is: the value itself may be a secret.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number: put it in quotes",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// `500ms`, `10s`, `5m`, `2h`, `7d`; a bare number counts seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a time such as 500ms, 10s, 5m, 2h or 7d, got `{text}`");
    let (number, unit) = split_unit(text);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or_else(wrong),
        "h" => number.checked_mul(3600).map(Duration::from_secs).ok_or_else(wrong),
        "d" => number.checked_mul(86_400).map(Duration::from_secs).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// `512KiB`, `25MiB`, `1GiB`, `25MB`; a bare number counts bytes.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("expected a size such as 512KiB, 25MiB or 1GiB, got `{text}`");
    let (number, unit) = split_unit(text);
    let number: usize = number.parse().map_err(|_| wrong())?;
    let factor: usize = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).ok_or_else(wrong)
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}
