//! What GitLab tells in a hook and hookglot leaves out or empty is declared as lost by the mapping that makes the hook.

use super::{Told, told};
use crate::mappings::RULES;
use hookglot::coverage::{Event, coverage};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Paths with something in them, by the kind of hook.
type Paths = BTreeMap<String, BTreeSet<String>>;

/// GitLab's pipelines say less of their project than its other hooks; tools that read these want the same.
const ADDED: [&str; 4] = ["project.homepage", "project.http_url", "project.ssh_url", "project.url"];

/// What GitLab's day tells, what the hooks tell that GitFlic's day becomes, and what their mappings declare as lost.
fn days() -> (Paths, Paths, Paths) {
    let (mut whole, mut made, mut lost) = (Paths::new(), Paths::new(), Paths::new());
    let all = coverage(&RULES);
    let events = &all.iter().find(|own| own.from == "gitflic" && own.to == "gitlab").unwrap().events;
    for own in told("gitlab") {
        collect(&own.value["body"], "", whole.entry(kind(&own.value["body"])).or_default());
    }
    for (told, became) in told("gitflic").iter().zip(told("gitflic-becomes")) {
        let kind = kind(&became.value["body"]);
        collect(&became.value["body"], "", made.entry(kind.clone()).or_default());
        lost.entry(kind).or_default().extend(declared(told, events));
    }
    (whole, made, lost)
}

/// The paths that one day has and the other has not, without those in another such path.
fn without<'p>(one: &'p BTreeSet<String>, other: &'p BTreeSet<String>) -> impl Iterator<Item = &'p String> {
    one.difference(other).filter(|path| parent(path).is_none_or(|parent| other.contains(parent)))
}

#[test]
fn what_gitlab_tells_and_hookglot_does_not_is_declared() {
    let (whole, made, lost) = days();
    let mut undeclared = String::new();
    for (kind, made) in &made {
        let whole = whole.get(kind).unwrap_or_else(|| panic!("GitLab's day has no {kind}"));
        for path in without(whole, made).filter(|path| !lost[kind].iter().any(|lost| is_within(path, lost))) {
            undeclared.push_str(&format!("{kind} {path}\n"));
        }
    }
    assert!(undeclared.is_empty(), "no `lossy` of gitflic-to-gitlab names\n{undeclared}");
}

#[test]
fn hookglot_tells_nothing_that_gitlab_has_no_field_for() {
    let (whole, made, _) = days();
    for (kind, made) in &made {
        let helps = |path: &str| kind == "pipeline" && ADDED.contains(&path);
        let own: Vec<_> = without(made, &whole[kind]).filter(|path| !helps(path)).collect();
        assert!(own.is_empty(), "{kind}: {own:?}");
    }
}

/// The event, and of comments on what.
fn kind(body: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let event = if body["object_kind"].is_null() { text(&body["event_name"]) } else { text(&body["object_kind"]) };
    event + &text(&body["object_attributes"]["noteable_type"])
}

/// The fields that the mappings of a hook declare as lost.
fn declared(hook: &Told, events: &[Event]) -> Vec<String> {
    let event = events.iter().find(|own| hook.value["action"] == *own.event).unwrap();
    event.lossy.iter().flat_map(|lossy| lossy.fields.clone()).collect()
}

/// The path of each field that holds something: null, the empty text and the empty list tell nothing.
fn collect(value: &Value, at: &str, paths: &mut BTreeSet<String>) {
    let tells = match value {
        Value::Object(members) => {
            for (name, inner) in members {
                collect(inner, &if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, paths);
            }
            !members.is_empty()
        }
        Value::Array(items) => {
            for item in items {
                collect(item, &format!("{at}[]"), paths);
            }
            !items.is_empty()
        }
        Value::String(text) => !text.is_empty(),
        Value::Null => false,
        _ => true,
    };
    if tells && !at.is_empty() {
        paths.insert(at.to_owned());
    }
}

/// What a path is in; nothing for one at the top.
fn parent(path: &str) -> Option<&str> {
    path.strip_suffix("[]").or_else(|| path.rsplit_once('.').map(|(parent, _)| parent))
}

fn is_within(path: &str, outer: &str) -> bool {
    let outer = outer.strip_prefix("no ").unwrap_or(outer);
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
