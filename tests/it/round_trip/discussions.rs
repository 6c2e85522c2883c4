use super::merge_requests::merge_request;
use super::{hook, person, project, text, there_and_back, uuid, written};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// GitFlic documents no body: as a note on an issue, with the merge request that it is about.
fn discussion() -> impl Strategy<Value = Value> {
    let action = select(vec!["DISCUSSION_CREATE", "DISCUSSION_COMMENT_CREATE"]);
    let status = select(vec!["OPENED", "MERGED", "CLOSED", "CANCELED", "FAILED"]);
    let of_request =
        (status, person()).prop_flat_map(|(status, author)| (Just(author.clone()), merge_request(status, author)));
    let line = prop::option::of((text(), 1_u32..9_999));
    let writer = prop_oneof![2 => uuid().prop_map(Some), 1 => Just(None)];
    (action, project(), of_request, uuid(), writer, written(), line, any::<bool>()).prop_map(
        |(action, project, ((author, _), merge_request), id, writer, message, line, resolved)| {
            let mut discussion = json!({
                "id": id, "user_id": writer.unwrap_or(author), "merge_request_id": merge_request["id"],
                "merge_request_local_id": merge_request["local_id"], "message": message, "resolved": resolved,
            });
            if let Some((path, line)) = line {
                discussion["new_path"] = json!(path);
                discussion["old_path"] = json!(path);
                discussion["new_line"] = json!(line);
                discussion["old_line"] = json!(line);
            }
            let mut tells = json!({"merge_request": merge_request});
            if action == "DISCUSSION_CREATE" {
                tells["discussion"] = discussion;
            } else {
                discussion["discussion_id"] = json!("4c5d6e7f-8091-4a2b-93c4-d5e6f708192a");
                tells["discussion_comment"] = discussion;
            }
            hook(action, project, tells)
        },
    )
}

/// What of a hook must come back, though others of its kind lose it.
fn kept(hook: &Value) -> Vec<&'static str> {
    let request = &hook["merge_request"];
    let mut kept = vec!["merge_request.source_branch", "merge_request.target_branch"];
    if request["title"].as_str().is_some_and(|title| !title.is_empty()) {
        kept.push("merge_request.title");
    }
    let comment = if hook["discussion"].is_null() { &hook["discussion_comment"] } else { &hook["discussion"] };
    if comment["user_id"] == request["user_id"] && request["author_username"].is_string() {
        kept.push("merge_request.author_username");
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_comment_on_a_merge_request_comes_back_as_it_was(hook in discussion()) {
        there_and_back(&hook, &json!({}), &kept(&hook))?;
    }
}
