//! A day in a project: sixty hooks in a row, as GitFlic tells them and as GitLab tells them, and what becomes of each.
//!
//! `day/gitflic/` and `day/gitlab/` hold the hooks of a day that never was: `NN-name.json`, in order; a hook of GitLab with
//! its headers. `day/gitflic-becomes/` and `day/gitlab-becomes/` hold what a tool of the other forge gets of the hook
//! with the same name, or why it gets nothing. `HOOKGLOT_BLESS=1 cargo test --test it -- day::a_tool` writes
//! these anew; what they must show, no blessing changes.

/// What GitLab's day must show in GitFlic's hooks.
mod back;
/// What the mappings declare as lost, beside what GitLab itself tells.
mod declared;
/// The day sent through a hookglot whose clock stands still.
mod sent;
/// What GitFlic's day must show in GitLab's hooks.
mod shows;

use crate::mappings::RULES;
use crate::support::clock::faketime;
use hookglot::{mapping_files, schemas};
use serde_json::Value;
use std::path::PathBuf;

/// A file of a folder of the day.
pub struct Told {
    /// The name of the file without its ending.
    pub name: String,
    pub value: Value,
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/day").join(name)
}

/// The files of a folder of the day, in order.
pub fn told(name: &str) -> Vec<Told> {
    let entries = std::fs::read_dir(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read(path).unwrap();
        let value = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Told { name: path.file_stem().unwrap().to_str().unwrap().to_owned(), value }
    };
    files.iter().map(read).collect()
}

/// The GitLab hooks that GitFlic's day becomes, each with its name, its event and its body.
pub fn gitlab_hooks() -> Vec<(String, String, Value)> {
    let hooks = told("gitflic-becomes").into_iter().filter_map(|mut own| {
        let event = own.value["headers"]["X-Gitlab-Event"].as_str()?.to_owned();
        Some((own.name, event, own.value["body"].take()))
    });
    hooks.collect()
}

/// Writes the golden files anew, where that is wanted, and holds what became of the day against them.
fn golden(name: &str, became: &[Told]) {
    if std::env::var_os("HOOKGLOT_BLESS").is_some() {
        let folder = folder(name);
        std::fs::create_dir_all(&folder).unwrap();
        for old in told(name).iter().filter(|old| became.iter().all(|own| own.name != old.name)) {
            std::fs::remove_file(folder.join(format!("{}.json", old.name))).unwrap();
        }
        for own in became {
            let text = serde_json::to_string_pretty(&own.value).unwrap() + "\n";
            std::fs::write(folder.join(format!("{}.json", own.name)), text).unwrap();
        }
    }
    let golden = told(name);
    let names = |all: &[Told]| all.iter().map(|own| own.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&golden), names(became), "day/{name}");
    for (golden, own) in golden.iter().zip(became) {
        let differences = differences(&golden.value, &own.value, "");
        assert!(differences.is_empty(), "set HOOKGLOT_BLESS=1 to rewrite day/{name}/{}:\n{differences}", own.name);
    }
}

/// Where two values differ, a line for each place.
fn differences(golden: &Value, own: &Value, at: &str) -> String {
    match (golden, own) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            names.iter().map(|name| differences(&golden[*name], &own[*name], &format!("{at}.{name}"))).collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.map(|(number, (golden, own))| differences(golden, own, &format!("{at}[{number}]"))).collect()
        }
        _ if golden == own => String::new(),
        _ => format!("  {at}: {golden} became {own}\n"),
    }
}

#[test]
fn a_tool_that_reads_gitlab_gets_the_day_of_gitflic() {
    let Some(library) = faketime("the day of GitFlic") else { return };
    golden("gitflic-becomes", &sent::sent(&library, "gitflic", "gitlab"));
}

#[test]
fn a_tool_that_reads_gitflic_gets_the_day_of_gitlab() {
    let Some(library) = faketime("the day of GitLab") else { return };
    golden("gitlab-becomes", &sent::sent(&library, "gitlab", "gitflic"));
}

#[test]
fn every_hook_of_the_day_is_what_a_strict_receiver_takes() {
    let files = mapping_files::built_in();
    for (from, to) in [("gitflic", "gitlab"), ("gitlab", "gitflic")] {
        let mut schemas = schemas::Schemas::new(&files, RULES.forges.named(to).unwrap());
        let (mut valid, mut faults) = (0, Vec::new());
        for own in told(&format!("{from}-becomes")).iter().filter(|own| own.value.get("body").is_some()) {
            let headers = own.value["headers"].as_object().unwrap();
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
            let found = schemas.validate(&headers, &own.value["body"]).err().unwrap_or_default();
            faults.extend(found.iter().map(|fault| format!("{from}-becomes/{}: {fault}", own.name)));
            valid += 1;
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(valid >= 55, "{valid} hooks of {from} became one");
    }
}
