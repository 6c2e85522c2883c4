use super::{Day, assert_none};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PAGES: &str = "https://git.example.org/project/north-harbour/ledger/issue";

#[test]
fn an_issue_has_its_own_number_and_page_once_a_comment_told_them() {
    let (day, mut faults) = (Day::read(), Vec::new());
    for (number, names) in [
        (
            31,
            &[
                "note-tells-the-number",
                "new-title",
                "label-added",
                "label-removed",
                "label-removed-again",
                "somebody-works-on-it",
                "issue-is-closed",
                "issue-is-opened-again",
                "note-when-open-again",
                "issue-is-completed",
            ][..],
        ),
        (32, &["note-on-the-tides", "tides-have-a-label"][..]),
    ] {
        for name in names {
            let body = day.body(name);
            let issue = body.get("issue").unwrap_or(&body["object_attributes"]);
            if (&issue["iid"], &issue["url"]) != (&json!(number), &json!(format!("{PAGES}/{number}"))) {
                faults.push(format!("{name}: {} at {}, not {number}", issue["iid"], issue["url"]));
            }
        }
    }
    // Nobody has told the number of these: a number of ours, which has no page.
    for name in ["issue-of-moorings", "issue-of-tides", "issue-of-prices"] {
        let attributes = &day.body(name)["object_attributes"];
        if attributes["url"] != PAGES || attributes["iid"].as_u64().is_none() {
            faults.push(format!("{name}: {} at {}", attributes["iid"], attributes["url"]));
        }
    }
    assert_none(&faults);
}

