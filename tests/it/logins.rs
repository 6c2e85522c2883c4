use crate::config::{ConfigFile, MARK, ROUTE, assert_faults};
use crate::support::app::{App, command};
use crate::support::receiver::{Receiver, status};
use crate::support::{gitflic_push, wait_for};

/// The address of a tool with something put before its host.
fn with_login(url: &str, login: &str) -> String {
    url.replacen("http://", &format!("http://{login}@"), 1)
}

#[test]
fn user_and_password_of_a_url_arrive_as_basic_authorization_on_every_attempt() {
    let tool = Receiver::scripted(|number| if number == 0 { status(503, "") } else { status(200, "") });
    let url = with_login(&tool.url, "olga:tin%20kettle%3A7");
    let file = ConfigFile::new(&ROUTE.replace("http://127.0.0.1:9/", &format!("{url}?hook=7")));
    let app = App::start(command(&["serve", "--config", file.shown()]));
    app.post("/", &[], gitflic_push().as_bytes());
    for got in tool.wait_for(2) {
        assert!(got.head.starts_with("POST /tool?hook=7 HTTP/1.1\r\n"), "{}", got.head);
        // printf 'olga:tin kettle:7' | base64
        assert_eq!(got.header("Authorization"), Some("Basic b2xnYTp0aW4ga2V0dGxlOjc="));
        assert!(!got.head.contains("olga"), "{}", got.head);
    }
}

#[test]
fn a_sidecar_takes_a_login_in_its_url() {
    let tool = Receiver::content();
    let url = with_login(&tool.url, "olga");
    let app =
        App::with_environment(&[("HOOKGLOT_TO", &url), ("HOOKGLOT_FORMAT", "gitflic"), ("HOOKGLOT_SECRET", "none")]);
    app.post("/", &[], gitflic_push().as_bytes());
    // printf 'olga:' | base64
    assert_eq!(tool.wait_for(1)[0].header("Authorization"), Some("Basic b2xnYTo="));
}

#[test]
fn a_login_and_an_authorization_are_one_too_many() {
    let route = ROUTE.replace("http://", "http://olga:7@");
    let file = ConfigFile::new(&format!("{route}authorization = \"Bearer {MARK}\"\n"));
    assert_faults(
        &file.faults(&[], &[]),
        &[("route[0].to[0].authorization", "the url has a user and a password, which Authorization carries as well")],
    );
}

#[test]
fn no_url_shows_its_secrets_whatever_goes_wrong() {
    // Nobody listens there: every attempt fails, with an error that says why.
    let secret = format!("olga-{MARK}:{MARK}@127.0.0.1:9/hook?token={MARK}");
    let proxies = [
        String::new(),
        format!("proxy = \"http://{MARK}:{MARK}@127.0.0.1:9/?{MARK}\""),
        format!("proxy = \"socks5://{MARK}:{MARK}@127.0.0.1:9/\""),
        format!("proxy = \"https://{MARK}:{MARK}@127.0.0.1:9/\""),
    ];
    let mut text = "[[route]]\npath = \"/\"\nsecret = \"none\"\n".to_owned();
    let mut names = Vec::new();
    for (scheme, number) in [("http", 0), ("https", 1)] {
        for (of_proxy, proxy) in proxies.iter().enumerate() {
            let name = format!("tool-{number}-{of_proxy}");
            text.push_str(&format!(
                "[[route.to]]\nname = \"{name}\"\nurl = \"{scheme}://{secret}\"\nformat = \"gitlab\"\n{proxy}\n"
            ));
            names.push(name);
        }
    }
    let file = ConfigFile::new(&text);
    for format in ["text", "json", "github"] {
        let checked = crate::support::process::run(&["check", "--config", file.shown(), "--format", format]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
        assert!(!format!("{checked:?}").contains(MARK), "{checked:?}");
    }
    let app = App::start(command(&["serve", "--config", file.shown(), "--log-level", "trace"]));
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    for name in names {
        let destination = format!("destination=\"{name}\"");
        wait_for(&name, || {
            app.log().lines().find(|line| line.contains("WARN attempt") && line.contains(&destination)).map(|_| ())
        });
    }
    let metrics = app.get_admin("/metrics").body;
    assert!(metrics.contains("tool-1-3"), "{metrics}");
    for said in [app.log(), app.out(), metrics] {
        let line = said.lines().find(|line| line.contains(MARK) || line.contains("olga"));
        assert_eq!(line, None, "a secret shows");
    }
}

#[test]
fn what_stands_before_a_colon_may_be_a_secret_and_is_not_repeated() {
    let file = ConfigFile::new(&ROUTE.replace("http://127.0.0.1:9/", &format!("{MARK}:olga@tool/")));
    let said = file.faults(&[], &[]);
    assert_faults(&said, &[("route[0].to[0].url", "expected an http:// or https:// URL")]);
    assert!(!said[0].contains(MARK), "{said:?}");
}
