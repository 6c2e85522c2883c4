use crate::support::app::{App, command};
use crate::support::gitflic_push;
use crate::support::receiver::Receiver;
use std::path::Path;

const WIKI: &str = r"mapping: 1
name: gitlab-to-gitflic/wiki
event: Wiki Page Hook
body:
  action: WIKI_UPDATE
  page: ${object_attributes.title!}
  by: ${user.username ?? 'unknown' | upper}
examples:
  - name: a page
    input: {object_kind: wiki_page, object_attributes: {title: Moorings}, user: {username: o.vetrova}}
    output: {action: WIKI_UPDATE, page: Moorings, by: O.VETROVA}
";

fn put(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

fn run(arguments: &[&str], folder: &Path, input: &str) -> (i32, String, String) {
    use std::io::Write;
    let mut all = arguments.to_vec();
    all.extend(["--mappings-dir", folder.to_str().unwrap()]);
    let mut child = command(&all)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap().replace(folder.to_str().unwrap(), "DIR");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), error)
}

#[test]
fn a_file_adds_an_event_that_had_no_mapping() {
    let (folder, tool) = (tempfile::tempdir().unwrap(), Receiver::content());
    put(folder.path(), "gitlab-to-gitflic/wiki.yaml", WIKI);
    let hook = r#"{"object_kind": "wiki_page", "project": {"id": 7}, "object_attributes": {"title": "Tides"}}"#;
    let (code, out, error) = run(&["translate", "--to", "gitflic"], folder.path(), hook);
    assert_eq!(
        (code, out.as_str(), error.as_str()),
        (0, "{\"action\":\"WIKI_UPDATE\",\"page\":\"Tides\",\"by\":\"UNKNOWN\"}\n", "")
    );
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitflic"),
        ("HOOKGLOT_SECRET", "none"),
        ("HOOKGLOT_MAPPINGS_DIR", folder.path().to_str().unwrap()),
    ]);
    app.post("/", &[], hook.as_bytes());
    assert_eq!(tool.wait_for(1)[0].json()["page"], "Tides");
}

#[test]
fn a_file_takes_the_place_of_the_built_in_one_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let text = "mapping: 1\nname: own\nuse: _shared.yaml\nevent: [BRANCH_CREATE, BRANCH_UPDATE, BRANCH_DELETE, PUSH]\n\
                headers: {X-Gitlab-Event: Push Hook}\nbody:\n  ref: ${push.ref}\n  id: ${pid}\nexamples:\n  - name: it\n    \
                input: examples/BRANCH_UPDATE.json\n    expect: {ref: refs/heads/main}\n";
    put(folder.path(), "gitflic-to-gitlab/push.yaml", text);
    let (code, out, error) = run(&["translate", "--to", "gitlab"], folder.path(), &gitflic_push());
    assert_eq!((code, out.as_str(), error.as_str()), (0, "{\"ref\":\"refs/heads/main\",\"id\":1590344338}\n", ""));
}

#[test]
fn check_says_what_a_folder_changes() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "gitlab-to-gitflic/wiki.yaml", WIKI);
    put(folder.path(), "gitlab-to-gitflic/tag.yaml", &WIKI.replace("Wiki Page Hook", "Tag Push Hook"));
    put(folder.path(), "typo/push.yaml", WIKI);
    let (code, out, error) = run(&["check"], folder.path(), "");
    assert_eq!(code, 0, "{error}");
    let out = out.replace(folder.path().to_str().unwrap(), "DIR");
    for line in [
        "DIR/gitlab-to-gitflic/tag.yaml replaces the built-in gitlab-to-gitflic/tag.yaml",
        "DIR/gitlab-to-gitflic/wiki.yaml is added as gitlab-to-gitflic/wiki.yaml",
        "DIR/typo/push.yaml is not used: files stand in folders such as gitflic-to-gitlab/",
    ] {
        assert!(out.lines().any(|own| own == line), "{line} is not in\n{out}");
    }
}

