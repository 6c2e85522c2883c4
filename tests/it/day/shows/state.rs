use super::super::told;
use super::{Day, Own, assert_none, time};
use serde_json::{Value, json};

const OPENED: u8 = 1;
const CLOSED: u8 = 2;
const MERGED: u8 = 3;

/// What was done with issues and merge requests.
const ACTIONS: [(&str, &str, &str); 26] = [
    ("issue-of-moorings", "open", "opened"),
    ("issue-of-tides", "open", "opened"),
    ("new-title", "update", "opened"),
    ("request-of-moorings", "open", "opened"),
    ("draft-of-tides-names-ingrid", "open", "opened"),
    ("request-has-new-code", "update", "opened"),
    ("label-added", "update", "opened"),
    ("label-removed", "update", "opened"),
    ("label-removed-again", "update", "opened"),
    ("somebody-works-on-it", "update", "opened"),
    ("request-has-another-title", "update", "opened"),
    ("request-goes-to-the-release", "update", "opened"),
    ("request-is-approved", "approved", "opened"),
    ("request-is-merged", "merge", "merged"),
    ("late-update-after-the-merge", "update", "merged"),
    ("issue-is-closed", "close", "closed"),
    ("issue-is-opened-again", "reopen", "opened"),
    ("request-of-notes-is-closed", "close", "closed"),
    ("request-of-notes-is-opened-again", "reopen", "opened"),
    ("request-of-notes-is-cancelled", "close", "closed"),
    ("issue-is-completed", "close", "closed"),
    ("tides-have-new-code", "update", "opened"),
    ("tides-are-no-draft", "update", "opened"),
    ("tides-have-a-label", "update", "opened"),
    ("request-of-notes", "open", "opened"),
    ("issue-of-prices", "open", "opened"),
];

/// The fields of `changes` that say what was done; others tell of times and people.
const TELLING: [&str; 9] =
    ["title", "description", "state_id", "labels", "target_branch", "source_branch", "draft", "assignees", "reviewers"];

#[test]
fn the_action_says_what_was_done() {
    let (day, mut faults) = (Day::read(), Vec::new());
    for (name, action, state) in ACTIONS {
        let told = (day.at(name, "/object_attributes/action"), day.at(name, "/object_attributes/state"));
        if told != (&json!(action), &json!(state)) {
            faults.push(format!("{name}: {} and {}, not {action} and {state}", told.0, told.1));
        }
    }
    assert_none(&faults);
}

/// Each update of the day, and all that changed with it.
fn changed() -> Vec<(&'static str, Value)> {
    let change = |previous: Value, current: Value| json!({"previous": previous, "current": current});
    let state = |previous: u8, current: u8| json!({"state_id": change(previous.into(), current.into())});
    let labels = |previous: &[&str], current: &[&str]| json!({"labels": change(json!(previous), json!(current))});
    let title = change(json!("Moorings are billed twice"), json!("Moorings over midnight are billed twice"));
    vec![
        ("new-title", json!({"title": title})),
        ("label-added", labels(&["billing", "urgent"], &["billing", "urgent", "harbour fees"])),
        ("label-removed", labels(&["billing", "urgent", "harbour fees"], &["billing", "harbour fees"])),
        ("label-removed-again", json!({})),
        ("somebody-works-on-it", json!({})),
        ("issue-is-closed", state(OPENED, CLOSED)),
        ("issue-is-opened-again", state(CLOSED, OPENED)),
        ("issue-is-completed", state(OPENED, CLOSED)),
        ("tides-have-a-label", labels(&[], &["urgent"])),
        ("request-has-new-code", json!({})),
        (
            "request-has-another-title",
            json!({
                "title": change(json!("Bill a mooring once"), json!("Bill a mooring once a night")),
                "description":
                    change(json!("A night is one mooring."), json!("A night is one mooring, whatever its dates.")),
            }),
        ),
        ("request-goes-to-the-release", json!({"target_branch": change(json!("main"), json!("release/2.4"))})),
        ("request-is-approved", json!({})),
        ("request-is-merged", state(OPENED, MERGED)),
        ("late-update-after-the-merge", json!({})),
        ("request-of-notes-is-closed", state(OPENED, CLOSED)),
        ("request-of-notes-is-opened-again", state(CLOSED, OPENED)),
        ("request-of-notes-is-cancelled", state(OPENED, CLOSED)),
        ("tides-have-new-code", json!({})),
        ("tides-are-no-draft", json!({"draft": change(json!(true), json!(false))})),
    ]
}

#[test]
fn changes_hold_what_changed_and_nothing_else() {
    let (day, mut faults) = (Day::read(), Vec::new());
    for (name, wanted) in changed() {
        let mut told = day.body(name)["changes"].clone();
        told.as_object_mut().unwrap().retain(|field, _| TELLING.contains(&field.as_str()));
        for side in ["previous", "current"] {
            if let Some(labels) = told.pointer_mut(&format!("/labels/{side}")) {
                *labels = labels.as_array().unwrap().iter().map(|label| label["title"].clone()).collect();
            }
        }
        if told != wanted {
            faults.push(format!("{name}: {told}, not {wanted}"));
        }
    }
    assert_none(&faults);
}

#[test]
fn a_repeat_changes_nothing_but_its_time() {
    let day = Day::read();
    let changes = day.body("label-removed-again")["changes"].as_object().unwrap();
    assert_eq!(changes.keys().collect::<Vec<_>>(), ["updated_at"], "{changes:?}");
    assert_eq!(changes["updated_at"]["previous"], day.time("label-removed"));
    assert_eq!(changes["updated_at"]["current"], day.time("label-removed-again"));
}

