use crate::support::app::{App, command};
use crate::support::gitflic_push;
use crate::support::receiver::Receiver;
use std::path::Path;
use std::process::Output;

/// What `serve` says of a configuration that it cannot use.
fn refused(folder: &Path, config: &str, variables: &[(&str, &str)]) -> (Option<i32>, Vec<String>) {
    let file = folder.join("hookglot.toml");
    std::fs::write(&file, config).unwrap();
    let Output { status, stdout, stderr } =
        command(&["serve", "--config", file.to_str().unwrap()]).envs(variables.iter().copied()).output().unwrap();
    assert!(stdout.is_empty());
    let text = String::from_utf8(stderr).unwrap().replace(file.to_str().unwrap(), "hookglot.toml");
    (status.code(), text.lines().map(str::to_owned).collect())
}

#[test]
fn every_fault_is_found_at_once_and_named_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let config = r#"
lisen = "127.0.0.1:1"
admin_listen = "nowhere"
grace = "soon"
store = "floppy"
log_level = "bananas"
[limits]
body = "25 parsecs"
[[route]]
path = "hooks"
accept = ["github"]
secret = "whsec_c2VjcmV0LWNhbmFyeS1vbmU="
[[route.to]]
name = "jenkins"
url = "ftp://tool/"
format = "gitlap"
token = "canary-two"
token_file = "/nowhere"
[[route.to]]
url = "http://tool/"
fromat = "gitlab"
timeout = "-1s"
events = []
ca_file = "/nowhere.pem"
[[route]]
path = "/a"
secret_file = "/nowhere/secret"
[[route]]
path = "/a"
[[route.to]]
name = "jenkins"
"#;
    let (code, lines) = refused(folder.path(), config, &[]);
    assert_eq!(code, Some(78), "{lines:#?}");
    for expected in [
        "hookglot: hookglot.toml: lisen: unknown setting, did you mean `listen`?",
        "hookglot: hookglot.toml: admin_listen: expected an address and a port such as 127.0.0.1:8080, got `nowhere`",
        "hookglot: hookglot.toml: grace: expected a time such as 500ms, 10s, 5m or 2h, got `soon`",
        "hookglot: hookglot.toml: store: expected `memory`, got `floppy`",
        "hookglot: hookglot.toml: log_level: expected error, warn, info, debug, trace, off, or a list such as info,hyper=debug, got `bananas`",
        "hookglot: hookglot.toml: route[0].to[1].events: an empty list: the destination would never get anything",
        "hookglot: hookglot.toml: route[0].to[1].ca_file: /nowhere.pem: No such file or directory (os error 2)",
        "hookglot: hookglot.toml: limits.body: expected a size such as 512KiB, 25MiB or 1GiB, got `25 parsecs`",
        "hookglot: hookglot.toml: route[0].path: a path begins with `/` and has no `?` or `#`",
        "hookglot: hookglot.toml: route[0].accept: unknown forge `github`: expected gitflic or gitlab",
        "hookglot: hookglot.toml: route[0].secret: a signing key (whsec_…) cannot be checked yet: give the secret token, or `none`",
        "hookglot: hookglot.toml: route[0].to[0].url: expected an http:// or https:// URL, got ftp:",
        "hookglot: hookglot.toml: route[0].to[0].format: unknown format `gitlap`: expected gitflic, gitlab or other",
        "hookglot: hookglot.toml: route[0].to[0].token: both `token` and `token_file` are set: use one",
        "hookglot: hookglot.toml: route[0].to[1].name: missing: the name that identifies the destination for ever, `jenkins` for one",
        "hookglot: hookglot.toml: route[0].to[1].fromat: unknown setting, did you mean `format`?",
        "hookglot: hookglot.toml: route[0].to[1].timeout: expected a time such as 500ms, 10s, 5m or 2h, got `-1s`",
        "hookglot: hookglot.toml: route[1].secret_file: /nowhere/secret: No such file or directory (os error 2)",
        "hookglot: hookglot.toml: route[1].to: missing: a [[route.to]] says where the hooks of this route go",
        "hookglot: hookglot.toml: route[2].path: `/a` is the path of another route",
        "hookglot: hookglot.toml: route[2].to[0].name: `jenkins` is the name of another destination",
        "hookglot: hookglot.toml: route[2].to[0].url: missing: where the destination is",
        "hookglot: hookglot.toml: route[2].secret: missing: the secret that the forge sends with its hooks; `none` lets everybody in",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}\nis not among\n{}", lines.join("\n"));
    }
    let all = lines.join("\n");
    assert!(!all.contains("canary") && !all.contains("c2VjcmV0"), "a secret shows:\n{all}");
}

