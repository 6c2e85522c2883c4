use super::{hook, person, project, text, there_and_back};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

fn member() -> impl Strategy<Value = Value> {
    let action = select(vec!["COLLABORATOR_ADD", "COLLABORATOR_UPDATE", "COLLABORATOR_DELETE"]);
    let base_role = select(vec!["OWNER", "ADMIN", "DEVELOPER", "REPORTER", "GUEST"]);
    (action, project(), person(), text(), base_role).prop_map(|(action, project, (who, alias), role, base_role)| {
        let collaborator = json!({"userid": who, "user_alias": alias, "role": role, "base_role": base_role});
        hook(action, project, json!({"collaborator": collaborator}))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// GitLab's Member Hook tells of groups; there is no way back from it, since GitFlic has none.
    #[test]
    fn a_member_comes_back_as_it_was(hook in member()) {
        there_and_back(&hook, &json!({"member_events": "system"}), &[])?;
    }
}
