use crate::config::{ConfigFile, MARK, ROUTE, faults_of_environment};
use crate::support::app::{App, command};
use crate::support::{gitflic_push, wait_for};
use hookglot::config::{Flags, load};
use std::collections::HashMap;

#[test]
fn no_fault_of_a_file_shows_a_secret() {
    let route = |secret: &str, to: &str| {
        format!(
            "[[route]]\npath = \"/\"\n{secret}\n[[route.to]]\nname = \"jenkins\"\nformat = \"gitlab\"\n\
             url = \"http://127.0.0.1:9/\"\n{to}\n"
        )
    };
    let good = format!("secret = \"{MARK}\"");
    let secrets = [
        // Beside a fault of something else.
        format!("secret = \"{MARK}\"\nsecrt = 7"),
        format!("secret = \"whsec_{MARK}\""),
        format!("secrets = [\"{MARK}\", \"none\"]"),
        format!("secrets = [\"{MARK}\", \"whsec_{MARK}\"]"),
        // What somebody writes who takes one key for the other.
        format!("secret = [\"{MARK}\"]"),
        format!("secret = {{value = \"{MARK}\"}}"),
        format!("secrets = \"{MARK}\""),
        format!("secrets = [[\"{MARK}\"]]"),
        format!("secret_file = [\"{MARK}\"]"),
        format!("secrt = \"{MARK}\""),
        // What the reader of TOML does not read.
        format!("secret = \"{MARK}"),
        format!("secret = {MARK}"),
        format!("secret = \"{MARK}\"\nsecret = \"{MARK}\""),
        format!("secret = '{MARK}\"\n"),
        format!("secret = \"\\q{MARK}\""),
        format!("secret = \"\"\"\n{MARK}\n"),
    ];
    let destinations = [
        format!("token = \"{MARK}\"\ntoken_file = \"/no/such/token\""),
        format!("token = [\"{MARK}\"]"),
        format!("token = \"{MARK}ё\""),
        format!("token = \"{MARK}\\n{MARK}\""),
        format!("authorization = {{basic = \"{MARK}\"}}"),
        format!("authorization = \"Bearer {MARK}\"\nauthorization_file = \"/no/such/file\""),
        format!("tokn = \"{MARK}\""),
        format!("proxy = \"http://olga:{MARK}@proxy:berth/\""),
        format!("proxy = \"ftp://olga:{MARK}@proxy:7/\""),
        format!("proxy = \"{MARK}:olga@proxy\""),
        format!("proxy = [\"http://olga:{MARK}@proxy:7/\"]"),
        format!("settings = \"{MARK}\""),
        format!("token = \"{MARK}"),
    ];
    let urls = [
        format!("url = \"ftp://olga:{MARK}@tool.harbour.example.com/\""),
        format!("url = \"http://olga:{MARK}@tool:berth/\""),
        format!("url = \"http://olga:{MARK}@/\""),
        format!("url = [\"http://tool.harbour.example.com/?token={MARK}\"]"),
        format!("url = \"tool.harbour.example.com/?token={MARK}\""),
    ];
    let numbers =
        ["secret = 4815162342".to_owned(), "secret = 48.15162342".to_owned(), "secret = [4815162342]".to_owned()];
    let mut texts: Vec<String> = secrets.iter().chain(&numbers).map(|secret| route(secret, "grace = 7")).collect();
    texts.extend(destinations.iter().map(|to| route(&good, &format!("{to}\ngrace = 7"))));
    texts.push(route(&good, "token = 4815162342"));
    texts.extend(urls.iter().map(|url| route(&good, "").replace("url = \"http://127.0.0.1:9/\"", url)));
    texts.push(format!("route = \"{MARK}\""));
    texts.push(format!("[route]\nsecret = \"{MARK}\""));
    texts.push(format!("route = [\"{MARK}\"]"));
    texts.push(format!("limits = \"{MARK}\""));
    // What is said is made here; `serve` prints it, and starts to load the mappings, which takes its time.
    for (number, text) in texts.iter().enumerate() {
        let file = ConfigFile::new(text);
        let flags = Flags { config: Some(file.path.clone()), ..Flags::default() };
        let refused = load(&flags, &HashMap::new()).err().unwrap_or_else(|| panic!("nothing is wrong with\n{text}"));
        let said = refused.to_string();
        let clean = |shown: &str| {
            assert!(!shown.contains(MARK) && !shown.contains("15162342"), "a secret shows:\n{text}\n---\n{shown}");
        };
        clean(&format!("{said}{refused:?}"));
        if number % 8 == 0 {
            let ended = file.serve(&[], &[]);
            assert_eq!(ended.code, Some(78), "{text}\n{ended:?}");
            clean(&format!("{}{}", ended.out, ended.err));
            assert_eq!(ended.err, format!("hookglot: {}\n", said.replace('\n', "\nhookglot: ")), "{text}");
        }
    }
}

#[test]
fn no_fault_of_a_secret_file_shows_what_stands_in_it() {
    for text in [format!("whsec_{MARK}\n"), format!("{MARK}\nnone\n"), format!("none\n{MARK}\n")] {
        let file = ConfigFile::new("");
        let secret = file.folder.path().join("secret");
        std::fs::write(&secret, text).unwrap();
        std::fs::write(&file.path, ROUTE.replace("secret = \"none\"", &format!("secret_file = {secret:?}"))).unwrap();
        let said = file.faults(&[], &[]);
        assert!(matches!(&said[..], [line] if line.starts_with("route[0].secret_file: ")), "{said:?}");
        assert!(!said[0].contains(MARK), "{said:?}");
    }
}

#[test]
fn no_fault_of_a_variable_shows_a_secret() {
    let whsec = format!("whsec_{MARK}");
    let with_password = format!("ftp://olga:{MARK}@tool.harbour.example.com/?token={MARK}");
    let not_ascii = format!("{MARK}ё");
    for variables in [
        &[("HOOKGLOT_SECRET", whsec.as_str())][..],
        &[("HOOKGLOT_SECRET", MARK), ("HOOKGLOT_TOKEN", MARK), ("HOOKGLOT_TOKEN_FILE", "/no/such/token")],
        &[("HOOKGLOT_TO", &with_password), ("HOOKGLOT_SECRET", MARK)],
        &[("HOOKGLOT_TOKEN", &not_ascii)],
        &[("HOOKGLOT_TOKN", MARK)],
        &[("HOOKGLOT_SECRET__VALUE", MARK)],
        &[("HOOKGLOT_TOKEN__VALUE", MARK)],
        &[("HOOKGLOT_SECRETS", MARK)],
        &[("HOOKGLOT_ROUTE", MARK)],
        &[("HOOKGLOT_LIMITS", MARK)],
    ] {
        let said = faults_of_environment(variables).join("\n");
        assert!(!said.contains(MARK), "{variables:?}:\n{said}");
    }
}

#[test]
fn a_url_is_logged_without_what_may_be_secret_in_it() {
    let url = format!("http://olga:{MARK}@127.0.0.1:9/hook?token={MARK}#{MARK}");
    let file = ConfigFile::new(&ROUTE.replace("http://127.0.0.1:9/", &url));
    let app = App::start(command(&["serve", "--config", file.shown(), "--log-level", "debug"]));
    assert!(app.log().contains("http://127.0.0.1:9/hook"), "{}", app.log());
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    let attempt = wait_for("an attempt", || app.log().lines().find(|line| line.contains("attempt")).map(str::to_owned));
    assert!(attempt.contains("jenkins"), "{attempt}");
    assert!(!app.log().contains(MARK), "{}", app.log());
}