#[test]
fn a_mapping_cannot_take_the_place_of_a_destinations_secret_or_a_deliverys_key() {
    for header in ["X-Gitlab-Token", "X-Gitlab-Event-UUID"] {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "mapping: 1\nname: own\nevent: ISSUE_CREATE\nheaders: {{{header}: stolen}}\nbody: {{a: 1}}\nexamples:\n  - name: it\n    input: {{}}\n    output: {{a: 1}}\n"
        );
        put(folder.path(), "gitflic-to-gitlab/own.yaml", &text);
        let (code, _, error) = run(&["check"], folder.path(), "");
        let message =
            format!("the header {header} belongs to the destination or the delivery: a mapping cannot set it");
        assert_eq!((code, error), (1, format!("DIR/gitflic-to-gitlab/own.yaml:3:8: {message}\n")));
    }
}

#[test]
fn a_mapping_that_ignores_gives_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let text = "mapping: 1\nname: none\nevent: Wiki Page Hook\nignore: GitFlic has no wiki events\nexamples:\n  - name: it\n    input: {object_kind: wiki_page}\n    ignored: true\n";
    put(folder.path(), "gitlab-to-gitflic/wiki.yaml", text);
    let (code, out, error) = run(&["translate", "--to", "gitflic"], folder.path(), r#"{"object_kind": "wiki_page"}"#);
    assert_eq!((code, out.as_str(), error.as_str()), (3, "", "hookglot: ignored: GitFlic has no wiki events\n"));
}

#[test]
fn every_wrong_file_is_named_with_line_and_column_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "gitlab-to-gitflic/wiki.yaml", &WIKI.replace("| upper", "| uper").replace("event:", "evnet:"));
    put(
        folder.path(),
        "gitlab-to-gitflic/job.yaml",
        "mapping: 2\nname: job\nevent: Job Hook\nbody: {a: '${b'}\nexamples: []\n",
    );
    put(folder.path(), "gitlab-to-gitflic/.hidden.yaml", "this: is [ not read");
    let expected = "DIR/gitlab-to-gitflic/job.yaml:1:10: version 2 of the mapping language: this binary understands 1\n\
                    DIR/gitlab-to-gitflic/job.yaml:4:12: `${` without `}`: quote this value\n\
                    DIR/gitlab-to-gitflic/job.yaml:5:11: `examples` is a list of at least one example\n\
                    DIR/gitlab-to-gitflic/wiki.yaml:1:1: `event` is missing: the event, or the list of events, that this file is for\n\
                    DIR/gitlab-to-gitflic/wiki.yaml:3:1: unknown key `evnet`, did you mean `event`?\n\
                    DIR/gitlab-to-gitflic/wiki.yaml:7:38: unknown filter `uper`, did you mean `upper`?\n";
    for (command, code) in [("check", 1), ("serve", 78)] {
        let got = run(&[command], folder.path(), "");
        assert_eq!((got.0, got.2.as_str()), (code, expected), "{command}");
    }
}

#[test]
fn an_example_that_is_not_met_names_path_values_and_the_line_that_made_it() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "gitlab-to-gitflic/wiki.yaml", &WIKI.replace("page: Moorings,", "page: Tides,"));
    let (code, _, error) = run(&["check"], folder.path(), "");
    assert_eq!(code, 1);
    assert_eq!(
        error,
        "DIR/gitlab-to-gitflic/wiki.yaml:9:5: example \"a page\": page: expected \"Tides\", got \"Moorings\" (made by line 6)\n"
    );
}

#[test]
fn two_files_for_the_same_hook_are_refused_with_both_places() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "gitlab-to-gitflic/wiki.yaml", WIKI);
    put(folder.path(), "gitlab-to-gitflic/wiki-too.yaml", WIKI);
    let (code, _, error) = run(&["check"], folder.path(), "");
    assert_eq!(code, 1);
    assert_eq!(
        error,
        "DIR/gitlab-to-gitflic/wiki.yaml:3:8: matches the same event as DIR/gitlab-to-gitflic/wiki-too.yaml:3:8\n"
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = run(&["serve"], &folder.path().join("nowhere"), "");
    assert_eq!((code, error.as_str()), (78, "hookglot: --mappings-dir: DIR: No such file or directory (os error 2)\n"));
}
