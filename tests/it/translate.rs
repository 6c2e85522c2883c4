use crate::support::process::{fed, run};
use crate::support::{gitflic_push, gitlab_push, project_file};
use hookglot::mapping::identity;
use serde_json::{Value, json};

fn example(path: &str) -> String {
    format!("{}/mappings/{path}", env!("CARGO_MANIFEST_DIR"))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The body of a hook without some of its fields.
fn without(body: &str, fields: &[&str]) -> String {
    let mut body = parsed(body);
    for field in fields {
        assert!(body.as_object_mut().unwrap().remove(*field).is_some(), "{field}");
    }
    body.to_string()
}

/// The golden output of an example.
fn golden(path: &str) -> Value {
    parsed(&project_file(&format!("mappings/{path}")))
}

/// What GitLab's example pushes and tags become here: examples come from git.example.org, these from where they say.
fn from_its_own_instance(mut golden: Value) -> Value {
    let project = json!(identity::uuid("lab.example.org", "project", "3107").to_string());
    golden["project_id"] = project.clone();
    golden["project"]["project_id"] = project;
    golden["push"]["author_id"] = json!(identity::uuid("lab.example.org", "user", "412").to_string());
    golden
}

#[test]
fn a_hook_in_a_file_is_printed_as_a_tool_would_get_it_in_both_directions() {
    for name in ["BRANCH_CREATE", "BRANCH_UPDATE", "BRANCH_DELETE", "TAG_DELETE"] {
        let made = run(&["translate", "--to", "gitlab", &example(&format!("gitflic-to-gitlab/examples/{name}.json"))]);
        assert_eq!(made.json(), golden(&format!("gitflic-to-gitlab/examples/{name}.gitlab.json")), "{name}");
    }
    for name in ["push", "push-new-branch", "push-delete-branch", "tag-push", "tag-delete"] {
        let made = run(&["translate", "--to", "gitflic", &example(&format!("gitlab-to-gitflic/examples/{name}.json"))]);
        let golden = golden(&format!("gitlab-to-gitflic/examples/{name}.gitflic.json"));
        assert_eq!(made.json(), from_its_own_instance(golden), "{name}");
    }
}

#[test]
fn a_hook_on_standard_input_is_translated_with_and_without_the_dash() {
    let expected = from_its_own_instance(golden("gitlab-to-gitflic/examples/push.gitflic.json"));
    for arguments in [&["translate", "--to", "gitflic"][..], &["translate", "--to", "gitflic", "-"]] {
        assert_eq!(fed(arguments, gitlab_push()).json(), expected, "{arguments:?}");
    }
}

#[test]
fn with_headers_there_are_header_lines_an_empty_line_and_the_body() {
    let made = fed(&["translate", "--to", "gitlab", "--headers"], gitflic_push());
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    let (head, body) = made.out.split_once("\n\n").unwrap();
    let headers: Vec<(&str, &str)> = head.lines().map(|line| line.split_once(": ").unwrap()).collect();
    assert!(headers.contains(&("Content-Type", "application/json")), "{head}");
    assert!(headers.contains(&("X-Gitlab-Event", "Push Hook")), "{head}");
    assert_eq!(parsed(body)["object_kind"], "push");
    let other = fed(&["translate", "--to", "gitflic", "--headers"], gitlab_push()).out;
    let (head, body) = other.split_once("\n\n").unwrap();
    assert_eq!(head, "Content-Type: application/json");
    assert_eq!(parsed(body)["action"], "BRANCH_UPDATE");
}

#[test]
fn an_event_that_the_body_does_not_tell_is_told_by_a_flag() {
    // Without `before` the shape is not that of GitLab 6 either: only the header could tell.
    let body = without(&gitlab_push(), &["object_kind", "event_name", "before"]);
    let untold = fed(&["translate", "--to", "gitflic"], &body);
    assert!(untold.says(1).contains("not a hook of gitflic or gitlab"), "{untold:?}");
    let told = fed(&["translate", "--to", "gitflic", "--event", "Push Hook"], &body).json();
    assert_eq!((&told["action"], &told["push"]["ref"]), (&json!("BRANCH_UPDATE"), &json!("refs/heads/main")));
}

#[test]
fn a_system_hook_is_named_by_its_body_behind_the_word_of_the_flag() {
    let arguments = ["translate", "--to", "gitflic", "--event", "System Hook"];
    let push = fed(&arguments, without(&gitlab_push(), &["object_kind"])).json();
    assert_eq!(push["action"], "BRANCH_UPDATE");
    let other = fed(&arguments, r#"{"event_name":"project_create","project_id":3107}"#);
    assert!(other.says(3).contains("GitLab tells its administrators of projects"), "{other:?}");
}

#[test]
fn whose_hook_it_is_can_be_said_where_the_body_could_be_anybodys() {
    let arguments = ["translate", "--to", "gitlab", "--from", "gitflic"];
    let mut body = parsed(&gitflic_push());
    body["object_kind"] = json!("harbour");
    // With a kind it looks like a hook of GitLab's own, and goes through as it came.
    assert_eq!(fed(&["translate", "--to", "gitlab"], body.to_string()).json(), body);
    assert_eq!(fed(&arguments, body.to_string()).json()["object_kind"], "push");
    let body = without(&gitflic_push(), &["action"]);
    let told = fed(&[&arguments[..], &["--event", "BRANCH_UPDATE"]].concat(), body);
    assert_eq!(told.json()["object_kind"], "push");
}

#[test]
fn an_event_without_a_counterpart_is_3_with_the_reason_on_standard_error_alone() {
    let moon = fed(&["translate", "--to", "gitflic"], r#"{"object_kind":"moon_phase","project":{"id":3107}}"#);
    let reason = "hookglot does not know this kind of GitLab's hooks, so it knows nothing in GitFlic that is like it";
    assert_eq!(moon.says(3), format!("hookglot: ignored: {reason}\n"));
    let moon = fed(&["translate", "--to", "gitlab", "--headers"], r#"{"action":"MOON_PHASE","project_id":"ledger"}"#);
    let reason = "hookglot does not know this event of GitFlic, so it knows nothing in GitLab that is like it";
    assert_eq!(moon.says(3), format!("hookglot: ignored: {reason}\n"));
}

#[test]
fn broken_json_is_1_with_file_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("push.json");
    std::fs::write(&file, "{\n  \"object_kind\": pusch\n}").unwrap();
    let shown = file.to_str().unwrap();
    let wrong = run(&["translate", "--to", "gitflic", shown]);
    assert_eq!(wrong.says(1), format!("hookglot: {shown}: line 2, column 18: expected a value\n"));
    let wrong = fed(&["translate", "--to", "gitflic"], "{\"a\": 1,}");
    assert!(wrong.says(1).starts_with("hookglot: standard input: line 1, column 9: "), "{wrong:?}");
}

#[test]
fn a_file_that_does_not_exist_is_1_and_named() {
    let missing = run(&["translate", "--to", "gitflic", "no-such-harbour.json"]);
    assert!(missing.says(1).contains("no-such-harbour.json: "), "{missing:?}");
}

#[test]
fn an_unknown_forge_is_1_with_the_one_that_was_probably_meant() {
    for (flag, arguments) in [
        ("--to", ["translate", "--to", "gitlub", "--from", "gitlab"]),
        ("--from", ["translate", "--to", "gitflic", "--from", "gitlub"]),
    ] {
        let wrong = fed(&arguments, gitlab_push());
        assert_eq!(
            wrong.says(1),
            format!("hookglot: {flag}: unknown forge `gitlub`: expected gitflic or gitlab, did you mean `gitlab`?\n")
        );
    }
}

#[test]
fn a_hook_in_the_format_of_its_own_forge_goes_through_byte_for_byte() {
    // Two spaces, an escape that is none, a key that stands there twice and a number that no double holds.
    let body = "{\"object_kind\":  \"push\", \"ref\":\"\\u0072efs\",\r\n\"ref\":1e400, \"ё\": 12345678901234567890123}";
    let made = fed(&["translate", "--to", "gitlab"], body);
    // The line end at the close is for the terminal.
    assert_eq!((made.code, made.out), (Some(0), format!("{body}\n")));
}

#[test]
fn anything_at_all_on_standard_input_is_refused_with_a_sentence() {
    let deep = "{\"push\":".repeat(100_000);
    let deep_list = "[".repeat(100_000);
    for odd in [
        &b""[..],
        b" \n",
        b"[]",
        b"null",
        b"7",
        b"\"push\"",
        b"{}",
        b"{",
        b"{\"object_kind\"",
        b"[{\"object_kind\":\"push\"}]",
        b"\xef\xbb\xbf{}",
        b"{\"object_kind\":\"\xff\"}",
        b"{\"object_kind\":\"\\ud800\"}",
        b"{\"object_kind\":null}",
        b"{\"object_kind\":[]}",
        b"{\"object_kind\":\"push\"}",
        b"{\"object_kind\":\"push\"}{}",
        b"{\"action\":{},\"project_id\":[]}",
        b"{\"action\":\"PUSH\",\"project_id\":7,\"push\":\"x\"}",
        b"\0",
        deep.as_bytes(),
        deep_list.as_bytes(),
    ] {
        for to in ["gitlab", "gitflic"] {
            let shown = String::from_utf8_lossy(&odd[..odd.len().min(60)]).into_owned();
            let ended = fed(&["translate", "--to", to], odd);
            assert!(matches!(ended.code, Some(0 | 1 | 3)), "{shown}: {ended:?}");
            assert!(ended.code == Some(0) || ended.out.is_empty() && ended.err.starts_with("hookglot: "), "{ended:?}");
            assert!(!ended.err.contains("panicked") && ended.err.lines().count() <= 1, "{shown}: {ended:?}");
        }
    }
}

#[test]
fn a_byte_order_mark_is_called_by_its_name() {
    let wrong = fed(&["translate", "--to", "gitlab"], format!("\u{feff}{}", gitflic_push()));
    let said = wrong.says(1);
    assert!(said.contains("line 1, column 1: a byte order mark stands before the JSON: leave it out"), "{said}");
}
