//! What GitLab's day must show in the GitFlic hooks that it becomes, whatever the golden files say.

use super::told;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The hook of a name, without the number of its file.
fn own(name: &str) -> Value {
    let all = told("gitlab-becomes").into_iter().find(|own| own.name[3..] == *name);
    all.unwrap_or_else(|| panic!("there is no {name}")).value["body"].take()
}

#[test]
fn each_hook_is_what_gitflic_calls_it() {
    for (name, action, status) in [
        ("issue-of-moorings", "ISSUE_CREATE", "OPEN"),
        ("label-added", "ISSUE_UPDATE", "OPEN"),
        ("issue-is-closed", "ISSUE_UPDATE", "CLOSED"),
        ("issue-is-opened-again", "ISSUE_UPDATE", "OPEN"),
        ("request-of-moorings", "MERGE_REQUEST_CREATE", "OPENED"),
        ("request-has-new-code", "MERGE_REQUEST_UPDATE", "OPENED"),
        ("request-is-approved", "MERGE_REQUEST_ACCEPT", "OPENED"),
        ("request-is-merged", "MERGE", "MERGED"),
        ("request-of-notes-is-closed", "MERGE_REQUEST_CLOSE", "CLOSED"),
        ("request-of-notes-is-opened-again", "MERGE_REQUEST_UPDATE", "OPENED"),
    ] {
        let body = own(name);
        let object = body.get("issue").unwrap_or(&body["merge_request"]);
        assert_eq!((&body["action"], &object["status"]), (&json!(action), &json!(status)), "{name}");
    }
}

#[test]
fn a_draft_is_work_in_progress() {
    for (name, done) in [("draft-of-tides", false), ("tides-have-new-code", false), ("tides-are-no-draft", true)] {
        assert_eq!(own(name)["merge_requirements"]["WORK_NOT_IN_PROGRESS"], done, "{name}");
    }
}

#[test]
fn the_same_has_the_same_uuid_all_day() {
    let mut ids = BTreeMap::<String, BTreeSet<String>>::new();
    let mut note = |what: String, id: &Value| {
        let id = id.as_str().unwrap();
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().to_string(), id, "{what}");
        ids.entry(what).or_default().insert(id.to_owned());
    };
    for own in told("gitlab-becomes").iter().filter(|own| own.value.get("body").is_some()) {
        let body = &own.value["body"];
        note("the project".to_owned(), &body["project_id"]);
        let (issue, request, commented) = (&body["issue"], &body["merge_request"], &body["issue_note"]);
        if issue.is_object() {
            note(format!("user {}", issue["user_alias"]), &issue["user_id"]);
        }
        if request.is_object() {
            note(format!("request {}", request["local_id"]), &request["id"]);
        }
        if commented.is_object() {
            note(format!("issue {}", commented["issue_local_id"]), &commented["issue_id"]);
        }
        if body["initiator"].is_object() {
            note(format!("user {}", body["initiator"]["name"]), &body["initiator"]["id"]);
        }
        if body["collaborator"].is_object() {
            note(format!("user {}", body["collaborator"]["user_alias"]), &body["collaborator"]["userid"]);
        }
    }
    assert!(ids.values().all(|own| own.len() == 1), "{ids:?}");
    assert!(ids.keys().filter(|what| what.starts_with("user ")).count() == 4, "{ids:?}");
    let different: BTreeSet<&String> = ids.values().flatten().collect();
    assert_eq!(different.len(), ids.len(), "{ids:?}");
    let issue = own("issue-of-moorings")["issue"]["id"].as_str().unwrap().to_owned();
    assert!(ids["issue 31"].contains(&issue), "the comment names the issue that was opened");
}
