//! `deliveries` and `routes` before a running hookglot.

use crate::support::app::{App, command};
use crate::support::process::{Ended, ended};
use crate::support::receiver::{Receiver, status};
use crate::support::script::TOKEN;
use crate::support::{gitflic_push, wait_for};
use serde_json::Value;
use std::process::{Command, Stdio};

/// A hookglot with a destination that is content and one that says 410.
struct Harbour {
    app: App,
    content: Receiver,
    _gone: Receiver,
    _folder: tempfile::TempDir,
}

fn harbour() -> Harbour {
    let (content, gone) = (Receiver::content(), Receiver::scripted(|_| status(410, "X-Berth: none\r\n")));
    let folder = tempfile::tempdir().unwrap();
    let to = |name: &str, url: &str| {
        format!("[[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\nformat = \"gitlab\"\ntoken = \"ebb-and-flow\"\n")
    };
    let route = "[[route]]\npath = \"/\"\nsecret = \"none\"\n";
    let config = format!("admin_token = \"{TOKEN}\"\n{route}{}{}", to("quay", &content.url), to("pier", &gone.url));
    let app = App::with_config(folder.path(), &config);
    Harbour { app, content, _gone: gone, _folder: folder }
}

impl Harbour {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut own = command(arguments);
        own.env("HOOKGLOT_ADMIN_URL", format!("http://{}", self.app.admin)).env("HOOKGLOT_ADMIN_TOKEN", TOKEN);
        own
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments))
    }

    /// What a command prints, a JSON object a line.
    fn items(&self, arguments: &[&str]) -> Vec<Value> {
        let ended = self.run(arguments);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Sends a hook and waits until both destinations have said what they say.
    fn send(&self, body: &str) {
        let before = self.items(&["deliveries", "list", "--all", "--json"]).len();
        assert_eq!(self.app.post("/", &[], body.as_bytes()).json()["status"], "stored");
        wait_for("the end of both deliveries", || {
            let items = self.items(&["deliveries", "list", "--all", "--json"]);
            let is_over = items.len() == before + 2 && items.iter().all(|item| item["state"] != "pending");
            is_over.then_some(())
        });
    }

    fn id_at(&self, destination: &str) -> String {
        let items = self.items(&["deliveries", "list", "--json", "--destination", destination]);
        items[0]["id"].as_str().unwrap().to_owned()
    }
}

/// The same push with a text in its first commit message.
fn push_saying(text: &str) -> String {
    let mut push: Value = serde_json::from_str(&gitflic_push()).unwrap();
    push["said"] = text.into();
    push.to_string()
}

