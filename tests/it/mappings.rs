use hookglot::forge::{Forges, hook_facts};
use hookglot::mapping::json::Document;
use hookglot::mapping::{Mappings, NoKnowledge, Surroundings, Untranslated};
use hookglot::rules::Rules;
use hookglot::{mapping_files, schemas};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let (rules, warnings) = Rules::load(&mapping_files::built_in()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(warnings.to_string(), "", "the built-in files are held strictly");
    rules
});

fn direction(from: &str, to: &str) -> &'static Mappings {
    &RULES.directions[&(from.to_owned(), to.to_owned())]
}

#[test]
fn every_golden_output_is_what_a_strict_receiver_takes() {
    let files = mapping_files::built_in();
    let forges = Forges::load(&files).unwrap();
    let mut examples = 0;
    for ((_, to), set) in &RULES.directions {
        let (count, found) = schemas::check(&files, forges.named(to).unwrap(), set);
        assert_eq!(found.to_string(), "");
        examples += count;
    }
    assert!(examples >= 24, "{examples}");
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

fn translate(set: &Mappings, event: &str, input: &Value) -> Result<Value, Untranslated> {
    let text = input.to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    let facts = hook_facts("0", "2026-01-02T03:04:05Z", event, Some("git.example.org"));
    let facts = Document::parse(facts.as_bytes()).unwrap();
    let beside =
        Surroundings { hook: Some(facts.root()), instance: "git.example.org", ..Surroundings::new(&NoKnowledge) };
    set.translate(event, document.root(), &beside)
        .map(|made| serde_json::from_slice(&made.body).expect("a body is JSON"))
}

/// Every value in every place of the example hooks, one at a time: a body that parses, or a failure that names a line.
#[test]
fn any_wrong_value_in_any_place_gives_json_or_a_failure_with_its_line() {
    for (from, to, event, file) in [
        ("gitflic", "gitlab", "BRANCH_UPDATE", "gitflic-to-gitlab/examples/BRANCH_UPDATE.json"),
        ("gitflic", "gitlab", "TAG_CREATE", "gitflic-to-gitlab/examples/TAG_CREATE.json"),
        ("gitflic", "gitlab", "PUSH", "gitflic-to-gitlab/examples/PUSH.json"),
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

    /// GitFlic -> GitLab -> GitFlic gives back what both can say.
    #[test]
    fn a_push_comes_back_with_everything_that_is_not_declared_lost(
        alias in "[a-z][a-z0-9-]{0,12}", owner in "[a-z][a-z0-9-]{0,12}", title in "\\PC{1,20}", private in any::<bool>(),
        message in "\\PC{0,60}", name in "\\PC{1,20}", seconds in 0_i64..4_000_000_000, total in 1_u32..50,
    ) {
        let head = "5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13";
        let time = jiff::Timestamp::from_second(seconds).unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let hook = serde_json::json!({
            "action": "BRANCH_UPDATE",
            "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92",
            "project": {
                "project_id": "6d2b8f04-51c7-4e39-9a60-c3e5f7180b92", "title": title, "alias": alias, "owner_alias": owner, "owner_type": "TEAM",
                "http_transport_url": format!("https://git.example.org/project/{owner}/{alias}.git"),
                "ssh_transport_url": format!("git@git.example.org:{owner}/{alias}.git"), "language": "", "private": private,
            },
            "push": {
                "before": "9e2c4d6f8b0a135b1c0f3e7d9a24860c1b3d5f7a", "after": head, "ref": "refs/heads/main",
                "commits": [{"id": head, "message": message, "author_name": name, "author_email": "o@harbour.example.com", "timestamp": time}],
                "total_commits_count": total, "author_id": "1f0c6a2e-7b4d-4c18-8e93-5a6f0d2c4b71",
            },
        });
        let there = translate(direction("gitflic", "gitlab"), "BRANCH_UPDATE", &hook).unwrap();
        let mut back = translate(direction("gitlab", "gitflic"), "Push Hook", &there).unwrap();
        // Ids alone are not given back: without a memory a number does not tell its UUID.
        for id in ["/project_id", "/project/project_id", "/push/author_id"] {
            *back.pointer_mut(id).unwrap() = hook.pointer(id).unwrap().clone();
        }
        prop_assert_eq!(back, hook);
    }
}
