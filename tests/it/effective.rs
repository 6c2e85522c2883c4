//! `config`: the configuration in force, and where each setting of it comes from; and every secret from a file.

use crate::config::ConfigFile;
use crate::support::app::{App, command};
use crate::support::gitflic_push;
use crate::support::process::{Ended, ended, run};
use crate::support::receiver::Receiver;
use serde_json::Value;

/// What stands for secrets; it must never come out.
const MARK: &str = "brass-lantern-77";

fn config(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut config = command(&[&["config"], arguments].concat());
    config.envs(variables.iter().copied());
    ended(config)
}

/// A setting of what `--json` prints: its value, and who says so.
fn setting<'v>(printed: &'v Value, path: &str) -> (&'v Value, &'v str, &'v Value) {
    let of = |item: &&Value| item["setting"] == path;
    let own = printed.as_array().unwrap().iter().find(of).unwrap_or_else(|| panic!("{path}: {printed}"));
    (&own["value"], own["from"].as_str().unwrap(), &own["place"])
}

const TEXT: &str = r#"
grace = "7s"
limits = {connections = 50}
[retention]
age = "2d"
[[admin.token]]
name = "on-call"
token = "brass-lantern-77"
[[alert]]
name = "chat"
url = "https://chat.example.org/hooks/brass-lantern-77"
authorization = "xbrass-lantern-77"
[[route]]
path = "/a"
secrets = ["brass-lantern-77", "xbrass-lantern-77"]
[[route]]
path = "/b"
secret = "none"
[[route.to]]
name = "quay"
url = "http://olga:brass-lantern-77@tool.example.org/x?key=brass-lantern-77"
format = "gitlab"
token = "brass-lantern-77"
proxy = "http://olga:brass-lantern-77@proxy:3128"
signing_key = "whsec_YnJhc3MtbGFudGVybi03Ny1icmFzcy1sYW50ZXJuLTc3"
retries = ["5s"]
branch_filter = {wildcard = "release/*"}
headers = {X-Team = "brass-lantern-77"}
[route.to.settings]
default_branch = "trunk"
own = {depth = 2}
"#;

fn text() -> String {
    // A list of secrets in place of what has none of them.
    TEXT.replace(
        "[[route]]\npath = \"/b\"",
        "[[route.to]]\nname = \"pier\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"other\"\n[[route]]\npath = \"/b\"",
    )
}

#[test]
fn each_setting_is_told_with_who_says_it() {
    let file = ConfigFile::new(&text());
    let flags = ["--config", file.shown(), "--listen", "127.0.0.1:7000", "--json"];
    let printed = config(&flags, &[("HOOKGLOT_LIMITS__BODY", "1MiB"), ("HOOKGLOT_GRACE", "9s")]).json();
    let expect = |path: &str, value: Value, from: &str, place: Value| {
        assert_eq!(setting(&printed, path), (&value, from, &place), "{path}");
    };
    let in_file = || Value::from(file.shown());
    expect("listen", "127.0.0.1:7000".into(), "flag", "--listen".into());
    expect("grace", "9s".into(), "environment", "HOOKGLOT_GRACE".into());
    expect("limits.body", "1MiB".into(), "environment", "HOOKGLOT_LIMITS__BODY".into());
    expect("limits.connections", 50.into(), "file", in_file());
    expect("retention.age", "2d".into(), "file", in_file());
    expect("retention.states", "365d".into(), "default", Value::Null);
    expect("alert[0].format", "json".into(), "default", Value::Null);
    expect("alert[0].url", "https://chat.example.org".into(), "file", in_file());
    expect("route[0].to[0].name", "pier".into(), "file", in_file());
    expect("route[0].to[0].timeout", "10s".into(), "default", Value::Null);
    expect("route[1].secret", "none".into(), "file", in_file());
    expect("route[1].to[0].url", "http://tool.example.org/x?hidden".into(), "file", in_file());
    expect("route[1].to[0].headers.X-Team", "hidden".into(), "file", in_file());
    expect("route[1].to[0].settings.default_branch", "trunk".into(), "file", in_file());
    expect("route[1].to[0].settings.own", serde_json::json!({"depth": 2}), "file", in_file());
}

#[test]
fn no_secret_comes_out() {
    let file = ConfigFile::new(&text());
    for flags in [&["--config", file.shown()][..], &["--config", file.shown(), "--json"]] {
        let printed = config(flags, &[("HOOKGLOT_ADMIN_TOKEN", "brass-lantern-77")]);
        assert_eq!(printed.code, Some(0), "{printed:?}");
        for secret in [MARK, "YnJhc3M", "olga"] {
            assert!(!printed.out.contains(secret), "{secret}: {}", printed.out);
        }
        assert!(printed.out.contains("hidden"), "{}", printed.out);
    }
}

#[test]
fn what_is_printed_is_a_configuration_with_the_same_in_force() {
    let plain = text().replace("brass-lantern-77@", "x@").replace("?key=brass-lantern-77", "");
    let plain: String =
        plain.lines().filter(|line| !line.contains(MARK) && !line.contains("whsec_")).collect::<Vec<_>>().join("\n");
    let plain = plain
        .replace("[[admin.token]]\nname = \"on-call\"\n", "")
        .replace("[[alert]]\nname = \"chat\"\n", "")
        .replace("path = \"/a\"\n", "path = \"/a\"\nsecret = \"none\"\n");
    let (first, again) = (ConfigFile::new(&plain), ConfigFile::new(""));
    let printed = config(&["--config", first.shown()], &[]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""), "{plain}");
    assert!(printed.out.contains("\nconcurrency = 8  # default\n"), "{}", printed.out);
    std::fs::write(&again.path, &printed.out).unwrap();
    let reprinted = config(&["--config", again.shown()], &[]);
    let values =
        |text: &str| text.lines().map(|line| line.split("  # ").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(values(&printed.out), values(&reprinted.out), "{reprinted:?}");
}

