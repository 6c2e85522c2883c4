use crate::support::app::{App, command};
use crate::support::receiver::{Receiver, status};
use crate::support::wire::post;
use crate::support::{gitflic_push, gitlab_push, project_file, wait_for};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Output, Stdio};

fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that has said no may not read its input to the end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn example(path: &str) -> String {
    format!("{}/mappings/{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn translate_prints_the_body_that_a_tool_would_get() {
    let (code, out, error) =
        run(&["translate", &example("gitlab-to-gitflic/examples/push.json"), "--to", "gitflic"], "");
    assert_eq!((code, error.as_str()), (0, ""));
    let golden: serde_json::Value =
        serde_json::from_str(&project_file("mappings/gitlab-to-gitflic/examples/push.gitflic.json")).unwrap();
    let mut made: serde_json::Value = serde_json::from_str(&out).unwrap();
    // The golden one was made with another instance, and UUIDs tell instances apart.
    for id in ["/project_id", "/project/project_id", "/push/author_id"] {
        *made.pointer_mut(id).unwrap() = golden.pointer(id).unwrap().clone();
    }
    assert_eq!(made, golden);
    assert_eq!(run(&["translate", "-", "--to", "gitlab"], &gitflic_push()).0, 0);
    assert_eq!(run(&["translate", "--to", "gitlab", "--from", "gitflic"], &gitflic_push()).0, 0);
}

#[test]
fn translate_prints_headers_an_empty_line_and_the_body() {
    let (_, out, _) = run(&["translate", "--to", "gitlab", "--headers"], &gitflic_push());
    let (head, body) = out.split_once("\n\n").unwrap();
    assert_eq!(
        head,
        "Content-Type: application/json\nX-Gitlab-Event: Push Hook\nX-Gitlab-Instance: https://git.example.org"
    );
    assert!(body.starts_with("{\"object_kind\":\"push\"") && body.ends_with("}\n"), "{body}");
}

#[test]
fn translate_is_told_the_event_where_the_body_does_not_say_it() {
    let body = r#"{"text": "made by a template", "after": "5b1c0f3e7d9a24860c1b3d5f7a9e2c4d6f8b0a13", "ref": "refs/tags/v1", "project": {"id": 7, "path_with_namespace": "a/b"}}"#;
    let (code, out, error) = run(&["translate", "--to", "gitflic", "--event", "Tag Push Hook"], body);
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("\"action\":\"TAG_CREATE\""), "{out}");
    let (code, out, _) = run(&["translate", "--to", "gitflic", "--event", "System Hook"], &gitlab_push());
    assert_eq!(code, 0);
    assert!(out.contains("\"action\":\"BRANCH_UPDATE\""), "{out}");
}

#[test]
fn translate_into_the_forge_that_sent_it_changes_no_byte() {
    let body = " {\"object_kind\" : \"deployment\"}";
    assert_eq!(run(&["translate", "--to", "gitlab"], body), (0, format!("{body}\n"), String::new()));
}

#[test]
fn translate_says_why_it_prints_nothing() {
    let (code, out, error) = run(&["translate", "--to", "gitflic"], r#"{"object_kind": "issue"}"#);
    assert_eq!((code, out.as_str()), (3, ""));
    assert_eq!(error, "hookglot: ignored: no mapping for the event `Issue Hook`\n");
    for (arguments, input, message) in [
        (vec!["translate", "--to", "gitlab"], "{\n\"a\": }", "standard input: line 2, column 6: expected a value"),
        (
            vec!["translate", "--to", "gitlab"],
            "",
            "standard input: line 1, column 1: the text ends where a value should stand",
        ),
        (vec!["translate", "--to", "gitlab"], "[]", "standard input: not a JSON object"),
        (
            vec!["translate", "--to", "gitlab"],
            "{}",
            "standard input: not a hook of gitflic or gitlab; --from says whose it is",
        ),
        (
            vec!["translate", "--to", "gitlba"],
            "{}",
            "--to: unknown forge `gitlba`: expected gitflic or gitlab, did you mean `gitlab`?",
        ),
        (
            vec!["translate", "/nowhere.json", "--to", "gitlab"],
            "",
            "/nowhere.json: No such file or directory (os error 2)",
        ),
    ] {
        let (code, out, error) = run(&arguments, input);
        assert_eq!((code, out.as_str(), error), (1, "", format!("hookglot: {message}\n")), "{arguments:?}");
    }
}

#[test]
fn check_finds_the_built_in_files_sound() {
    let (code, out, error) = run(&["check"], "");
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.starts_with("sound: forges gitflic and gitlab, "), "{out}");
}

#[test]
fn check_names_the_faults_of_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hookglot.toml");
    std::fs::write(&file, "lisen = 1\n[[route]]\npath = \"/\"\n").unwrap();
    let (code, _, error) = run(&["check", "--config", file.to_str().unwrap()], "");
    assert_eq!(code, 1);
    assert!(
        error.contains("lisen: unknown setting, did you mean `listen`?") && error.contains("route[0].secret: missing"),
        "{error}"
    );
}

#[test]
fn healthcheck_tells_ready_from_not_ready_and_from_nobody() {
    let tool = Receiver::content();
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "none"),
    ]);
    assert_eq!(run(&["healthcheck", "--admin-listen", &app.admin], "").0, 0);
    let unready = Receiver::scripted(|_| status(503, "Connection: close\r\n"));
    let address = unready.url.trim_start_matches("http://").trim_end_matches("/tool").to_owned();
    let (code, _, error) = run(&["healthcheck", "--admin-listen", &address], "");
    assert_eq!(code, 1);
    assert!(error.contains("HTTP/1.1 503"), "{error}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(run(&["healthcheck", "--admin-listen", &free], "").0, 1);
}

#[test]
fn echo_prints_what_arrives_but_no_secret() {
    let mut child = command(&["echo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.next().unwrap();
    let address = first.strip_prefix("echo listens on http://").unwrap();
    let secrets = [
        ("x-gitlab-token", "canary-1"),
        ("gitflic-webhook-secret", "canary-2"),
        ("authorization", "canary-3"),
        ("x-gitlab-event", "Push Hook"),
    ];
    assert_eq!(post(address, "/x?y=1", &secrets, b"{\"a\":[1]}").status, 200);
    let mut printed = String::new();
    wait_for("the whole request", || {
        printed.push_str(&lines.next()?);
        printed.push('\n');
        printed.ends_with("}\n").then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        printed.contains("--- arrived: POST /x?y=1\n") && printed.contains("X-Gitlab-Event: Push Hook\n"),
        "{printed}"
    );
    assert!(printed.contains("X-Gitlab-Token: [secret]\n") && !printed.contains("canary"), "{printed}");
    assert!(printed.ends_with("{\n  \"a\": [\n    1\n  ]\n}\n"), "{printed}");
}

#[test]
fn help_and_version_are_no_errors_and_nothing_at_all_is_one() {
    for arguments in [vec!["--help"], vec!["--version"], vec!["serve", "--help"], vec!["translate", "--help"]] {
        assert_eq!(run(&arguments, "").0, 0, "{arguments:?}");
    }
    assert_eq!(run(&[], "").0, 2);
    assert_eq!(run(&["serve", "--nonsense"], "").0, 2);
}
