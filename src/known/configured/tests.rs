//! Both ways of what is configured, and instances.

use super::{Configured, Entry, Reserved};

const OLGA: &str = "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71";
const LEDGER: &str = "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92";
const FLIC: &str = "git.example.org";
const LAB: &str = "gitlab.example.org";

fn entry(kind: &'static str, id: &str, number: Option<u32>, columns: &[(&'static str, &str)]) -> Entry {
    Entry {
        kind,
        id: id.to_owned(),
        number,
        columns: columns.iter().map(|(name, text)| (*name, (*text).to_owned())).collect(),
        ..Entry::default()
    }
}

fn at(entry: Entry, instance: Option<&str>, number_instance: Option<&str>) -> Entry {
    let own = |text: Option<&str>| text.map(str::to_owned);
    Entry { instance: own(instance), number_instance: own(number_instance), ..entry }
}

/// The number that a text has by the configuration.
fn number(configured: &Configured, kind: &str, text: &str) -> Option<u32> {
    configured.numbers().find(|own| own.kind == kind && own.text == text).map(|own| own.number)
}

#[test]
fn nothing_is_known_where_nothing_is_said() {
    let none = Configured::default();
    assert!(none.is_empty() && none.numbers().next().is_none());
    assert_eq!((none.lookup(FLIC, "users", OLGA, "name"), number(&none, "user", OLGA)), (None, None));
    assert_eq!(none.text(LAB, "user", "412"), None);
}

#[test]
fn somebody_is_known_by_id_and_by_number() {
    let olga = entry("user", OLGA, Some(412), &[("name", "Olga Vetrova"), ("email", "o.vetrova@harbour.example.com")]);
    let all = Configured::new(vec![at(olga, Some(FLIC), Some(LAB))]);
    assert_eq!(all.lookup(FLIC, "users", OLGA, "name"), Some("Olga Vetrova"));
    assert_eq!(all.lookup(LAB, "users", "412", "email"), Some("o.vetrova@harbour.example.com"));
    assert_eq!((number(&all, "user", OLGA), all.text(LAB, "user", "412")), (Some(412), Some(OLGA)));
    // Another column, table, kind, person or number.
    assert_eq!(all.lookup(FLIC, "users", OLGA, "avatar"), None);
    assert_eq!(all.lookup(FLIC, "projects", OLGA, "name"), None);
    assert_eq!(all.lookup(FLIC, "groups", OLGA, "name"), None);
    assert_eq!((number(&all, "project", OLGA), all.text(LAB, "project", "412")), (None, None));
    assert_eq!((number(&all, "user", LEDGER), all.text(LAB, "user", "413")), (None, None));
    // An id is of the one instance, a number of the other; a number that tools know is the same for all.
    assert_eq!((all.lookup(LAB, "users", OLGA, "name"), all.lookup(FLIC, "users", "412", "name")), (None, None));
    assert_eq!(all.text(FLIC, "user", "412"), None);
    for odd in ["0412", "+412", "412 ", "412.0", "", "-412", "99999999999999999999"] {
        assert_eq!((all.text(LAB, "user", odd), all.lookup(LAB, "users", odd, "name")), (None, None), "{odd}");
    }
}

#[test]
fn what_is_said_of_an_instance_goes_before_what_is_said_of_any() {
    let any = entry("project", LEDGER, None, &[("default_branch", "main"), ("language", "Rust")]);
    let here = at(entry("project", LEDGER, None, &[("default_branch", "trunk")]), Some("Git.Example.org"), None);
    for entries in [vec![any.clone(), here.clone()], vec![here, any]] {
        let all = Configured::new(entries);
        let said = |instance, column| all.lookup(instance, "projects", LEDGER, column);
        assert_eq!((said(FLIC, "default_branch"), said(FLIC, "language")), (Some("trunk"), Some("Rust")));
        assert_eq!((said("gitflic.ru", "default_branch"), said("", "default_branch")), (Some("main"), Some("main")));
    }
}

#[test]
fn a_number_means_another_id_to_another_instance() {
    let numbered = |id: &str, instance| at(entry("issue", id, Some(12), &[]), None, instance);
    let all = Configured::new(vec![numbered("any", None), numbered("own", Some(LAB))]);
    assert_eq!((all.text(LAB, "issue", "12"), all.text("lab.example.com", "issue", "12")), (Some("own"), Some("any")));
}

#[test]
fn what_is_said_of_an_id_is_said_of_a_number_that_stands_elsewhere() {
    let all = Configured::new(vec![
        at(entry("user", OLGA, None, &[("username", "o.vetrova")]), Some(FLIC), None),
        at(entry("user", OLGA, Some(412), &[]), None, Some(LAB)),
    ]);
    assert_eq!(all.lookup(LAB, "users", "412", "username"), Some("o.vetrova"));
    assert_eq!(all.lookup("lab.example.com", "users", "412", "username"), None);
    assert_eq!(number(&all, "user", OLGA), Some(412));
}

#[test]
fn each_text_takes_its_number_once_in_the_order_of_the_file() {
    let all = Configured::new(vec![
        at(entry("user", OLGA, Some(412), &[]), Some(FLIC), Some(LAB)),
        at(entry("user", OLGA, Some(412), &[]), None, Some(LAB)),
        entry("project", OLGA, Some(412), &[]),
        entry("user", LEDGER, None, &[("name", "x")]),
    ]);
    let taken = |kind, instance| Reserved { kind, text: OLGA, number: 412, instance };
    assert_eq!(all.numbers().collect::<Vec<_>>(), [taken("user", Some(LAB)), taken("project", None)]);
}

#[test]
fn nothing_shows_of_anybody() {
    let all = Configured::new(vec![entry("user", OLGA, Some(412), &[("name", "Olga Vetrova")])]);
    assert_eq!(format!("{all:?}"), "Configured { entries: 1, .. }");
}
