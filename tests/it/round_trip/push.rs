use super::{commit, hook, project, sha, there_and_back};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const ZERO: &str = "0000000000000000000000000000000000000000";

/// A push of a branch or a tag.
fn push() -> impl Strategy<Value = Value> {
    let actions = ["BRANCH_CREATE", "BRANCH_UPDATE", "BRANCH_DELETE", "TAG_CREATE", "TAG_DELETE", "PUSH"];
    let commits = prop::collection::vec(commit(), 0..4);
    let author = prop::option::of(Just("1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71"));
    (select(actions.to_vec()), project(), sha(), sha(), "[a-z][a-z0-9/_-]{0,20}", commits, 0_u32..60, author).prop_map(
        |(action, project, before, after, name, mut commits, more, author)| {
            let deleted = action.ends_with("_DELETE");
            let of_tag = action.starts_with("TAG_");
            if deleted || of_tag {
                commits.clear();
            }
            if let (Some(last), true) = (commits.last_mut(), more % 3 != 0) {
                last["id"] = json!(after);
            }
            let count = if commits.is_empty() { 0 } else { commits.len() + more as usize };
            let mut push = json!({
                "before": if action.ends_with("_CREATE") { ZERO } else { &before },
                "after": if deleted { ZERO } else { &after },
                "ref": format!("refs/{}/{name}", if of_tag { "tags" } else { "heads" }),
                "commits": commits, "total_commits_count": count,
            });
            if let Some(author) = author {
                push["author_id"] = json!(author);
            }
            hook(action, project, json!({"push": push}))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_push_comes_back_as_it_was(hook in push()) {
        there_and_back(&hook, &json!({}), &[])?;
    }
}