#[test]
fn oldrev_stands_where_code_changed_and_nowhere_else() {
    let (day, before) = (Day::read(), told("gitflic"));
    let commit = |name: &str| {
        let own = before.iter().find(|own| own.name[3..] == *name).unwrap();
        own.value["merge_request"]["source_commit"].as_str().unwrap().to_owned()
    };
    let found: Vec<(&str, &str)> = day
        .0
        .iter()
        .filter_map(|own| Some((&own.name[3..], own.body["object_attributes"].get("oldrev")?.as_str().unwrap())))
        .collect();
    let (moorings, tides) = (commit("request-of-moorings"), commit("request-goes-to-the-release"));
    assert_eq!(found, [("request-has-new-code", moorings.as_str()), ("tides-have-new-code", tides.as_str())]);
}

/// Holds the times of an issue or a merge request against when its hooks came.
fn times(own: &Own, first: &str, last: &str, faults: &mut Vec<String>) {
    let (attributes, now) = (&own.body["object_attributes"], time(&own.name));
    for (field, wanted) in [("created_at", first), ("updated_at", now.as_str())] {
        if attributes[field] != wanted {
            faults.push(format!("{}: {field} is {}, not {wanted}", own.name, attributes[field]));
        }
    }
    if attributes["action"] != "open" && attributes["action"] != "approved" {
        // A comment in between may count as a change, as it does in GitLab.
        let update = &own.body["changes"]["updated_at"];
        let previous = update["previous"].as_str().unwrap_or_default();
        if previous < last || previous >= now.as_str() || update["current"] != now {
            faults.push(format!("{}: from {last} to {now}, and told is {update}", own.name));
        }
    }
}

#[test]
fn what_was_seen_first_was_created_then_and_what_is_told_was_updated_now() {
    let (day, mut faults) = (Day::read(), Vec::new());
    for kind in ["issue", "merge_request"] {
        let mut seen: Vec<(u64, String, String)> = Vec::new();
        for own in day.of_kind(kind) {
            let id = own.body["object_attributes"]["id"].as_u64().unwrap();
            let now = time(&own.name);
            match seen.iter_mut().find(|(known, ..)| *known == id) {
                Some((_, first, last)) => {
                    times(own, first, last, &mut faults);
                    *last = now;
                }
                None => {
                    times(own, &now, &now, &mut faults);
                    seen.push((id, now.clone(), now));
                }
            }
        }
        assert_eq!(seen.len(), 3, "{kind}: three were opened");
    }
    assert_none(&faults);
}

#[test]
fn an_issue_was_closed_when_it_became_so() {
    let (day, closed) = (Day::read(), "/object_attributes/closed_at");
    for name in ["issue-is-closed", "issue-is-completed"] {
        assert_eq!(day.at(name, closed), &json!(day.time(name)), "{name}");
    }
    for name in ["issue-of-moorings", "somebody-works-on-it", "issue-is-opened-again"] {
        assert_eq!(day.at(name, closed), &Value::Null, "{name}");
    }
    let note = &day.body("note-when-open-again")["issue"];
    assert_eq!((&note["state"], &note["closed_at"]), (&json!("opened"), &Value::Null));
    assert_eq!(note["created_at"], day.time("issue-of-moorings"));
}

#[test]
fn what_is_merged_stays_merged() {
    let (day, late) = (Day::read(), "late-update-after-the-merge");
    let georgi = day.at("issue-of-tides", "/user/id");
    for name in ["request-is-merged", late] {
        let attributes = &day.body(name)["object_attributes"];
        assert_eq!((&attributes["state"], &attributes["state_id"]), (&json!("merged"), &json!(MERGED)), "{name}");
        assert_eq!(attributes["merged_at"], day.time("request-is-merged"), "{name}");
        assert_eq!(&attributes["merge_user_id"], georgi, "{name}");
        assert_eq!(attributes["detailed_merge_status"], "not_open", "{name}");
    }
}

#[test]
fn what_a_hook_leaves_out_is_known_of_those_before_it() {
    let day = Day::read();
    let request = &day.body("request-is-approved")["object_attributes"];
    let code = &day.body("request-has-new-code")["object_attributes"]["last_commit"]["id"];
    assert_eq!((&request["title"], &request["last_commit"]["id"]), (&json!("Bill a mooring once a night"), code));
    let closed = &day.body("request-of-notes-is-closed")["object_attributes"]["last_commit"]["id"];
    assert_eq!(closed, &day.body("request-of-notes")["object_attributes"]["last_commit"]["id"]);
    let note = &day.body("note-when-open-again")["issue"];
    let titles: Value = note["labels"].as_array().unwrap().iter().map(|label| label["title"].clone()).collect();
    assert_eq!(
        (&note["title"], titles),
        (&json!("Moorings over midnight are billed twice"), json!(["billing", "harbour fees"]))
    );
    let note = &day.body("note-on-the-tides")["issue"];
    assert_eq!(
        (&note["title"], &note["description"]),
        (&json!("The tide table ends in March"), &json!("April is missing."))
    );
}

#[test]
fn a_draft_is_one_until_it_is_none() {
    let day = Day::read();
    for name in ["draft-of-tides-names-ingrid", "request-goes-to-the-release", "tides-have-new-code"] {
        let attributes = &day.body(name)["object_attributes"];
        assert_eq!((&attributes["draft"], &attributes["work_in_progress"]), (&json!(true), &json!(true)), "{name}");
    }
    let attributes = &day.body("tides-are-no-draft")["object_attributes"];
    assert_eq!((&attributes["draft"], &attributes["work_in_progress"]), (&json!(false), &json!(false)));
}
