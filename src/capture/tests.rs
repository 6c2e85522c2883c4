//! What becomes of one text.

use super::invented;
use super::shapes;
use super::texts::Replacing;
use crate::forge::Forges;

/// What becomes of texts in fields of one hook of GitLab, one after another.
fn replaced(texts: &[(&str, &str)]) -> Vec<String> {
    let forges = Forges::load(&crate::mapping_files::built_in()).unwrap_or_else(|faults| panic!("{faults}"));
    let forge = forges.named("gitlab").expect("built in");
    let mut replacing = Replacing::new(forge.private(), Some("git.harbour.example:8443"));
    let path = |field: &str| field.split('.').map(str::to_owned).collect::<Vec<_>>();
    texts.iter().map(|(field, text)| replacing.text(&path(field), text)).collect()
}

#[test]
fn the_same_becomes_the_same_and_another_becomes_another() {
    let shown = replaced(&[
        ("username", "o.vetrova"),
        ("project.path_with_namespace", "O.Vetrova/ledger"),
        ("x", "https://git.harbour.example:8443/o.vetrova/ledger/-/blob/main/a.rs#L7"),
        ("x", "git@git.harbour.example:o.vetrova/ledger.git"),
        ("x", "O.V@harbour.example"),
        ("x", "o.v@harbour.example"),
        ("x", "https://chat.example.com/in?o.vetrova=1"),
    ]);
    assert_eq!(
        shown,
        [
            "amber",
            "Amber/birch",
            "https://forge.example.org:8443/amber/birch/-/blob/main/cedar.rs#DAHLIA",
            "git@forge.example.org:amber/birch.git",
            "person-1@example.org",
            "person-1@example.org",
            "https://other-1.example.org/elder?amber=1",
        ]
    );
}

#[test]
fn ids_keep_their_form_and_their_beginnings() {
    let commit = "5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13";
    let zeros = "0".repeat(40);
    let uuid = "6D2B8F04-51C7-4E39-9A60-C3E5F7180B92";
    let shown = replaced(&[
        ("after", commit),
        ("short", "5b1c0f3e"),
        ("before", &zeros),
        ("x", uuid),
        ("x", &uuid.to_lowercase()),
    ]);
    let [own, short, none, capitals, small] = shown.as_slice() else { panic!("{shown:?}") };
    assert!(shapes::is_hex(own) && own.len() == 40 && own != commit && own.starts_with(short) && short.len() == 8);
    assert_eq!((none, &capitals.to_lowercase()), (&zeros, small));
    assert!(shapes::is_uuid(small) && small != &uuid.to_lowercase() && capitals.contains(char::is_uppercase));
}

#[test]
fn what_is_not_known_to_be_harmless_does_not_stay() {
    for (field, text) in [
        ("variables.value", "main"),
        ("title", "Call Olga"),
        ("nobody_knows", "Olga"),
        ("nobody_knows", "79161234567"),
        ("nobody_knows", "AKIA2E7QXW5ZP3TN6VYB"),
        ("action", "AKIA2E7QXW5ZP3TN6VYB"),
        ("action", "olga@harbour.example"),
        ("state", "Олег"),
        ("username", "123456"),
        ("source_branch", "feature/olga"),
        ("username", "olga.rs"),
        ("x", "ssh://olga:hunter2@git.harbour.example/"),
        ("x", "/uploads/olga.png"),
        ("x", "gopher://olga"),
        ("x", "project-olga"),
        ("x", "10.20.30.40"),
        ("x", "release-10.20.30.40"),
        ("x", "https://git.harbour.example/in?otp=123456"),
        ("x", "mailto:olga@harbour.example"),
        ("x", "https://chat.example.com/to/79161234567"),
    ] {
        let shown = replaced(&[(field, text)]);
        let [shown] = shown.as_slice() else { panic!("{shown:?}") };
        for private in ["Olga", "olga", "main", "hunter2", "AKIA", "Олег", "7916", "123456", "10.20"] {
            assert!(!shown.contains(private), "{field}: {text} -> {shown}");
        }
    }
}

#[test]
fn what_says_nothing_of_anybody_stays() {
    for (field, text) in [
        ("object_kind", "merge_request"),
        ("event", ""),
        ("title", " \n"),
        ("email", "[REDACTED]"),
        ("ref", "refs/heads/main"),
        ("ref", "refs/tags/v1.2.0-rc1"),
        ("target_branch", "release/1.4"),
        ("added", "README.md"),
        ("created_at", "2026-02-03 09:10:00 UTC"),
        ("timestamp", "2026-02-03T12:08:07+03:00"),
        ("due", "2026-02-03"),
        ("labels.color", "#428bca"),
        ("detailed_status", "passed with warnings"),
        ("a_mode", "100644"),
        ("changes.merge_status.previous", "unchecked"),
    ] {
        assert_eq!(replaced(&[(field, text)]), [text], "{field}");
    }
}

#[test]
fn a_field_keeps_its_name_unless_it_is_somebodys() {
    let forges = Forges::load(&crate::mapping_files::built_in()).unwrap_or_else(|faults| panic!("{faults}"));
    let mut replacing = Replacing::new(forges.named("gitlab").expect("built in").private(), None);
    for name in ["id", "state", "olga"] {
        replacing.text(&["username".to_owned()], name);
    }
    for key in ["id", "state", "diff_stats", "created_at ", "WORK_NOT_IN_PROGRESS"] {
        assert_eq!(replacing.key(key), key);
    }
    for key in ["olga", "o.vetrova", "olga@harbour.example", "TOKEN=hunter2", "AKIA2E7QXW5ZP3TN6VYB"] {
        assert_ne!(replacing.key(key), key);
    }
}

#[test]
fn lines_stay_lines() {
    let shown = replaced(&[("title", "One"), ("message", "One\r\n\r\nTwo\nOne"), ("changes.title.previous", "Two")]);
    assert_eq!(shown, ["Text 1", "Text 1\r\n\r\nText 2\nText 1", "Text 2"]);
}

#[test]
fn what_is_invented_differs() {
    let (mut names, mut people) = (std::collections::HashSet::new(), std::collections::HashSet::new());
    for count in 0..500 {
        assert!(names.insert(invented::name(count)) && people.insert(invented::person(count)), "{count}");
    }
}

#[test]
fn somebody_is_somebody_in_a_word_of_the_forge_too() {
    let shown = replaced(&[("user.name", "Olga Vetrova"), ("source", "Olga Vetrova"), ("x", "olga vetrova")]);
    assert_eq!(shown, ["Robin Ash"; 3]);
}

#[test]
fn a_number_stays_unless_it_is_secret() {
    let forges = Forges::load(&crate::mapping_files::built_in()).unwrap_or_else(|faults| panic!("{faults}"));
    let mut replacing = Replacing::new(forges.named("gitlab").expect("built in").private(), None);
    let mut number = |path: [&str; 2], number| replacing.number(&path.map(str::to_owned), number);
    assert_eq!(number(["user", "id"], "412"), "412");
    assert_eq!(number(["variables", "value"], "4711"), "1");
    assert_eq!(number(["variables", "value"], "4712"), "2");
}
