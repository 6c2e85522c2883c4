use hookglot::forge::Forges;
use hookglot::mapping::json::Document;
use hookglot::mapping::{Diagnostics, HookFacts, Mappings, NoKnowledge, Surroundings, Untranslated};
use hookglot::rules::Rules;
use hookglot::{mapping_files, schemas};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;

/// The bound that the page of the language names.
const LARGEST_BODY: usize = 4 << 20;

pub static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let (rules, warnings) = Rules::load(&mapping_files::built_in()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(warnings.to_string(), "", "the built-in files are held strictly");
    rules
});

pub fn direction(from: &str, to: &str) -> &'static Mappings {
    &RULES.directions[&(from.to_owned(), to.to_owned())]
}

#[test]
fn every_golden_output_is_what_a_strict_receiver_takes() {
    let files = mapping_files::built_in();
    let forges = Forges::load(&files).unwrap();
    let (mut examples, mut found) = (0, Diagnostics::default());
    for ((_, to), set) in &RULES.directions {
        examples += schemas::check(&files, forges.named(to).unwrap(), set, &mut found);
    }
    assert_eq!(found.to_string(), "");
    assert!(examples >= 80, "{examples}");
}

#[test]
fn a_schema_refuses_what_tools_refuse() {
    let files = mapping_files::built_in();
    let forges = Forges::load(&files).unwrap();
    let mut schemas = schemas::Schemas::new(&files, forges.named("gitlab").unwrap());
    let text = crate::support::project_file("mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.gitlab.json");
    let golden: Value = serde_json::from_str(&text).unwrap();
    for (pointer, wrong) in [
        ("/project_id", Value::from("6d2b8f04")),
        ("/project_id", Value::from(1_u64 << 31)),
        ("/user_username", Value::from("")),
        ("/commits", Value::Array(Vec::new())),
        ("/commits/0/timestamp", Value::from("2026-02-03T09:08:07")),
        ("/project/web_url", Value::Null),
    ] {
        let mut body = golden.clone();
        *body.pointer_mut(pointer).unwrap() = wrong;
        assert!(schemas.validate(&[], &body).is_err(), "{pointer} should be refused");
    }
}

/// Translates a hook; gives the name of the mapping and the body.
pub fn translate(set: &Mappings, event: &str, input: &Value) -> Result<(String, Value), Untranslated> {
    let text = input.to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    let instance = "git.example.org";
    let facts = HookFacts { id: "0", received_at: "2026-01-02T03:04:05Z", event, instance: Some(instance) };
    let beside = Surroundings { hook: Some(facts), instance, ..Surroundings::new(&NoKnowledge) };
    let made = set.translate(event, document.root(), &beside)?;
    assert!(made.body.len() <= LARGEST_BODY, "{} bytes", made.body.len());
    // What can be translated can be explained, and the explanation tells of the same body.
    let explained = set.explain(event, document.root(), &beside).expect("explained");
    let body: Value = serde_json::from_slice(&made.body).expect("a body is JSON");
    for field in &explained.body {
        let pointer = format!("/{}", field.path.replace(['.', '['], "/").replace(']', ""));
        let told: Value = serde_json::from_str(&field.json).expect("an explanation is JSON");
        assert_eq!(body.pointer(&pointer), Some(&told), "{}", field.path);
    }
    Ok((made.mapping.to_string(), body))
}

/// Every value in every place of the example hooks, one at a time: a body that parses, or a failure that names a line.
#[test]
fn any_wrong_value_in_any_place_gives_json_or_a_failure_with_its_line() {
    for (from, to, event, file) in [
        ("gitflic", "gitlab", "BRANCH_UPDATE", "gitflic-to-gitlab/examples/BRANCH_UPDATE.json"),
        ("gitflic", "gitlab", "TAG_CREATE", "gitflic-to-gitlab/examples/TAG_CREATE.json"),
        ("gitflic", "gitlab", "PUSH", "gitflic-to-gitlab/examples/PUSH.json"),
        ("gitflic", "gitlab", "ISSUE_CREATE", "gitflic-to-gitlab/examples/ISSUE_CREATE.json"),
        ("gitflic", "gitlab", "NEW_ISSUE_NOTE", "gitflic-to-gitlab/examples/NEW_ISSUE_NOTE.json"),
        ("gitflic", "gitlab", "MERGE_REQUEST_UPDATE", "gitflic-to-gitlab/examples/MERGE_REQUEST_UPDATE.json"),
        ("gitflic", "gitlab", "DISCUSSION_CREATE", "gitflic-to-gitlab/examples/DISCUSSION_CREATE.json"),
        ("gitflic", "gitlab", "COLLABORATOR_ADD", "gitflic-to-gitlab/examples/COLLABORATOR_ADD.json"),
        ("gitflic", "gitlab", "PIPELINE_FAIL", "gitflic-to-gitlab/examples/PIPELINE_FAIL.json"),
        ("gitlab", "gitflic", "Push Hook", "gitlab-to-gitflic/examples/push.json"),
        ("gitlab", "gitflic", "Push Hook", "gitlab-to-gitflic/examples/push-6.json"),
        ("gitlab", "gitflic", "Tag Push Hook", "gitlab-to-gitflic/examples/tag-push.json"),
    ] {
        let golden: Value = serde_json::from_str(&crate::support::project_file(&format!("mappings/{file}"))).unwrap();
        let mut pointers = Vec::new();
        collect_pointers(&golden, String::new(), &mut pointers);
        for pointer in &pointers {
            for wrong in [
                Value::Null,
                7.into(),
                (-1.5).into(),
                "".into(),
                "ё\u{0}".into(),
                true.into(),
                serde_json::json!([]),
                serde_json::json!({}),
            ] {
                let mut hook = golden.clone();
                *hook.pointer_mut(pointer).unwrap() = wrong.clone();
                if let Err(Untranslated::Failed(failure)) = translate(direction(from, to), event, &hook) {
                    assert!(failure.line > 0 && failure.file.contains("mappings/"), "{pointer} = {wrong}: {failure}");
                }
            }
        }
    }
}

fn collect_pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                collect_pointers(inner, format!("{at}/{key}"), all);
            }
        }
        Value::Array(items) => {
            for (key, inner) in items.iter().enumerate() {
                collect_pointers(inner, format!("{at}/{key}"), all);
            }
        }
        _ => {}
    }
    all.push(at);
}

fn any_json() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "action",
        "project_id",
        "push",
        "commits",
        "ref",
        "after",
        "before",
        "project",
        "id",
        "author",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("2026-02-03T09:08:07")),
        Just(Value::from("0000000000000000000000000000000000000000")),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..8).prop_map(|members| Value::Object(
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_at_all_gives_json_or_a_reason(input in any_json(), event in prop::sample::select(vec!["BRANCH_UPDATE", "TAG_DELETE", "PUSH", "TEST_WEBHOOK"])) {
        // What it gives was parsed on the way; what matters is that nothing panics.
        let _ = translate(direction("gitflic", "gitlab"), event, &input);
        let _ = translate(direction("gitlab", "gitflic"), "Push Hook", &input);
        let _ = translate(direction("gitlab", "gitflic"), "Tag Push Hook", &input);
    }
}
