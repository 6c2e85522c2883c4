use super::{alert, moody, route, send};
use crate::config::{ConfigFile, MARK, assert_faults};
use crate::support::app::{App, serve_in};
use crate::support::process::run;
use crate::support::receiver::Receiver;
use crate::support::tool::nobodys_address;

#[test]
fn the_secrets_of_an_alert_show_nowhere() {
    let ((tool, _), folder) = (moody(410), tempfile::tempdir().unwrap());
    let (json, dead) = (Receiver::content(), nobodys_address());
    let file = folder.path().join("url");
    let host = json.url.trim_start_matches("http://").trim_end_matches("/tool");
    std::fs::write(&file, format!("http://olga:{MARK}@{host}/hooks/xkq8wzr3yibtmfp9o1cdns5ueh?token=tin-{MARK}\n"))
        .unwrap();
    let config = format!("log_level = \"trace\"\n[[alert]]\nname = \"chat\"\nurl_file = \"{}\"\n", file.display())
        + &alert(
            "dead",
            &format!("http://{dead}/hooks/xkq8wzr3yibtmfp9o1cdns5ueh?t={MARK}"),
            &format!("authorization = \"{MARK}\""),
        )
        + &route("jenkins", &format!("{}?key={MARK}", tool.url), &format!("token = \"{MARK}\""));
    let mut app = App::start(serve_in(folder.path(), &config));
    send(&app, "jenkins", 0);
    let got = json.wait_for(1);
    assert!(got[0].head.starts_with("POST /hooks/xkq8wzr3yibtmfp9o1cdns5ueh?token="), "{got:?}");
    assert!(got[0].header("Authorization").unwrap().starts_with("Basic "), "{got:?}");
    app.wait_for_log("the alert cannot be posted");
    let metrics = app.get_admin("/metrics").body;
    app.terminate();
    app.wait();
    let posted = String::from_utf8(got[0].body.clone()).unwrap();
    let log = app.log();
    assert!(log.contains(&format!("alert=\"dead\" url=\"http://{dead}\"")), "{log}");
    for shown in [&log, &metrics, &posted] {
        for secret in [MARK, "xkq8wzr3yibtmfp9o1cdns5ueh", "olga"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn wrong_settings_are_refused_with_what_is_wrong() {
    let wrong = format!(
        "{}[[alert]]\nname = \"chat\"\nurl = \"ftp://{MARK}@host/\"\nformat = \"teams\"\n\
         [[alert]]\nname = \"chat\"\nurl = \"http://a/\"\nurl_file = \"/b\"\non = [\"failure\"]\ntimeout = \"0s\"\n\
         [[alert]]\nname = \"a b\"\non = []\nproxi = \"x\"\n\
         [[alert]]\nname = \"login\"\nurl = \"http://olga:{MARK}@a/\"\nauthorization = \"{MARK}\"\n\
         [[alert]]\nname = \"file\"\nurl_file = \"/nowhere/url\"\nca_file = \"/nowhere/ca\"\nproxy = \"ftp://a\"\n\
         [alerts]\ncalm = \"soon\"\nclam = \"1m\"\n[limits]\nnearly_full = \"full\"\n",
        crate::config::ROUTE
    );
    let file = ConfigFile::new(&wrong);
    let said = file.faults(&[], &[]);
    assert_faults(
        &said,
        &[
            ("alert[0].url", "expected an http:// or https:// URL, got ftp:"),
            ("alert[0].format", "expected `json` or `slack` (Mattermost's, too), got `teams`"),
            ("alert[1].name", "`chat` is the name of another alert"),
            ("alert[1].url", "both `url` and `url_file` are set: use one"),
            ("alert[1].on", "unknown trouble `failure`: expected failed, breaker, reload, disk, store"),
            ("alert[1].timeout", "0: every post would fail at once"),
            ("alert[2].name", "a name is made of letters, digits"),
            ("alert[2].url", "missing: where it is posted, here or in a `url_file`"),
            ("alert[2].on", "an empty list: nothing would be posted"),
            ("alert[2].proxi", "unknown setting, did you mean `proxy`?"),
            ("alert[3].authorization", "the url has a user and a password"),
            ("alert[4].url_file", "/nowhere/url: No such file"),
            ("alert[4].ca_file", "/nowhere/ca: No such file"),
            ("alert[4].proxy", "expected an http://"),
            ("alerts.calm", "expected a time such as 500ms, 10s, 5m, 2h or 7d, got `soon`"),
            ("alerts.clam", "unknown setting, did you mean `calm`?"),
            ("limits.nearly_full", "expected a share, a size, or both, such as `10%`"),
        ],
    );
    let checked = run(&["check", "--config", file.shown()]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    for said in [&said.join("\n"), &checked.err, &checked.out] {
        assert!(!said.contains(MARK), "{said}");
    }
    assert!(checked.err.contains("alert[1].on: unknown trouble `failure`"), "{checked:?}");
    let sound = alert("chat", "https://chat.example.org/hooks/x", "format = \"slack\"") + crate::config::ROUTE;
    let checked = run(&["check", "--config", ConfigFile::new(&sound).shown()]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
}
