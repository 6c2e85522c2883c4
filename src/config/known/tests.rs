//! Faults of what is said of people, projects and numbers, and that the example says all that can be said.

use crate::config::{Flags, load};
use crate::known::configured::Configured;
use crate::mapping::identity::KINDS;
use std::collections::HashMap;
use std::sync::Arc;

const ROUTE: &str = "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"tool\"\n\
                     url = \"http://127.0.0.1:9/\"\nformat = \"gitlab\"\n";
const OLGA: &str = "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71";
const LAB: &str = "gitlab.example.org";

/// What a configuration says, or its faults, without the name of the file.
fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Arc<Configured>, Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hookglot.toml");
    std::fs::write(&file, format!("{text}\n{ROUTE}")).expect("written");
    let own = format!("{}: ", file.display());
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let settings = load(&Flags { config: Some(file), settings: Vec::new() }, &environment);
    let shortened = |line: &String| line.replace(&own, "");
    settings.map(|settings| settings.configured).map_err(|refused| refused.faults.0.iter().map(shortened).collect())
}

fn faults(text: &str) -> Vec<String> {
    read_with(text, &[]).expect_err("faults")
}

#[test]
fn without_any_nothing_is_known() {
    assert!(read_with("", &[]).is_ok_and(|configured| configured.is_empty()));
    let settings = load(&Flags::default(), &HashMap::new()).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(settings.configured.is_empty());
}

#[test]
fn the_example_file_has_every_column_of_these_tables_and_is_sound() {
    let example = include_str!("../../../hookglot.example.toml");
    let table = |name: &str| -> String {
        let lines = example.lines().skip_while(|line| *line != format!("# [[{name}]]"));
        let of_it = lines.take_while(|line| !line.is_empty());
        of_it.flat_map(|line| [line.strip_prefix("# ").expect("an example behind #"), "\n"]).collect()
    };
    let all = ["user", "project", "number"].map(table).concat();
    let configured = read_with(&all, &[]).unwrap_or_else(|faults| panic!("{faults:?}"));
    for tables in super::TABLES {
        for column in tables.columns {
            assert!(table(tables.key).contains(&format!("\n{column} = ")), "{} {column}", tables.key);
        }
        for key in tables.about.map_or(&["kind", "id"][..], |_| &["id", "instance"][..]) {
            assert!(table(tables.key).contains(&format!("\n{key} = ")), "{} {key}", tables.key);
        }
        for key in ["number", "number_instance"] {
            assert!(table(tables.key).contains(&format!("\n{key} = ")), "{} {key}", tables.key);
        }
    }
    assert!(KINDS.iter().all(|kind| table("number").contains(kind)));
    assert_eq!(configured.lookup("git.example.org", "users", OLGA, "username"), Some("o.vetrova"));
    let own = configured.numbers().find(|own| own.text == OLGA).map(|own| own.number);
    assert_eq!((own, configured.text(LAB, "user", "412")), (Some(412), Some(OLGA)));
    assert_eq!(configured.lookup(LAB, "projects", "3107", "visibility"), Some("internal"));
    assert_eq!(configured.numbers().map(|own| own.kind).collect::<Vec<_>>(), ["user", "project", "issue"]);
}

#[test]
fn every_fault_is_said_at_once_and_shows_nobody() {
    let text = r#"
[[user]]
nmae = "Olga Vetrova"
email = "o.vetrova at harbour"
avatar = "harbour.example.com/olga.png"
username = " "
number = 0
[[user]]
id = 7001
kind = "user"
name = "Olga Vetrova"
instance = "https://harbour.example.com"
[[user]]
id = "olga"
[[project]]
id = "ledger"
visibility = "privat"
default_branch = ""
language = ["Rust"]
number = 2147483648
number_instance = "harbour.example.com/lab"
email = "o.vetrova@harbour.example.com"
[[project]]
id = ""
number_instance = "harbour.example.com"
[[number]]
kind = "isue"
number = "seven"
instance = "harbour.example.com"
[[number]]
id = "olga"
[[number]]
kind = "label"
id = "olga"
number = -4
"#;
    let said = faults(text);
    let expected = [
        "user[0].id: missing: what the forge calls it by, a UUID for one",
        "user[0].username: an empty text: leave it out where nothing is known",
        "user[0].email: expected an e-mail address, with an @",
        "user[0].avatar: expected an http:// or https:// URL",
        "user[0].number: expected a number from 1 to 2147483647",
        "user[0].nmae: unknown setting, did you mean `name`?",
        "user[1].id: expected a text, got a number: put it in quotes",
        "user[1].instance: expected a host, with its port where the address has one: git.example.org, lab:8443",
        "user[1].kind: unknown setting",
        "user[2]: says nothing but an id: add name, username, email, avatar or number",
        "project[0].default_branch: an empty text: leave it out where nothing is known",
        "project[0].visibility: expected private, internal, public, did you mean `private`?",
        "project[0].language: expected a text, got a list",
        "project[0].number: expected a number from 1 to 2147483647",
        "project[0].number_instance: expected a host, with its port where the address has one: git.example.org, lab:8443",
        "project[0].email: unknown setting",
        "project[1].id: missing: what the forge calls it by, a UUID for one",
        "project[1].number_instance: there is no `number` that it could have given",
        "number[0].kind: unknown kind `isue`: expected project, user, group, issue, merge_request, note, pipeline, job, \
         label, did you mean `issue`?",
        "number[0].id: missing: what the forge calls it by, a UUID for one",
        "number[0].number: expected a number from 1 to 2147483647",
        "number[0].instance: unknown setting",
        "number[1].kind: missing: of what it is the number, project, user, group, issue, merge_request, note, pipeline, \
         job, label",
        "number[1].number: missing: the number that tools know",
        "number[2].number: expected a number from 1 to 2147483647",
    ];
    assert_eq!(said, expected);
    let whole = said.concat();
    for private in ["Olga", "olga", "Vetrova", "o.vetrova", "harbour", "7001"] {
        assert!(!whole.contains(private), "{private}: {whole}");
    }
}

