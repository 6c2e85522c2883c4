//! Which files changed, by their SHA-256. Of files with secrets nothing is noted.

use crate::mapping::Files;
use crate::mapping::identity::hexadecimal;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// The member of an entry that has the changes.
pub const CHANGED: &str = "changed";
/// The member that has the hash of all.
const ALL: &str = "sha256";

/// How many files an entry names at most.
const MOST: usize = 100;
/// What is in the name of a variable that has a secret.
const SECRET: [&str; 5] = ["SECRET", "TOKEN", "KEY", "AUTHORIZATION", "PASSWORD"];

/// The SHA-256 of something, in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// What an entry says of mapping files: those of one's own that are different now, and the hash of all of one's own.
#[must_use]
pub fn of_mappings(before: &Files, now: &Files) -> Map<String, Value> {
    let (before, now) = (own(before), own(now));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let differ = names.into_iter().filter(|name| before.get(*name) != now.get(*name));
    let mut changes: Vec<Value> =
        differ.map(|name| json!({"file": name, "before": before.get(name), "now": now.get(name)})).collect();
    let more = changes.len().saturating_sub(MOST);
    changes.truncate(MOST);
    let mut about = Map::from_iter([(CHANGED.to_owned(), changes.into())]);
    if more > 0 {
        about.insert("more".to_owned(), more.into());
    }
    let all: String = now.iter().flat_map(|(name, hash)| [name.as_str(), "\0", hash, "\n"]).collect();
    about.insert(ALL.to_owned(), sha256(all.as_bytes()).into());
    about
}

/// The files that do not come with hookglot, by the names that messages give them, with the hashes of their texts.
fn own(files: &Files) -> BTreeMap<String, String> {
    let own = files.all().filter(|(_, shown)| !files.is_built_in(shown));
    let texts = own.filter_map(|(path, shown)| Some((shown.to_owned(), files.get(path)?.1)));
    texts.map(|(shown, text)| (shown, sha256(text.as_bytes()))).collect()
}

/// A configuration, as far as it can be told whether it is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigState {
    file: Option<String>,
    sha256: Option<String>,
    variables: Option<String>,
}

impl ConfigState {
    /// That of a file and an environment as they are now.
    #[must_use]
    pub fn read(file: Option<&Path>, environment: &HashMap<String, String>) -> Self {
        let sha256 = file.and_then(|file| std::fs::read(file).ok()).map(|text| self::sha256(&text));
        let file = file.map(|file| file.display().to_string());
        let is_shown = |name: &str, value: &str| {
            name.starts_with("HOOKGLOT_")
                && !SECRET.iter().any(|word| name.contains(word))
                // The address of a proxy may have a password in it.
                && !value.contains('@')
        };
        let mut own: Vec<_> = environment.iter().filter(|(name, value)| is_shown(name, value)).collect();
        own.sort();
        let all: String = own.iter().flat_map(|(name, value)| [name.as_str(), "=", value, "\n"]).collect();
        Self { file, sha256, variables: (!own.is_empty()).then(|| self::sha256(all.as_bytes())) }
    }

    /// What an entry says of a configuration that comes after another.
    #[must_use]
    pub fn after(&self, before: Option<&Self>) -> Map<String, Value> {
        let Self { file, sha256, variables } = self;
        let old = before.and_then(|before| before.sha256.as_ref());
        let is_other = file.is_some() && (before.is_none() || old != sha256.as_ref());
        let changed = is_other.then(|| json!({"file": file, "before": old, "now": sha256}));
        let about = [
            (CHANGED, changed.into_iter().collect()),
            ("file", json!(file)),
            (ALL, json!(sha256)),
            ("variables_sha256", json!(variables)),
            ("version", json!(env!("CARGO_PKG_VERSION"))),
        ];
        about.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(all: &[(&str, &str)]) -> HashMap<String, String> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn no_secret_has_a_hash_in_it() {
        let of = |all: &[(&str, &str)]| ConfigState::read(None, &variables(all));
        let one = of(&[("HOOKGLOT_LISTEN", "a"), ("HOOKGLOT_SECRET", "x"), ("HOOKGLOT_TO", "http://u:p@host/")]);
        assert_eq!(one, of(&[("HOOKGLOT_LISTEN", "a"), ("HOOKGLOT_SECRET", "y"), ("PATH", "/")]));
        assert_ne!(one, of(&[("HOOKGLOT_LISTEN", "b")]));
    }

    #[test]
    fn files_that_come_go_and_change_are_told() {
        let (mut before, mut now) = (Files::default(), Files::default());
        before.insert_built_in("a/built.yaml", "mappings/a/built.yaml", "1".to_owned());
        for (path, old, new) in [("a/same", "1", "1"), ("a/other", "1", "2"), ("a/gone", "1", ""), ("a/new", "", "1")] {
            for (files, text) in [(&mut before, old), (&mut now, new)] {
                if !text.is_empty() {
                    files.insert(path, &format!("/own/{path}"), text.to_owned());
                }
            }
        }
        let about = of_mappings(&before, &now);
        let (one, two) = (sha256(b"1"), sha256(b"2"));
        let expected = json!([
            {"file": "/own/a/gone", "before": one, "now": null},
            {"file": "/own/a/new", "before": null, "now": one},
            {"file": "/own/a/other", "before": one, "now": two},
        ]);
        assert_eq!(about[CHANGED], expected);
        assert_ne!(about[ALL], of_mappings(&now, &before)[ALL]);
    }
}
