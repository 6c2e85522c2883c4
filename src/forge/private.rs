//! What the fields of a forge's hooks hold that a captured hook must not show: `private` of a forge file.

use super::Forge;
use crate::mapping::diagnostic::did_you_mean;
use crate::mapping::file::members;
use crate::mapping::scope::Scope;
use crate::mapping::yaml::Yaml;
use std::collections::{HashMap, HashSet};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// The name of somebody.
    Person,
    /// What somebody named: accounts, groups, projects, branches, files; with `/` between several.
    Name,
    /// What somebody wrote.
    Text,
    /// What nobody may know.
    Secret,
    /// A word of the forge itself.
    Plain,
}

const HOLDINGS: [(&str, Holding); 5] = [
    ("people", Holding::Person),
    ("names", Holding::Name),
    ("texts", Holding::Text),
    ("secrets", Holding::Secret),
    ("plain", Holding::Plain),
];
const SKIP: &str = "skip";
const WORDS: &str = "words";
const ENDINGS: &str = "endings";

/// What is declared of a forge's fields; of one that has no declaration, nothing is known.
#[derive(Debug, Default)]
pub struct Private {
    /// By the last part of a path: the parts before it, and what is held there.
    fields: HashMap<String, Vec<(Vec<String>, Holding)>>,
    /// Every part of every path.
    parts: HashSet<String>,
    /// Fields that hold what the one above them holds.
    skip: HashSet<String>,
    /// What stays wherever it stands.
    words: HashSet<String>,
    /// What stays behind the last point of a name.
    endings: HashSet<String>,
}

impl Forge {
    /// What the forge file declares private.
    #[must_use]
    pub fn private(&self) -> &Private {
        &self.private
    }
}

impl Private {
    /// What the field at a path of names holds; what is declared of a field holds for what is below it as well, as far as
    /// nothing else is declared of that.
    pub fn holding(&self, path: &[impl AsRef<str>]) -> Option<Holding> {
        let path: Vec<&str> = path.iter().map(AsRef::as_ref).filter(|part| !self.skip.contains(*part)).collect();
        let found = (1..=path.len()).rev().find_map(|length| Some((length, self.declared(path.get(..length)?)?)));
        // A word of the forge's own has nothing below it.
        found.filter(|(length, held)| *length == path.len() || *held != Holding::Plain).map(|(_, held)| held)
    }

    /// What is declared of just this path: by as many of its parts as possible.
    fn declared(&self, path: &[&str]) -> Option<Holding> {
        let (last, above) = path.split_last()?;
        let fitting = self.fields.get(*last)?.iter().filter(|(parts, _)| {
            let mut above = above.iter();
            parts.iter().all(|part| above.any(|own| own == part))
        });
        fitting.max_by_key(|(parts, _)| parts.len()).map(|(_, held)| *held)
    }

    /// Whether a text stays wherever it stands.
    #[must_use]
    pub fn is_word(&self, text: &str) -> bool {
        self.words.contains(text)
    }

    /// Whether a text stays behind the last point of a name.
    #[must_use]
    pub fn is_ending(&self, text: &str) -> bool {
        self.endings.contains(text)
    }

    /// Whether a name is one of the fields that are declared.
    pub(crate) fn names_field(&self, name: &str) -> bool {
        self.parts.contains(name) || self.skip.contains(name)
    }
}

/// Reads `private`; without it nothing is known of any field, and all of them are replaced.
pub(super) fn read(root: &Yaml, scope: &mut Scope<'_>) -> Private {
    let mut private = Private::default();
    for (key, value) in members(root.get("private"), "private", scope) {
        let Some(items) = value.list() else {
            scope.error(value.position, format!("`{}` is a list", key.name));
            continue;
        };
        let held = HOLDINGS.iter().find(|(name, _)| *name == key.name).map(|(_, held)| *held);
        if held.is_none() && ![SKIP, WORDS, ENDINGS].contains(&key.name.as_str()) {
            let known = HOLDINGS.iter().map(|(name, _)| *name).chain([SKIP, WORDS, ENDINGS]);
            let suggestion = did_you_mean(&key.name, known);
            scope.error(key.position, format!("unknown key `{}`{suggestion}", key.name));
            continue;
        }
        for item in items {
            match (item.text().filter(|text| !text.is_empty()), held) {
                (Some(field), Some(held)) => private.declare(field, held, item, scope),
                (Some(text), None) => {
                    let list = match key.name.as_str() {
                        SKIP => &mut private.skip,
                        ENDINGS => &mut private.endings,
                        _ => &mut private.words,
                    };
                    list.insert(text.to_owned());
                }
                (None, Some(_)) => scope.error(item.position, "expected the name of a field, or a path as `user.name`"),
                (None, None) => scope.error(item.position, "expected a text"),
            }
        }
    }
    private
}

impl Private {
    fn declare(&mut self, field: &str, held: Holding, item: &Yaml, scope: &mut Scope<'_>) {
        let mut parts: Vec<String> = field.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            scope.error(item.position, format!("`{field}` has a part without a name"));
            return;
        }
        self.parts.extend(parts.iter().cloned());
        let last = parts.pop().unwrap_or_default();
        let own = self.fields.entry(last).or_default();
        if own.iter().any(|(other, _)| *other == parts) {
            scope.error(item.position, format!("`{field}` stands here twice: a field holds one thing"));
            return;
        }
        own.push((parts, held));
    }
}
