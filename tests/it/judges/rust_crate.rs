#![expect(deprecated, reason = "later versions of the crate have no such types; tools build on this one")]

use super::{assert_every_kind_among, kind, made, whole_hooks};
use gitlab::webhooks::WebHook;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn the_crate_gitlab_reads_every_hook_as_what_it_is() {
    let (mut judged, mut faults) = (BTreeSet::new(), Vec::new());
    for made in made() {
        let Some(kind) = kind(&made.body) else { continue };
        judged.insert(kind);
        faults.extend(faults_of(&made.body, kind).into_iter().map(|fault| format!("{}: {fault}", made.name)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_every_kind_among(&judged);
}

#[test]
fn the_crate_gitlab_reads_gitlabs_own_hooks() {
    for mut own in whole_hooks() {
        // On a merge request that is opened, GitLab sends `previous: null`, which this version takes for no text.
        if let Some(changes) = own.body.pointer_mut("/changes").and_then(Value::as_object_mut) {
            changes.retain(|_, change| !change["previous"].is_null());
        }
        let kind = kind(&own.body).unwrap();
        assert_eq!(faults_of(&own.body, kind), Vec::<String>::new(), "{}", own.name);
    }
}

/// What the crate cannot read of a hook, or reads otherwise.
fn faults_of(body: &Value, kind: &str) -> Vec<String> {
    let hook = match serde_json::from_value(body.clone()) {
        Ok(hook) => hook,
        Err(error) => return vec![error.to_string()],
    };
    let (variant, read) = read(&hook);
    let mut faults = Vec::new();
    if variant != kind {
        faults.push(format!("a {kind} is read as a {variant}"));
    }
    for (pointer, value) in read {
        let own = body.pointer(pointer).unwrap_or(&Value::Null);
        if !same(own, &value) {
            faults.push(format!("{pointer} is {own}, and read as {value}"));
        }
    }
    faults
}

/// Which kind of hook the crate takes it for, and what it has read, with the place in the body where that stands.
fn read(hook: &WebHook) -> (&'static str, Vec<(&'static str, Value)>) {
    match hook {
        WebHook::Push(push) => (
            if push.object_kind == "tag_push" { "tag-push" } else { "push" },
            vec![
                ("/object_kind", json!(push.object_kind)),
                ("/ref", json!(push.ref_)),
                ("/before", json!(push.before)),
                ("/after", json!(push.after)),
                ("/checkout_sha", json!(push.checkout_sha)),
                ("/user_id", json!(push.user_id)),
                ("/user_username", json!(push.user_username)),
                ("/project_id", json!(push.project_id)),
                ("/project/path_with_namespace", json!(push.project.path_with_namespace)),
                ("/total_commits_count", json!(push.total_commits_count)),
                ("/commits/0/id", json!(push.commits.first().map(|commit| &commit.id))),
                ("/commits/0/timestamp", json!(push.commits.first().map(|commit| commit.timestamp.timestamp()))),
            ],
        ),
        WebHook::Issue(issue) => {
            let attributes = &issue.object_attributes;
            let read = vec![
                ("/object_kind", json!(issue.object_kind)),
                ("/user/username", json!(issue.user.username)),
                ("/object_attributes/iid", json!(attributes.iid)),
                ("/object_attributes/title", json!(attributes.title)),
                ("/object_attributes/url", json!(attributes.url)),
                ("/object_attributes/action", word(attributes.action)),
                ("/object_attributes/state", word(Some(attributes.state))),
                ("/object_attributes/created_at", json!(attributes.created_at.as_ref().timestamp())),
            ];
            ("issue", read)
        }
        WebHook::MergeRequest(request) => {
            let attributes = &request.object_attributes;
            let read = vec![
                ("/object_kind", json!(request.object_kind)),
                ("/user/username", json!(request.user.username)),
                ("/object_attributes/iid", json!(attributes.iid)),
                ("/object_attributes/title", json!(attributes.title)),
                ("/object_attributes/action", word(attributes.action)),
                ("/object_attributes/state", word(Some(attributes.state))),
                ("/object_attributes/draft", json!(attributes.draft)),
                ("/object_attributes/merge_status", word(Some(attributes.merge_status))),
                ("/object_attributes/source_branch", json!(attributes.source_branch)),
                ("/object_attributes/target_branch", json!(attributes.target_branch)),
                ("/object_attributes/oldrev", json!(attributes.oldrev)),
                ("/object_attributes/last_commit/id", json!(attributes.last_commit.as_ref().map(|commit| &commit.id))),
                ("/object_attributes/target/git_http_url", json!(attributes.target.git_http_url)),
                ("/object_attributes/updated_at", json!(attributes.updated_at.as_ref().timestamp())),
            ];
            ("merge-request", read)
        }
        WebHook::Note(note) => {
            let attributes = &note.object_attributes;
            let mut read = vec![
                ("/object_kind", json!(note.object_kind)),
                ("/project_id", json!(note.project_id)),
                ("/object_attributes/id", json!(attributes.id)),
                ("/object_attributes/note", json!(attributes.note)),
                ("/object_attributes/noteable_type", word(Some(attributes.noteable_type))),
                ("/object_attributes/discussion_id", json!(attributes.discussion_id)),
                ("/object_attributes/url", json!(attributes.url)),
            ];
            if let Some(request) = &note.merge_request {
                read.push(("/merge_request/iid", json!(request.iid)));
                read.push(("/merge_request/state", word(Some(request.state))));
                return ("note-mr", read);
            }
            read.push(("/issue/iid", json!(note.issue.as_ref().map(|issue| issue.iid))));
            ("note-issue", read)
        }
        WebHook::Pipeline(pipeline) => {
            let attributes = &pipeline.object_attributes;
            let read = vec![
                ("/object_kind", json!(pipeline.object_kind)),
                ("/object_attributes/id", json!(attributes.id)),
                ("/object_attributes/ref", json!(attributes.ref_)),
                ("/object_attributes/sha", json!(attributes.sha)),
                ("/object_attributes/status", word(Some(attributes.status))),
                ("/project/id", json!(pipeline.project.id)),
                ("/commit/id", json!(pipeline.commit.as_ref().map(|commit| &commit.id))),
            ];
            ("pipeline", read)
        }
        other => panic!("no mapping should make {other:?}"),
    }
}

/// A variant in the words of the crate; [`same`] reads them.
fn word(variant: Option<impl std::fmt::Debug>) -> Value {
    variant.map_or(Value::Null, |variant| json!(format!("variant {variant:?}")))
}

/// Whether a value of the body is the one that the crate has read: what is absent is null, times are compared as seconds
/// and variants (`CanBeMerged`) with words (`can_be_merged`).
fn same(body: &Value, read: &Value) -> bool {
    match (body.as_str(), read) {
        (Some(text), Value::Number(seconds)) => {
            super::demands::moment(text).is_some_and(|moment| Some(moment.as_second()) == seconds.as_i64())
        }
        (Some(text), Value::String(read)) if read.starts_with("variant ") => {
            text.replace('_', "").eq_ignore_ascii_case(read.trim_start_matches("variant "))
        }
        _ => body == read,
    }
}
