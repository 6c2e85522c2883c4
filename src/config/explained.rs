//! The configuration in force, each setting with where it comes from. Secrets are not in it.

use super::Refused;
use super::fields::Collector;
use super::origins::{Origins, SIDECAR};
use super::read::settings;
use super::reference::{self, Table};
use super::sources::{Flags, Gathered, gather, refused, toml};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// What stands in the place of a secret.
const HIDDEN: &str = "hidden";

/// A table with its settings.
#[derive(Debug)]
pub struct ExplainedTable {
    /// Its path, as it stands in brackets; empty for the top.
    pub path: String,
    /// Whether there may be several: `[[…]]`.
    pub is_list: bool,
    /// The settings that have a value.
    pub settings: Vec<ExplainedSetting>,
}

/// A setting with its value.
#[derive(Debug)]
pub struct ExplainedSetting {
    /// Its name in its table.
    pub name: String,
    /// Where it stands in the whole: `route[0].to[0].url`.
    pub path: String,
    /// What is said; secrets are hidden.
    pub value: Value,
    /// Who says so.
    pub from: Source,
    /// The file, the variable or the flag; empty for a default.
    pub place: String,
}

/// Who says what a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Nobody: it is the default.
    Default,
    /// The configuration file.
    File,
    /// A variable of the environment.
    Environment,
    /// The command line.
    Flag,
}

impl Source {
    /// How it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// Puts file, environment and flags together as [`super::load`] does, and says what came of it.
///
/// # Errors
/// As [`super::load`].
pub fn explain(flags: &Flags, environment: &HashMap<String, String>) -> Result<Vec<ExplainedTable>, Refused> {
    let Gathered { tree, origins, faults, unreadable, .. } = gather(flags, environment);
    let mut all = Collector::new(faults, unreadable, &origins);
    let settings = settings(tree.clone(), &mut all);
    if !all.faults.is_empty() {
        return Err(refused(all, settings));
    }
    let is_sidecar = !tree.contains_key("route");
    let tree = if is_sidecar { with_sidecar(tree, &settings.routes) } else { tree };
    let mut explaining = Explaining {
        reference: reference::tables(),
        hidden: &all.hidden,
        origins: &origins,
        is_sidecar,
        tables: Vec::new(),
    };
    explaining.add("", "", Some(&tree));
    Ok(explaining.tables)
}

/// A sidecar written as the route that it is.
fn with_sidecar(mut tree: Map<String, Value>, routes: &[super::Route]) -> Map<String, Value> {
    let said: Map<String, Value> =
        SIDECAR.iter().filter_map(|key| Some(((*key).to_owned(), tree.remove(*key)?))).collect();
    let Some((route, to)) = routes.first().and_then(|route| Some((route, route.to.first()?))) else { return tree };
    if said.is_empty() {
        return tree;
    }
    let mut route =
        Map::from_iter([("path".to_owned(), json!(route.path)), ("accept".to_owned(), json!(route.accept))]);
    let mut destination = Map::from_iter([("name".to_owned(), json!(to.name))]);
    for (key, value) in said {
        match key.as_str() {
            "to" => destination.insert("url".to_owned(), value),
            "to_file" => destination.insert("url_file".to_owned(), value),
            "format" | "token" | "token_file" => destination.insert(key, value),
            _ => route.insert(key, value),
        };
    }
    route.insert("to".to_owned(), json!([destination]));
    tree.insert("route".to_owned(), json!([route]));
    tree
}

struct Explaining<'e> {
    reference: Vec<Table>,
    hidden: &'e BTreeMap<String, String>,
    origins: &'e Origins,
    is_sidecar: bool,
    tables: Vec<ExplainedTable>,
}