#[test]
fn a_list_is_a_table_for_people_and_json_for_scripts() {
    let harbour = harbour();
    harbour.send(&gitflic_push());
    let table = harbour.run(&["deliveries", "list"]);
    assert_eq!((table.code, table.err.as_str()), (Some(0), ""), "{table:?}");
    let lines: Vec<&str> = table.out.lines().collect();
    assert!(lines[0].starts_with("TIME ") && lines.len() == 3, "{table:?}");
    let (failed, delivered) = (harbour.id_at("pier"), harbour.id_at("quay"));
    let line = |id: &str| *lines.iter().find(|line| line.contains(id)).unwrap();
    assert!(line(&failed).contains("BRANCH_UPDATE  pier") && line(&failed).contains("  failed     1  "), "{table:?}");
    assert!(line(&failed).contains("410") && line(&delivered).ends_with("  delivered  1         200"), "{table:?}");
    assert!(!table.out.contains('\u{1b}'), "colours are for terminals: {table:?}");

    let only = |arguments: &[&str]| -> Vec<Value> {
        let mut all = vec!["deliveries", "list", "--json"];
        all.extend(arguments);
        harbour.items(&all)
    };
    assert_eq!(only(&["--state", "failed"])[0]["id"], *failed);
    assert_eq!(only(&["--limit", "1"]).len(), 1);
    for (filter, count) in [
        (&["--since", "1h", "--event", "BRANCH_UPDATE", "--forge", "gitflic", "--route", "/"][..], 2),
        (&["--until", "1h"], 0),
        (&["--not-resent"], 2),
        (&["--resent"], 0),
        (&["--text", "no such text & more"], 0),
    ] {
        assert_eq!(only(filter).len(), count, "{filter:?}");
    }
    let none = harbour.run(&["deliveries", "list", "--until", "1h"]);
    assert_eq!((none.code, none.out.as_str(), none.err.as_str()), (Some(0), "", "hookglot: no delivery fits\n"));
    let counted = harbour.run(&["deliveries", "list", "--count"]);
    assert_eq!(counted.out, "pending    0\ndelivered  1\nignored    0\nfailed     1\n");
    assert_eq!(harbour.run(&["deliveries", "list", "--count", "--json"]).json()["failed"], 1);
    for wrong in [&["--state", "sunk"][..], &["--since", "yesterday"], &["--limit", "0"], &["--resent", "--not-resent"]]
    {
        let mut all = vec!["deliveries", "list"];
        all.extend(wrong);
        assert_eq!(harbour.run(&all).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn hooks_that_nobody_gets_are_listed_and_shown() {
    let harbour = harbour();
    let answer = harbour.app.post("/", &[], br#"{"tide": "high"}"#).json();
    let id = answer["delivery"].as_str().unwrap();
    let list = harbour.run(&["deliveries", "list", "--hooks"]);
    assert!(list.out.contains(id) && list.out.contains("ignored: "), "{list:?}");
    let shown = harbour.run(&["deliveries", "show", id]);
    assert!(
        shown.out.starts_with(&format!("hook {id}\n")) && shown.out.contains("\n  \"tide\": \"high\"\n"),
        "{shown:?}"
    );
    assert_eq!(harbour.run(&["deliveries", "show", id, "--json"]).json()["id"], *id);
}

#[test]
fn a_list_of_hooks_says_in_sum_what_became_of_each() {
    let content = Receiver::content();
    let gone = Receiver::scripted(|before| status(if before == 0 { 410 } else { 200 }, ""));
    let to = |name: &str, url: &str, more: &str| {
        format!("[[route.to]]\nname = \"{name}\"\nurl = \"{url}\"\nformat = \"gitlab\"\n{more}")
    };
    let side = "branch_filter = {wildcard = \"side\"}\n";
    let config = format!(
        "admin_token = \"{TOKEN}\"\n[[route]]\npath = \"/\"\nsecret = \"none\"\n{}{}{}[[route]]\npath = \"/side\"\n\
         secret = \"none\"\n{}",
        to("quay", &content.url, ""),
        to("dock", &content.url, ""),
        to("pier", &gone.url, ""),
        to("mole", &content.url, side),
    );
    let folder = tempfile::tempdir().unwrap();
    let app = App::with_config(folder.path(), &config);
    let harbour = Harbour { app, content, _gone: gone, _folder: folder };
    for path in ["/", "/side"] {
        assert_eq!(harbour.app.post(path, &[], gitflic_push().as_bytes()).status, 200);
    }
    let ends = |path: &str, sum: &str| {
        wait_for(sum, || {
            let list = harbour.run(&["deliveries", "list", "--hooks", "--route", path]);
            assert_eq!((list.code, list.err.as_str()), (Some(0), ""), "{list:?}");
            list.out.lines().nth(1).filter(|line| line.ends_with(sum)).map(|_| ())
        });
    };
    ends("/", "  delivered 2, failed 1");
    let reason = "the destination mole does not want `main`: its branch_filter is wildcard `side`";
    ends("/side", &format!("  ignored by all: {reason}"));
    let items = harbour.items(&["deliveries", "list", "--hooks", "--route", "/side", "--json"]);
    let outcomes = serde_json::json!(
        {"pending": 0, "delivered": 0, "ignored": 1, "failed": 0, "ignored_because": [reason]}
    );
    assert_eq!(items[0]["outcomes"], outcomes);
    // What is sent again counts once, as it was sent last.
    assert_eq!(harbour.run(&["deliveries", "resend", &harbour.id_at("pier")]).code, Some(0));
    ends("/", "  delivered 3");
}

#[test]
fn a_delivery_is_shown_whole() {
    let harbour = harbour();
    harbour.send(&gitflic_push());
    let id = harbour.id_at("pier");
    let shown = harbour.run(&["deliveries", "show", &id]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.starts_with(&format!("delivery {id} to pier: failed: ")), "{shown:?}");
    for part in [
        "\n  event       BRANCH_UPDATE of gitflic\n",
        "\n  mapping     ",
        "\nthe hook as it came\n{\n",
        "\nthe body as sent\n{\n  \"object_kind\": \"push\",",
        "\nattempt 1 at ",
        "\n  > X-Gitlab-Token: [hidden]\n",
        "\n  < X-Berth: none\n",
    ] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    assert!(!shown.out.contains("ebb-and-flow"), "{shown:?}");
    let json = harbour.run(&["deliveries", "show", &id, "--json"]).json();
    assert_eq!(json["attempt_list"][0]["status"], 410);
    let missing = "01a2015f-6432-723a-8634-86c1c376a35d";
    for id in [missing, "harbour", "../hooks"] {
        let none = harbour.run(&["deliveries", "show", id]);
        assert!(none.says(1).contains("neither a delivery nor a hook"), "{none:?}");
    }
}

#[test]
fn a_delivery_as_curl_sends_the_same_bytes_and_asks_for_the_secret() {
    let harbour = harbour();
    harbour.send(&push_saying("it's $HOME `id`\n\u{9b}2J \u{202e}\\"));
    let id = harbour.id_at("quay");
    let curl = harbour.run(&["deliveries", "show", &id, "--as-curl"]);
    assert_eq!((curl.code, curl.err.as_str()), (Some(0), "hookglot: set TOKEN to the secret in `X-Gitlab-Token`\n"));
    assert!(!curl.out.contains("ebb-and-flow") && !curl.out.contains(['\u{9b}', '\u{202e}']), "{curl:?}");
    let done = Command::new("sh")
        .args(["-c", &curl.out])
        .env("TOKEN", "ebb-and-flow")
        .stdin(Stdio::null())
        .output()
        .expect("curl: scripts/test.sh installs it");
    assert!(done.status.success(), "{done:?}");
    let got = harbour.content.wait_for(2);
    assert_eq!(got[0].body, got[1].body);
    for name in ["X-Gitlab-Token", "X-Gitlab-Event", "Content-Type", "Idempotency-Key", "User-Agent"] {
        assert_eq!(got[0].header(name), got[1].header(name), "{name}: {got:?}");
    }
    assert_eq!(got[1].header("X-Gitlab-Token"), Some("ebb-and-flow"));
}

#[test]
fn nothing_that_a_hook_holds_reaches_the_terminal_as_a_command() {
    let harbour = harbour();
    let evil = "\u{9b}2J\u{1b}]0;harbour\u{7}\u{202e}\r\u{7f}";
    harbour.send(&push_saying(evil));
    let answer = harbour.app.post("/", &[("X-Tide", "low\u{9b}2J")], push_saying(evil).as_bytes());
    assert_eq!(answer.status, 200);
    let hook = answer.json()["delivery"].as_str().unwrap().to_owned();
    for arguments in [
        &["deliveries", "list"][..],
        &["deliveries", "list", "--json"],
        &["deliveries", "list", "--hooks"],
        &["deliveries", "show", &harbour.id_at("quay")],
        &["deliveries", "show", &harbour.id_at("quay"), "--json"],
        &["deliveries", "show", &harbour.id_at("quay"), "--as-curl"],
        &["deliveries", "show", &hook],
        &["deliveries", "show", "\u{1b}[2J"],
    ] {
        let ended = harbour.run(arguments);
        let text = format!("{}{}", ended.out, ended.err);
        let harmful =
            text.chars().find(|own| own.is_control() && *own != '\n' || ('\u{202a}'..='\u{202e}').contains(own));
        assert_eq!(harmful, None, "{arguments:?}: {text:?}");
    }
    // As JSON it is the same text still.
    let shown = harbour.run(&["deliveries", "show", &hook, "--json"]).json();
    assert_eq!(shown["body"]["text"], push_saying(evil));
}

#[test]
fn what_keeps_the_api_from_answering_is_said() {
    let harbour = harbour();
    let admin = format!("http://{}", harbour.app.admin);
    let says = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut list = command(&["deliveries", "list"]);
        list.args(arguments).envs(variables.iter().copied());
        let ended = ended(list);
        assert!(!ended.err.contains(TOKEN), "{ended:?}");
        ended.says(1).to_owned()
    };
    let place = ("HOOKGLOT_ADMIN_URL", admin.as_str());
    assert!(says(&[place], &[]).contains("it wants a token: set HOOKGLOT_ADMIN_TOKEN"));
    let wrong = says(&[place, ("HOOKGLOT_ADMIN_TOKEN", "another-token-of-nobody")], &[]);
    assert!(wrong.contains("none that its configuration has") && !wrong.contains("of-nobody"), "{wrong}");
    let hooks = format!("http://{}", harbour.app.address);
    assert!(says(&[("HOOKGLOT_ADMIN_TOKEN", TOKEN)], &["--url", &hooks]).contains("no route has the path /api/v1"));
    let login = says(&[], &["--url", "http://me:pa55word@127.0.0.1:1/"]);
    assert!(login.contains("--url: no login") && !login.contains("pa55word"), "{login}");
    let nobody = says(&[("HOOKGLOT_ADMIN_LISTEN", "0.0.0.0:1"), ("HOOKGLOT_ADMIN_TOKEN", TOKEN)], &[]);
    assert!(
        nobody.contains("http://127.0.0.1:1/: no connection") && nobody.contains("is hookglot running"),
        "{nobody}"
    );
    assert!(says(&[place, ("HOOKGLOT_ADMIN_TOKEN_FILE", "/no/such/file")], &[]).contains("/no/such/file: "));

    let closed = App::with_environment(&[]);
    let place = format!("http://{}", closed.admin);
    assert!(says(&[("HOOKGLOT_ADMIN_TOKEN", TOKEN)], &["--url", &place]).contains("the admin API is closed"));
}

#[test]
fn the_token_may_stand_in_a_file_and_no_proxy_sees_it() {
    let (harbour, proxy) = (harbour(), Receiver::content());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{TOKEN}\n")).unwrap();
    let mut list = command(&["deliveries", "list", "--url", &format!("http://{}", harbour.app.admin)]);
    list.env("HOOKGLOT_ADMIN_TOKEN_FILE", file.path()).env("HTTP_PROXY", &proxy.url).env("http_proxy", &proxy.url);
    let done = ended(list);
    assert_eq!((done.code, done.err.as_str()), (Some(0), "hookglot: no delivery fits\n"));
    assert!(proxy.got().is_empty());
}

#[test]
fn a_server_may_have_the_address_of_its_own_api_in_its_environment() {
    let app = App::with_environment(&[("HOOKGLOT_ADMIN_URL", "http://127.0.0.1:9090")]);
    assert_eq!(app.get_admin("/live").status, 200);
}