#[test]
fn people_have_the_names_that_some_hook_told() {
    let (day, mut faults) = (Day::read(), Vec::new());
    for (pointer, own) in [
        (
            "/user_username",
            &[
                // Nobody has named her yet.
                ("ingrid-pushes-before-anybody-named-her", "user-c81e3d57"),
                ("branch-moorings", "o.sedova"),
                ("olga-pushes-to-the-request", "o.sedova"),
                ("branch-of-the-release", "g.kanev"),
                // The merge request of hers has named her since.
                ("ingrid-pushes-and-is-known", "i.lund"),
                ("georgi-pushes-the-merge", "g.kanev"),
                ("branch-moorings-is-gone", "g.kanev"),
                ("branch-of-notes", "n.frey"),
                ("tag-of-the-candidate", "g.kanev"),
                ("ingrid-pushes-tides-again", "i.lund"),
            ][..],
        ),
        (
            "/user/username",
            &[
                ("note-tells-the-number", "g.kanev"),
                ("pipeline-of-moorings", "o.sedova"),
                ("discussion", "g.kanev"),
                ("comment-in-it", "o.sedova"),
                ("draft-of-tides-names-ingrid", "i.lund"),
                ("label-added", "g.kanev"),
                ("pipeline-of-the-merge", "g.kanev"),
                ("note-when-open-again", "i.lund"),
                ("request-is-approved", "g.kanev"),
                ("request-of-notes-is-cancelled", "n.frey"),
                ("note-on-the-tides", "n.frey"),
                ("pipeline-of-the-release", "g.kanev"),
            ][..],
        ),
    ] {
        for (name, wanted) in own {
            let told = day.at(name, pointer);
            if told != *wanted {
                faults.push(format!("{name}: {told}, not {wanted}"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn who_opened_an_issue_stays_who_changed_it_may_be_another() {
    let (day, mut faults) = (Day::read(), Vec::new());
    let (olga, georgi) = (day.at("issue-of-moorings", "/user/id"), day.at("issue-of-tides", "/user/id"));
    assert_ne!(olga, georgi);
    for (name, author) in [
        ("new-title", olga),
        ("label-added", olga),
        ("issue-is-closed", olga),
        ("note-tells-the-number", olga),
        ("note-when-open-again", olga),
        ("tides-have-a-label", georgi),
        ("note-on-the-tides", georgi),
    ] {
        let body = day.body(name);
        let told = &body.get("issue").unwrap_or(&body["object_attributes"])["author_id"];
        if told != author {
            faults.push(format!("{name}: of {told}, not {author}"));
        }
    }
    assert_none(&faults);
}

/// Visits every member of a value with its name.
fn visit<'v>(value: &'v Value, name: &'v str, each: &mut impl FnMut(&'v str, &'v Value)) {
    each(name, value);
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| visit(inner, name, each)),
        Value::Array(items) => items.iter().for_each(|inner| visit(inner, name, each)),
        _ => {}
    }
}

#[test]
fn every_number_fits_where_tools_put_it() {
    let (day, mut faults) = (Day::read(), Vec::new());
    for own in &day.0 {
        visit(&own.body, "", &mut |name, value| {
            let is_id = name == "id" || name == "iid" || name.ends_with("_id") || name.ends_with("_ids");
            let least = u64::from(is_id);
            let is_whole = value.as_u64().is_some_and(|number| number >= least && number < 1 << 31);
            if value.is_number() && !is_whole {
                faults.push(format!("{}: {name} is {value}", own.name));
            }
        });
    }
    assert_none(&faults);
}

#[test]
fn the_same_has_the_same_number_all_day() {
    let day = Day::read();
    let (mut projects, mut users) = (BTreeSet::new(), BTreeMap::<&str, BTreeSet<u64>>::new());
    for own in &day.0 {
        visit(&own.body, "", &mut |name, value| match name {
            "project" | "source" | "target" if value.is_object() => {
                projects.insert(value["id"].as_u64().unwrap());
            }
            "project_id" | "source_project_id" | "target_project_id" if value.is_number() => {
                projects.insert(value.as_u64().unwrap());
            }
            "user" if value.is_object() => {
                users.entry(value["username"].as_str().unwrap()).or_default().insert(value["id"].as_u64().unwrap());
            }
            _ => {}
        });
        if let (Some(name), Some(id)) = (own.body["user_username"].as_str(), own.body["user_id"].as_u64()) {
            users.entry(name).or_default().insert(id);
        }
    }
    // The Check button tells nobody.
    users.remove("user-unknown");
    assert_eq!(projects.len(), 1, "{projects:?}");
    assert!(users.values().all(|ids| ids.len() == 1), "{users:?}");
    let before = &day.body("ingrid-pushes-before-anybody-named-her")["user_id"];
    assert_eq!(before, &day.body("ingrid-pushes-and-is-known")["user_id"], "before she had a name and since");
    for name in ["o.sedova", "g.kanev", "i.lund", "n.frey"] {
        assert!(users.contains_key(name), "{name}: {users:?}");
    }
    let people: BTreeSet<u64> = users.values().flatten().copied().collect();
    assert_eq!(people.len(), 4, "{users:?}");
}

#[test]
fn a_label_has_one_number_and_one_colour_all_day() {
    let day = Day::read();
    let mut labels = BTreeMap::<&str, BTreeSet<(u64, &str)>>::new();
    for own in &day.0 {
        visit(&own.body, "", &mut |name, value| {
            if ["labels", "previous", "current"].contains(&name) && value["title"].is_string() {
                let (id, colour) = (value["id"].as_u64().unwrap(), value["color"].as_str().unwrap());
                labels.entry(value["title"].as_str().unwrap()).or_default().insert((id, colour));
            }
        });
        if own.body["object_kind"] == "issue" {
            assert_eq!(own.body["labels"], own.body["object_attributes"]["labels"], "{}", own.name);
        }
    }
    assert_eq!(labels.keys().copied().collect::<Vec<_>>(), ["billing", "harbour fees", "urgent"]);
    let mut ids = BTreeSet::new();
    for (title, told) in &labels {
        assert_eq!(told.len(), 1, "{title}: {told:?}");
        let (id, colour) = told.first().unwrap();
        ids.insert(id);
        let digits = colour.strip_prefix('#').unwrap_or_default();
        assert!(digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{title}: {colour}");
    }
    assert_eq!(ids.len(), 3, "{labels:?}");
}