#[test]
fn what_is_said_twice_or_against_each_other_names_both() {
    let text = r#"
[[user]]
id = "olga"
number = 412
[[user]]
id = "olga"
instance = "git.example.org"
name = "Olga"
[[user]]
id = "olga"
instance = "Git.example.org"
name = "Olga"
[[user]]
id = "oleg"
number = 412
[[user]]
id = "oleg"
instance = "git.example.org"
number = 413
[[number]]
kind = "user"
id = "olga"
number = 414
number_instance = "gitlab.example.org"
[[number]]
kind = "issue"
id = "berth"
number = 5
number_instance = "gitlab.example.org"
[[number]]
kind = "issue"
id = "quay"
number = 5
number_instance = "GitLab.example.org"
[[number]]
kind = "issue"
id = "berth"
number = 5
number_instance = "gitlab.example.org"
[[project]]
id = "ledger"
number = 412
"#;
    let expected = [
        "user[2].id: user[1] has the same id at the same instance: make them one",
        "user[3].number: user[0] gives another id the same number: nobody could tell them apart",
        "user[4].number: user[3] gives the same id another number: tools would know it under two",
        "number[0].number: user[0] gives the same id another number: tools would know it under two",
        "number[2].number: number[1] gives another id the same number: nobody could tell them apart",
        "number[3].id: number[1] has the same id at the same instance: make them one",
    ];
    assert_eq!(faults(text), expected);
}

#[test]
fn what_differs_by_its_instance_or_its_kind_is_no_fault() {
    let text = r#"
[[user]]
id = "olga"
name = "Olga"
[[user]]
id = "olga"
instance = "git.example.org"
number = 412
number_instance = "gitlab.example.org"
[[project]]
id = "olga"
number = 412
[[number]]
kind = "user"
id = "olga"
number = 412
number_instance = "lab.example.org:8443"
"#;
    let configured = read_with(text, &[]).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(configured.text("lab.example.org:8443", "user", "412"), Some("olga"));
    assert_eq!(configured.lookup("lab.example.org:8443", "users", "412", "name"), Some("Olga"));
    assert_eq!(configured.text("git.example.org", "user", "412"), None);
    assert!(configured.numbers().all(|own| own.text != "oleg"));
}

#[test]
fn these_tables_stand_in_a_file_only() {
    let user = "[[user]]\nid = \"olga\"\nname = \"Olga\"";
    let variables = [
        ("HOOKGLOT_USER", "olga"),
        ("HOOKGLOT_PROJECT__0__ID", "ledger"),
        ("HOOKGLOT_NUMBER", ""),
        ("HOOKGLOT_X", "1"),
    ];
    let said = read_with(user, &variables).expect_err("faults");
    let expected = [
        "HOOKGLOT_USER: stands in a file only: write a [[user]] there",
        "HOOKGLOT_PROJECT__0__ID: stands in a file only: write a [[project]] there",
        "HOOKGLOT_X: unknown setting",
    ];
    assert_eq!(said, expected);
    assert_eq!(
        faults("user = \"olga\"\n[project]\nid = \"ledger\"\n"),
        ["user: expected a list of tables: [[user]]", "project: expected a list of tables: [[project]]"]
    );
}
