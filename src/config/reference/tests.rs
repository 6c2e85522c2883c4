//! The example file and the code, held equal in both directions.

use super::super::fields::Collector;
use super::super::origins::SIDECAR;
use super::super::sources::{Flags, Gathered, gather};
use super::super::{Settings, load, read};
use super::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// What must stand in a table for it to be sound, beside what is looked at.
const REQUIRED: [(&str, &str); 8] = [
    ("admin.token", "name = \"on-call\"\ntoken = \"0123456789abcdef\"\n"),
    ("alert", "name = \"chat\"\nurl = \"http://127.0.0.1:9/x\"\n"),
    ("traces", "endpoint = \"http://127.0.0.1:9\"\n"),
    ("user", "id = \"one\"\nname = \"Olga\"\n"),
    ("project", "id = \"two\"\nlanguage = \"Rust\"\n"),
    ("number", "kind = \"issue\"\nid = \"three\"\nnumber = 12\n"),
    ("route", "path = \"/\"\nsecret = \"s\"\n"),
    ("route.to", "name = \"jenkins\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"gitlab\"\n"),
];

/// A configuration with every table once, and a line more in one of them.
fn with_all_tables(place: &str, line: &str) -> String {
    let required: BTreeMap<&str, &str> = REQUIRED.into();
    let mut text = String::new();
    for table in tables() {
        match (table.path, table.is_list) {
            ("", _) => {}
            (path, true) => text.extend(["[[", path, "]]\n"]),
            (path, false) => text.extend(["[", path, "]\n"]),
        }
        text += required.get(table.path).unwrap_or(&"");
        if table.path == place {
            text += line;
        }
    }
    text
}

fn written(folder: &Path, text: &str) -> Flags {
    let file = folder.join("hookglot.toml");
    std::fs::write(&file, text).expect("written");
    Flags { config: Some(file), settings: Vec::new() }
}

fn loaded(folder: &Path, text: &str) -> Settings {
    load(&written(folder, text), &HashMap::new()).unwrap_or_else(|refused| panic!("{refused}\n{text}"))
}

/// Everything that the settings are, but for the mapping files.
fn shown(settings: Settings) -> String {
    format!("{:#?}", Settings { files: crate::mapping::Files::default(), ..settings })
}

#[test]
fn every_setting_that_is_read_is_in_the_file_and_every_one_in_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = written(folder.path(), &with_all_tables("", ""));
    let Gathered { tree, origins, faults, unreadable, .. } = gather(&flags, &HashMap::new());
    let mut all = Collector::new(faults, unreadable, &origins);
    let _ = read::settings(tree, &mut all);
    assert_eq!(all.faults, [""; 0]);
    let tables = tables();
    let is_table =
        |name: &str| tables.iter().any(|table| table.path == name || table.path.starts_with(&format!("{name}.")));
    let in_code: BTreeSet<String> = all
        .read
        .iter()
        .map(|path| path.replace("[0]", ""))
        .filter(|path| !is_table(path) && !SIDECAR.contains(&path.as_str()))
        // A value that is a table is told with its setting.
        .filter(|path| !path.starts_with("route.to.branch_filter."))
        .collect();
    let in_file: BTreeSet<String> = tables
        .iter()
        // Mapping files read them.
        .filter(|table| table.path != "route.to.settings")
        .flat_map(|table| table.settings.iter().map(|setting| format!("{}.{}", table.path, setting.name)))
        .map(|path| path.trim_start_matches('.').to_owned())
        .collect();
    assert!(in_code.len() > 90, "{in_code:?}");
    let missing: Vec<&String> = in_code.difference(&in_file).collect();
    let unread: Vec<&String> = in_file.difference(&in_code).collect();
    assert!(missing.is_empty() && unread.is_empty(), "not in the file: {missing:?}\nnot read: {unread:?}");
}

#[test]
fn every_default_of_the_file_is_the_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = shown(loaded(folder.path(), &with_all_tables("", "")));
    let mut count = 0;
    for table in tables().iter().filter(|table| table.path != "route.to.settings") {
        for setting in &table.settings {
            let Some(default) = setting.default() else { continue };
            let line = format!("{} = {default}\n", setting.name);
            let said = shown(loaded(folder.path(), &with_all_tables(table.path, &line)));
            assert!(said == base, "{}.{}: {default} is not the default", table.path, setting.name);
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

/// Where a default is another one the settings are others: else the test above would find nothing.
#[test]
fn another_value_than_the_default_makes_a_difference() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = shown(loaded(folder.path(), &with_all_tables("", "")));
    for (place, line) in [
        ("", "grace = \"11s\"\n"),
        ("limits", "sign_in_failures = \"11/m\"\n"),
        ("retention", "audit = \"1d\"\n"),
        ("reload", "config = false\n"),
        ("alert", "on = [\"disk\"]\n"),
        ("traces", "ratio = 0.5\n"),
        ("route", "duplicate_window = \"2m\"\n"),
        ("route.to", "retries = [\"5s\"]\n"),
        ("route.to", "branch_filter = {wildcard = \"main\"}\n"),
        ("admin.token", "rights = \"write\"\n"),
    ] {
        let said = shown(loaded(folder.path(), &with_all_tables(place, line)));
        assert_ne!(said, base, "{place}: {line}");
    }
}

#[test]
fn settings_of_mappings_are_those_that_the_built_in_ones_read_with_their_defaults() {
    let files = crate::mapping_files::built_in();
    let texts: String = files.all().filter_map(|(path, _)| files.get(path)).map(|(_, text)| text).collect();
    let read: BTreeSet<&str> = texts
        .split("settings.")
        .skip(1)
        .map(|rest| rest.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_').next().unwrap_or_default())
        // What forge files send is no setting of mappings.
        .filter(|name| !name.is_empty() && !["token", "authorization"].contains(name))
        .collect();
    let tables = tables();
    let table = tables.iter().find(|table| table.path == "route.to.settings").expect("a table");
    assert_eq!(table.settings.iter().map(|setting| setting.name).collect::<BTreeSet<_>>(), read);
    for setting in &table.settings {
        let default = setting.default().expect("a default").trim_matches('"');
        let is_said = texts.contains(&format!("settings.{} ?? '{default}'", setting.name));
        // What is no text, but a choice.
        let is_choice = ["member_events", "path_with_namespace"].contains(&setting.name);
        assert!(is_said || is_choice, "{}: {default}", setting.name);
    }
}

#[test]
fn every_setting_has_a_sentence() {
    for table in tables() {
        for setting in &table.settings {
            assert!(setting.says.len() > 5, "{}.{}", table.path, setting.name);
        }
    }
}

#[test]
fn the_file_itself_is_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = loaded(folder.path(), TEXT);
    assert_eq!(settings.routes.len(), 1);
}