#[test]
fn a_sidecar_is_printed_as_the_route_that_it_is_and_the_demonstration_as_none() {
    let sidecar =
        [("HOOKGLOT_TO", "http://u:brass-lantern-77@tool/x"), ("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SECRET", MARK)];
    let printed = config(&[], &sidecar).out;
    for line in [
        "[[route]]",
        "path = \"/\"  # default",
        "secret = \"hidden\"  # environment HOOKGLOT_SECRET",
        "url = \"http://tool/x\"  # environment HOOKGLOT_TO",
        "format = \"gitlab\"  # environment HOOKGLOT_FORMAT",
    ] {
        assert!(printed.lines().any(|own| own == line), "{line}: {printed}");
    }
    let demonstration = config(&[], &[]).out;
    assert!(demonstration.contains("# There is no route") && !demonstration.contains("[[route]]"), "{demonstration}");
}

#[test]
fn a_wrong_configuration_is_told_as_check_tells_it() {
    let wrong = ConfigFile::new("grace = \"soon\"\n");
    assert!(run(&["config", "--config", wrong.shown()]).says(1).contains("grace: expected a time"));
    assert!(run(&["config", "--config", "no-such-harbour.toml"]).says(2).contains("no-such-harbour.toml"));
}

/// Every secret of the environment and of a file, from files alone.
#[test]
fn every_secret_can_stand_in_a_file() {
    let tool = Receiver::content();
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, format!("{text}\n")).unwrap();
        file.display().to_string()
    };
    let key = "whsec_YnJhc3MtbGFudGVybi03Ny1icmFzcy1sYW50ZXJuLTc3";
    let with_login = tool.url.replacen("http://", "http://olga:brass@", 1);
    let (url, secret, token) = (put("url", &with_login), put("secret", "copper"), put("token", "tin"));
    let admin = put("admin", "0123456789abcdefghij");
    let app = App::with_environment(&[
        ("HOOKGLOT_TO_FILE", &url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET_FILE", &secret),
        ("HOOKGLOT_TOKEN_FILE", &token),
        ("HOOKGLOT_ADMIN_TOKEN_FILE", &admin),
    ]);
    let answer = app.post("/", &[("Gitflic-Webhook-Secret", "copper")], gitflic_push().as_bytes());
    assert_eq!(answer.json()["status"], "stored");
    let got = tool.wait_for(1).remove(0);
    assert_eq!(got.header("X-Gitlab-Token"), Some("tin"));
    assert!(got.header("Authorization").is_some_and(|value| value.starts_with("Basic ")), "{got:?}");
    let routes = |token: &str| {
        let mut routes = command(&["routes", "--url", &format!("http://{}", app.admin)]);
        routes.env("HOOKGLOT_ADMIN_TOKEN_FILE", token);
        ended(routes)
    };
    assert_eq!(routes(&admin).code, Some(0));

    let signing = put("signing", key);
    let sidecar =
        [("HOOKGLOT_TO_FILE", url.as_str()), ("HOOKGLOT_FORMAT", "gitlab"), ("HOOKGLOT_SIGNING_KEY_FILE", &signing)];
    assert_eq!(config(&[], &sidecar).code, Some(0));
    let proxy = put("proxy", "http://olga:brass@127.0.0.1:9");
    let text = format!(
        "admin_token_file = {admin:?}\n[[admin.token]]\nname = \"x\"\ntoken_file = {admin:?}\n\
         [[alert]]\nname = \"chat\"\nurl_file = {url:?}\nproxy_file = {proxy:?}\n[[alert]]\nname = \"other\"\nurl = \"http://127.0.0.1:9/\"\n\
         authorization_file = {token:?}\n[[route]]\npath = \"/\"\naccept = [\"gitlab\"]\nsecret_file = {secret:?}\nsigning_key_file = {signing:?}\n\
         [[route.to]]\nname = \"one\"\nurl_file = {url:?}\nformat = \"gitlab\"\ntoken_file = {token:?}\nsigning_key_file = {signing:?}\nproxy_file = {proxy:?}\n\
         [[route.to]]\nname = \"two\"\nurl = \"http://127.0.0.1:9/\"\nformat = \"gitlab\"\nauthorization_file = {token:?}\n\
         headers = {{X-Key = {{file = {token:?}}}}}\n"
    );
    let file = ConfigFile::new(&text);
    assert_eq!(
        run(&["check", "--config", file.shown()]).code,
        Some(0),
        "{:?}",
        run(&["check", "--config", file.shown()])
    );
    let both = ConfigFile::new(&text.replace(
        "name = \"one\"\n",
        "name = \"one\"\nurl = \"http://127.0.0.1:9/\"\nproxy = \"http://127.0.0.1:9\"\n",
    ));
    let said = both.faults(&[], &[]);
    assert!(said.iter().any(|line| line.contains("both `url` and `url_file`")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("both `proxy` and `proxy_file`")), "{said:?}");
}
