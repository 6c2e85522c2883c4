use super::{hook, number, person, project, text, there_and_back, uuid, written};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

fn issue() -> impl Strategy<Value = Value> {
    let action = select(vec!["ISSUE_CREATE", "ISSUE_UPDATE"]);
    let status = select(vec!["OPEN", "IN_PROGRESS", "CLOSED", "COMPLETED"]);
    let labels = prop::collection::vec(text(), 0..4);
    (action, project(), uuid(), person(), text(), written(), status, labels).prop_map(
        |(action, project, id, (who, alias), title, description, status, labels)| {
            let issue = json!({
                "id": id, "user_id": who, "user_alias": alias, "title": title, "description": description,
                "status": status, "labels": labels,
            });
            hook(action, project, json!({"issue": issue}))
        },
    )
}

fn note() -> impl Strategy<Value = Value> {
    (project(), uuid(), uuid(), uuid(), written(), number()).prop_map(|(project, id, who, issue, message, number)| {
        let note = json!({"id": id, "user_id": who, "issue_id": issue, "message": message, "issue_local_id": number});
        hook("NEW_ISSUE_NOTE", project, json!({"issue_note": note}))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_issue_comes_back_as_it_was(hook in issue()) {
        there_and_back(&hook, &json!({}), &[])?;
    }

    #[test]
    fn a_comment_on_an_issue_comes_back_as_it_was(hook in note()) {
        there_and_back(&hook, &json!({}), &[])?;
    }
}
