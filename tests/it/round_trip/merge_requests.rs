use super::{PROJECT, hook, number, person, project, sha, text, there_and_back, uuid, written};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const REQUIREMENTS: [&str; 8] = [
    "LAST_PIPELINE_SUCCESS",
    "WORK_NOT_IN_PROGRESS",
    "RIGHTS_TO_MERGE",
    "NO_CONFLICTS",
    "BRANCH_NOT_PROTECTED_FOR_USER",
    "HAS_ALL_APPROVERS",
    "HAS_ALL_CODEOWNERS",
    "MERGE_RESULTS_PIPELINE_SUCCESS",
];

/// What GitFlic came to send of a merge request when it had sent hooks of them for a while.
const OF_LATER_SERVERS: [&str; 3] = ["status_title", "can_merge", "author_username"];

/// Whether GitFlic counts a merge request of this status as open.
fn is_open(status: &str) -> bool {
    ["OPENED", "FAILED"].contains(&status)
}

/// What GitFlic sends of a merge request; what older servers do not know is left out now and then.
pub(super) fn merge_request(status: &'static str, (author, alias): (String, String)) -> impl Strategy<Value = Value> {
    let titles = [
        ("OPENED", "Open"),
        ("MERGED", "Merged"),
        ("CLOSED", "Closed"),
        ("CANCELED", "Canceled"),
        ("FAILED", "Failed"),
    ];
    let status_title = titles.into_iter().find(|(own, _)| *own == status).map(|(_, title)| title);
    let left_out = prop::sample::subsequence(vec!["title", "source_commit", "url"], 0..=3);
    let is_old = prop::bool::weighted(0.1);
    let branch = || "[a-z][a-z0-9/_-]{0,20}";
    let source = prop_oneof![Just(PROJECT.to_owned()), uuid()];
    (text(), written(), source, sha(), (branch(), branch()), number(), any::<bool>(), left_out, is_old).prop_map(
        move |(title, description, source, commit, branches, number, can_merge, left_out, is_old)| {
            let mut made = json!({
                "id": "5b6c7d8e-9f0a-4b1c-8d2e-3f4a5b6c7d8e", "user_id": author, "title": title,
                "description": description, "status": status, "source_project_id": source, "source_commit": commit,
                "source_branch": branches.0, "target_project_id": PROJECT, "target_branch": branches.1,
                "local_id": number, "url": "https://git.example.org/project/a/b/merge-request/7",
                "status_title": status_title, "can_merge": can_merge && is_open(status), "author_username": alias,
            });
            let members = made.as_object_mut().unwrap();
            members.retain(|field, _| !left_out.contains(&field.as_str()));
            if is_old {
                members.retain(|field, _| !OF_LATER_SERVERS.contains(&field.as_str()));
            }
            made
        },
    )
}

fn requirements() -> impl Strategy<Value = Value> {
    let all = REQUIREMENTS.to_vec();
    (prop::sample::subsequence(all, 0..=8), prop::collection::vec(any::<bool>(), 8)).prop_map(|(told, values)| {
        Value::Object(told.into_iter().map(str::to_owned).zip(values.into_iter().map(Value::from)).collect())
    })
}

/// The event and the status that it may have.
fn told() -> impl Strategy<Value = (&'static str, &'static str)> {
    let any = ["OPENED", "MERGED", "CLOSED", "CANCELED", "FAILED"];
    let of_any = ["MERGE_REQUEST_CREATE", "MERGE_REQUEST_UPDATE", "MERGE_REQUEST_ACCEPT"];
    let mut all: Vec<(&str, &str)> = of_any.iter().flat_map(|event| any.map(|status| (*event, status))).collect();
    all.extend([("MERGE_REQUEST_CLOSE", "CLOSED"), ("MERGE_REQUEST_CANCEL", "CANCELED"), ("MERGE", "MERGED")]);
    select(all)
}

fn event() -> impl Strategy<Value = Value> {
    let sent = (told(), person()).prop_flat_map(|((action, status), author)| {
        (Just((action, status)), Just(author.clone()), merge_request(status, author))
    });
    let initiator = prop_oneof![2 => person().prop_map(Some), 1 => Just(None)];
    (sent, project(), requirements(), initiator, prop::bool::weighted(0.1)).prop_map(
        |(((action, status), (author, alias), merge_request), project, requirements, initiator, is_old)| {
            let mut tells = json!({"merge_request": merge_request});
            if !is_old {
                // GitFlic tells no requirements of what is closed or merged.
                tells["merge_requirements"] = if is_open(status) { requirements } else { Value::Object(Map::new()) };
            }
            if !is_old && action != "MERGE_REQUEST_CREATE" {
                let (id, name) = initiator.unwrap_or((author, alias));
                tells["initiator"] = json!({"id": id, "name": name});
            }
            hook(action, project, tells)
        },
    )
}

/// What of a hook must come back, though others of its kind lose it.
fn kept(hook: &Value) -> Vec<&'static str> {
    let mut kept = Vec::new();
    let names_author = hook["initiator"].is_null() || hook["initiator"]["id"] == hook["merge_request"]["user_id"];
    if names_author && hook["merge_request"]["author_username"].is_string() {
        kept.push("merge_request.author_username");
    }
    let requirements = &hook["merge_requirements"];
    if requirements.is_null() && hook["merge_request"]["can_merge"].is_boolean() {
        kept.push("merge_request.can_merge");
    }
    let in_order =
        ["WORK_NOT_IN_PROGRESS", "NO_CONFLICTS", "HAS_ALL_APPROVERS", "HAS_ALL_CODEOWNERS", "LAST_PIPELINE_SUCCESS"];
    match in_order.into_iter().find(|name| requirements[name] == false) {
        Some("HAS_ALL_APPROVERS") => kept.push("merge_requirements.HAS_ALL_APPROVERS"),
        Some("LAST_PIPELINE_SUCCESS") => kept.push("merge_requirements.LAST_PIPELINE_SUCCESS"),
        _ => {}
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_merge_request_comes_back_as_it_was(hook in event()) {
        there_and_back(&hook, &json!({}), &kept(&hook))?;
    }
}