#[test]
fn a_fault_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (_, lines) = refused(
        folder.path(),
        "[[route]]\npath = \"/\"\nsecret = 918273645\n[[route.to]]\nname = \"a\"\nurl = \"http://tool/\"\nformat = \"gitlab\"\n",
        &[],
    );
    assert_eq!(lines, ["hookglot: hookglot.toml: route[0].secret: expected a text, got a number: put it in quotes"]);
    let (_, lines) = refused(folder.path(), "[[route]]\nsecret = \"canary-four\n", &[]);
    let all = lines.join("\n");
    assert!(all.contains("line 2") && !all.contains("canary"), "{all}");
}

#[test]
fn names_and_paths_are_unique() {
    let folder = tempfile::tempdir().unwrap();
    let route = "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"jenkins\"\nurl = \"http://tool/\"\nformat = \"gitlab\"\n";
    let (code, lines) = refused(folder.path(), &route.repeat(2), &[]);
    assert_eq!(code, Some(78));
    assert!(
        lines.contains(&"hookglot: hookglot.toml: route[1].path: `/` is the path of another route".to_owned()),
        "{lines:#?}"
    );
    assert!(
        lines.contains(
            &"hookglot: hookglot.toml: route[1].to[0].name: `jenkins` is the name of another destination".to_owned()
        ),
        "{lines:#?}"
    );
}

#[test]
fn toml_that_is_none_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (code, lines) = refused(folder.path(), "listen = \"127.0.0.1:0\"\n[[route]\n", &[]);
    assert_eq!(code, Some(78));
    let all = lines.join("\n");
    assert!(all.contains("hookglot.toml") && all.contains("line 2"), "{all}");
}

#[test]
fn routes_in_a_file_and_a_sidecar_in_the_environment_exclude_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let route = "[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"jenkins\"\nurl = \"http://tool/\"\nformat = \"gitlab\"\n";
    let (code, lines) = refused(folder.path(), route, &[("HOOKGLOT_TO", "http://tool/")]);
    assert_eq!(code, Some(78));
    assert!(lines[0].contains("HOOKGLOT_TO") && lines[0].contains("use one or the other"), "{lines:#?}");
    let (code, lines) = refused(folder.path(), "to = \"http://tool/\"\n", &[]);
    assert_eq!(code, Some(78));
    assert!(lines[0].contains("hookglot.toml: to: a setting of the environment"), "{lines:#?}");
    let (code, lines) = refused(folder.path(), "listen = \"127.0.0.1:0\"\n", &[]);
    assert_eq!(code, Some(78));
    assert!(lines[0].contains("hookglot.toml: route: missing"), "{lines:#?}");
}

#[test]
fn faults_of_the_environment_are_named_by_their_variable() {
    let output = command(&["serve"])
        .envs([
            ("HOOKGLOT_TO", "tool"),
            ("HOOKGLOT_LIMITS__BDOY", "1"),
            ("HOOKGLOT_SECERT", "canary-three"),
            ("HOOKGLOT_GRACE", "x"),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{text}");
    for expected in [
        "HOOKGLOT_TO: not a URL: relative URL without a base",
        "HOOKGLOT_FORMAT: missing: the format that the tool reads: gitflic, gitlab or other",
        "HOOKGLOT_SECRET: missing:",
        "HOOKGLOT_LIMITS__BDOY: unknown setting, did you mean `body`?",
        "HOOKGLOT_SECERT: unknown setting",
        "HOOKGLOT_GRACE: expected a time",
    ] {
        assert!(text.contains(expected), "{expected}\nis not in\n{text}");
    }
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn the_environment_goes_over_the_file_and_flags_over_both() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let file = folder.path().join("hookglot.toml");
    let config = format!(
        "listen = \"192.0.2.1:1\"\n[limits]\nbody = \"1MiB\"\nread_timeout = \"7s\"\n\
         [[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"jenkins\"\nurl = \"{}\"\nformat = \"gitlab\"\n",
        tool.url
    );
    std::fs::write(&file, config).unwrap();
    let mut serve = command(&["serve"]);
    serve.env("HOOKGLOT_CONFIG", &file).env("HOOKGLOT_LIMITS__BODY", "100").env("HOOKGLOT_LISTEN", "192.0.2.2:2");
    // The harness gives --listen, without which neither address could be bound.
    let app = App::start(serve);
    let answer = app.post("/", &[], gitflic_push().as_bytes());
    assert_eq!(answer.json()["error"], "the body is larger than 100 bytes");
}

#[test]
fn variables_that_kubernetes_makes_for_a_service_of_our_name_are_not_ours() {
    let tool = Receiver::content();
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "none"),
        ("HOOKGLOT_PORT", "tcp://10.0.0.7:8080"),
        ("HOOKGLOT_SERVICE_HOST", "10.0.0.7"),
        ("HOOKGLOT_SERVICE_PORT", "8080"),
        ("HOOKGLOT_SERVICE_PORT_HTTP", "8080"),
        ("HOOKGLOT_PORT_8080_TCP", "tcp://10.0.0.7:8080"),
        ("HOOKGLOT_PORT_8080_TCP_ADDR", "10.0.0.7"),
    ]);
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
}