impl Explaining<'_> {
    /// Adds a table and those below it. `place` is its path in the reference, `path` with the positions in lists.
    fn add(&mut self, place: &str, path: &str, members: Option<&Map<String, Value>>) {
        let (settings, is_list) = self.settings(place, path, members);
        if !settings.is_empty() || is_list {
            self.tables.push(ExplainedTable { path: place.to_owned(), is_list, settings });
        }
        let below: Vec<(&'static str, bool)> =
            self.reference.iter().filter_map(|table| Some((self.below(place, table.path)?, table.is_list))).collect();
        for (name, is_list) in below {
            let (place, path, value) = (joined(place, name), joined(path, name), at(members, name));
            match (value, is_list) {
                (Some(Value::Array(items)), true) => {
                    for (position, item) in items.iter().enumerate() {
                        self.add(&place, &format!("{path}[{position}]"), item.as_object());
                    }
                }
                (value, false) => self.add(&place, &path, value.and_then(Value::as_object)),
                (_, true) => {}
            }
        }
    }

    /// The path of a table below another, where no third is between.
    fn below(&self, place: &str, path: &'static str) -> Option<&'static str> {
        let between =
            |own: &Table| own.path != path && behind(place, own.path).is_some() && behind(own.path, path).is_some();
        behind(place, path).filter(|_| !self.reference.iter().any(between))
    }

    /// The settings of a table that have a value: those that the reference knows in its order, then those with names of
    /// one's own.
    fn settings(&self, place: &str, path: &str, members: Option<&Map<String, Value>>) -> (Vec<ExplainedSetting>, bool) {
        let Some(table) = self.reference.iter().find(|table| table.path == place) else { return (Vec::new(), false) };
        let said = |name: &str| members.and_then(|members| members.get(name)).filter(|value| !value.is_null());
        let mut settings: Vec<ExplainedSetting> = Vec::new();
        for setting in &table.settings {
            let path = joined(path, setting.name);
            let known = match said(setting.name) {
                Some(value) => Some(self.said(setting.name, path, value)),
                None => setting.default().and_then(toml).map(|value| ExplainedSetting {
                    name: setting.name.to_owned(),
                    path,
                    value,
                    from: Source::Default,
                    place: String::new(),
                }),
            };
            settings.extend(known);
        }
        for (name, value) in members.into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let is_known = table.settings.iter().any(|setting| setting.name == name);
            let is_table = self.reference.iter().any(|other| {
                behind(place, other.path).is_some_and(|rest| rest == name || behind(name, rest).is_some())
            });
            if !is_known && !is_table {
                settings.push(self.said(name, joined(path, name), value));
            }
        }
        (settings, table.is_list)
    }

    fn said(&self, name: &str, path: String, value: &Value) -> ExplainedSetting {
        let value = self.hidden_at(&path).map_or_else(
            || value.clone(),
            |shown| match value {
                Value::Array(items) => items.iter().map(|_| Value::from(shown)).collect(),
                _ => Value::from(shown),
            },
        );
        let (from, place) = self.origins.source(self.as_said(&path));
        ExplainedSetting { name: name.to_owned(), path, value, from, place }
    }

    /// What is shown of a value that is a secret, or has one.
    fn hidden_at(&self, path: &str) -> Option<&str> {
        self.hidden.get(self.as_said(path)).map(String::as_str)
    }

    /// The path under which a setting was said: that of a sidecar stands at the top.
    fn as_said<'p>(&self, path: &'p str) -> &'p str {
        let own = path.strip_prefix("route[0].to[0].").or_else(|| path.strip_prefix("route[0]."));
        match own.filter(|_| self.is_sidecar) {
            Some("url") => "to",
            Some("url_file") => "to_file",
            Some(own) => own,
            None => path,
        }
    }
}

impl Collector<'_> {
    /// Says of a setting that it is a secret.
    pub(super) fn hide(&mut self, path: &str) {
        self.show_as(path, HIDDEN);
    }

    /// Says what may be shown of a setting.
    pub(super) fn show_as(&mut self, path: &str, shown: impl Into<String>) {
        self.hidden.insert(path.to_owned(), shown.into());
    }
}

/// What stands at a path of a few steps.
fn at<'v>(members: Option<&'v Map<String, Value>>, path: &str) -> Option<&'v Value> {
    let mut steps = path.split('.');
    let first = members?.get(steps.next()?)?;
    steps.try_fold(first, |own, step| own.get(step))
}

/// The rest of a path behind another.
fn behind<'p>(place: &str, path: &'p str) -> Option<&'p str> {
    match place {
        "" => (!path.is_empty()).then_some(path),
        place => path.strip_prefix(place)?.strip_prefix('.'),
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
