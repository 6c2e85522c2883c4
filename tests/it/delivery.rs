use crate::support::app::App;
use crate::support::receiver::{Receiver, status};
use crate::support::{gitflic_push, gitlab_push, wait_for};
use std::net::TcpListener;

fn config(tool: &str, more: &str) -> String {
    format!("[[route]]\npath = \"/\"\nsecret = \"none\"\n[[route.to]]\nname = \"jenkins\"\nurl = \"{tool}\"\n{more}\n")
}

fn app(tool: &str, more: &str) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (App::with_config(folder.path(), &config(tool, more)), folder)
}

/// The headers that are new for each request or each run.
fn steady(head: &str) -> Vec<String> {
    let changing = [
        "Host",
        "Idempotency-Key",
        "X-Gitlab-Event-Uuid",
        "X-Gitlab-Webhook-Uuid",
        "Webhook-Id",
        "Webhook-Timestamp",
        "Content-Length",
    ];
    head.lines()
        .map(|line| match line.split_once(": ") {
            Some((name, _)) if changing.contains(&name) => format!("{name}: …"),
            _ => line.to_owned(),
        })
        .collect()
}

#[test]
fn a_gitflic_push_arrives_as_gitlab_would_send_it() {
    let tool = Receiver::content();
    let (app, _folder) = app(&tool.url, "format = \"gitlab\"\ntoken = \"copper-kettle-12\"");
    assert_eq!(app.post("/", &[], gitflic_push().as_bytes()).status, 200);
    let got = &tool.wait_for(1)[0];
    let expected: serde_json::Value = serde_json::from_str(&crate::support::project_file(
        "mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.gitlab.json",
    ))
    .unwrap();
    assert_eq!(got.json(), expected);
    // The raw bytes: some tools keep headers in a plain dictionary and look them up as GitLab writes them.
    let mut steady = steady(&got.head);
    steady[1..].sort();
    assert_eq!(
        steady,
        [
            "POST /tool HTTP/1.1",
            "Accept: */*",
            "Content-Length: …",
            "Content-Type: application/json",
            "Hookglot-Hops: 1",
            "Host: …",
            "Idempotency-Key: …",
            "User-Agent: GitLab/19.4.0",
            "Webhook-Id: …",
            "Webhook-Timestamp: …",
            "X-Gitlab-Event-Uuid: …",
            "X-Gitlab-Event: Push Hook",
            "X-Gitlab-Instance: https://git.example.org",
            "X-Gitlab-Token: copper-kettle-12",
            "X-Gitlab-Webhook-Uuid: …",
        ]
    );
    assert_eq!(got.header("Idempotency-Key"), got.header("Webhook-Id"));
}

#[test]
fn a_gitlab_push_arrives_as_gitflic_would_send_it() {
    let tool = Receiver::content();
    let (app, _folder) = app(
        &tool.url,
        "format = \"gitflic\"\ntoken = \"copper-kettle-12\"\nauthorization = \"token tin-whistle-34\"\nhop_header = false",
    );
    let headers = [
        ("X-Gitlab-Event", "Push Hook"),
        ("X-Gitlab-Instance", "https://git.example.org"),
        ("Idempotency-Key", "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5"),
    ];
    assert_eq!(app.post("/", &headers, gitlab_push().as_bytes()).status, 200);
    let got = &tool.wait_for(1)[0];
    let expected: serde_json::Value =
        serde_json::from_str(&crate::support::project_file("mappings/gitlab-to-gitflic/examples/push.gitflic.json"))
            .unwrap();
    assert_eq!(got.json(), expected);
    assert_eq!(got.header("Gitflic-Webhook-Secret"), Some("copper-kettle-12"));
    assert_eq!(got.header("Authorization"), Some("token tin-whistle-34"));
    assert_eq!(
        got.header("Idempotency-Key"),
        Some("7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5"),
        "the forge's own key stays"
    );
    // Of GitFlic's own requests no source says more than the secret and the token. The key is ours, as for all tools.
    assert_eq!(
        steady(&got.head),
        [
            "POST /tool HTTP/1.1",
            "Content-Type: application/json",
            "Gitflic-Webhook-Secret: copper-kettle-12",
            "Authorization: token tin-whistle-34",
            "Idempotency-Key: …",
            "Accept: */*",
            "Host: …",
            "Content-Length: …",
        ]
    );
}

#[test]
fn a_hook_for_its_own_format_passes_through_byte_for_byte_without_what_proved_it() {
    let tool = Receiver::content();
    let folder = tempfile::tempdir().unwrap();
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"brass-lantern-77\"\n[[route.to]]\nname = \"jenkins\"\nurl = \"{}\"\nformat = \"gitlab\"\ntoken = \"copper-kettle-12\"\n",
            tool.url
        ),
    );
    // Spaces, an escape and a kind that no mapping knows: nothing of it may change.
    let body = "{ \"object_kind\": \"deployment\",\n\t\"note\": \"\\u0041\",  \"n\": 1.0 }";
    let headers = [
        ("X-Gitlab-Token", "brass-lantern-77"),
        ("X-Gitlab-Event", "Deployment Hook"),
        ("X-Gitlab-Instance", "https://lab.example.org"),
        ("X-Gitlab-Event-UUID", "0d7a6f0c-8a71-4a38-9f7e-1b2c3d4e5f60"),
        ("webhook-id", "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5"),
        // A delivery has one key, by whichever name a tool knows it.
        ("Idempotency-Key", "5f4e3d2c-6a3b-4e84-9c95-a0b1c2d3e4f5"),
        ("webhook-signature", "v1,c2lnbmVk"),
        ("Authorization", "Bearer brass-lantern-77"),
        ("User-Agent", "GitLab/17.3.1"),
        ("X-Gogs-Event", "push"),
    ];
    assert_eq!(app.post("/", &headers, body.as_bytes()).json()["status"], "stored");
    let got = &tool.wait_for(1)[0];
    assert_eq!(String::from_utf8_lossy(&got.body), body);
    for (name, value) in [
        ("X-Gitlab-Event", "Deployment Hook"),
        ("X-Gitlab-Instance", "https://lab.example.org"),
        ("X-Gitlab-Event-Uuid", "0d7a6f0c-8a71-4a38-9f7e-1b2c3d4e5f60"),
        ("Webhook-Id", "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5"),
        ("Idempotency-Key", "7d1f0c52-6a3b-4e84-9c95-a0b1c2d3e4f5"),
        ("User-Agent", "GitLab/17.3.1"),
        ("X-Gitlab-Token", "copper-kettle-12"),
        ("Content-Type", "application/json"),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    for absent in ["brass-lantern-77", "v1,c2lnbmVk", "Gogs", "Authorization"] {
        assert!(!got.head.contains(absent), "{absent} was passed on:\n{}", got.head);
    }
}

#[test]
fn one_route_takes_both_forges_and_feeds_several_tools() {
    let (gitlab_tool, gitflic_tool, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
             [[route.to]]\nname = \"reads-gitlab\"\nurl = \"{}\"\nformat = \"gitlab\"\n\
             [[route.to]]\nname = \"reads-gitflic\"\nurl = \"{}\"\nformat = \"gitflic\"\n",
            gitlab_tool.url, gitflic_tool.url
        ),
    );
    app.post("/", &[], gitflic_push().as_bytes());
    app.post("/", &[("X-Gitlab-Event", "Push Hook")], gitlab_push().as_bytes());
    for got in gitlab_tool.wait_for(2) {
        assert_eq!(got.json()["object_kind"], "push");
        assert_eq!(got.header("X-Gitlab-Event"), Some("Push Hook"));
    }
    for got in gitflic_tool.wait_for(2) {
        assert_eq!(got.json()["action"], "BRANCH_UPDATE");
    }
}

#[test]
fn destinations_of_one_hook_get_one_event_and_each_a_delivery_of_its_own() {
    let (one, other, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
    let second = format!("[[route.to]]\nname = \"other\"\nurl = \"{}\"\nformat = \"gitlab\"\n", other.url);
    let app = App::with_config(folder.path(), &config(&one.url, &format!("format = \"gitlab\"\n{second}")));
    let hook = app.post("/", &[], gitflic_push().as_bytes()).json()["delivery"].as_str().unwrap().to_owned();
    let (one, other) = (&one.wait_for(1)[0], &other.wait_for(1)[0]);
    for got in [one, other] {
        assert_eq!(got.header("X-Gitlab-Event-Uuid"), Some(hook.as_str()));
        assert_eq!(got.header("Idempotency-Key"), got.header("Webhook-Id"));
    }
    for of_delivery in ["Idempotency-Key", "X-Gitlab-Webhook-Uuid"] {
        assert!(one.header(of_delivery).is_some());
        assert_ne!(one.header(of_delivery), other.header(of_delivery), "{of_delivery}");
    }
}

#[test]
fn what_may_heal_is_sent_again_with_the_same_bytes_and_key() {
    let tool = Receiver::scripted(|number| match number {
        0 => status(503, ""),
        _ => status(200, ""),
    });
    let (app, _folder) = app(&tool.url, "format = \"gitlab\"");
    app.post("/", &[], gitflic_push().as_bytes());
    let got = tool.wait_for(2);
    assert_eq!(got[0].body, got[1].body);
    for same in ["Idempotency-Key", "Webhook-Id", "X-Gitlab-Event-Uuid"] {
        assert!(got[0].header(same).is_some());
        assert_eq!(got[0].header(same), got[1].header(same), "{same}");
    }
    wait_for("the count", || {
        app.metric("hookglot_deliveries_total{destination=\"jenkins\",outcome=\"delivered\"}")
            .filter(|count| *count == 1)
    });
    assert_eq!(app.metric("hookglot_attempts_total{destination=\"jenkins\",result=\"5xx\"}"), Some(1));
}

#[test]
fn a_broken_connection_is_tried_again() {
    let tool = Receiver::scripted(|number| if number == 0 { String::new() } else { status(204, "") });
    let (app, _folder) = app(&tool.url, "format = \"gitlab\"");
    app.post("/", &[], gitflic_push().as_bytes());
    tool.wait_for(2);
    assert!(app.log().contains("the connection broke"), "{}", app.log());
}

#[test]
fn gone_is_given_up_at_once_and_a_redirect_is_not_followed() {
    let elsewhere = Receiver::content();
    let location = format!("Location: {}\r\n", elsewhere.url);
    let tool = Receiver::scripted(move |number| if number == 0 { status(302, &location) } else { status(410, "") });
    let (app, _folder) = app(&tool.url, "format = \"gitlab\"");
    app.post("/", &[], gitflic_push().as_bytes());
    let line = app.wait_for_log("a redirect, which is not followed");
    assert!(line.contains("WARN") && line.contains("outcome=\"delivered\""), "{line}");
    app.post("/", &[], gitflic_push().as_bytes());
    let line = app.wait_for_log("ERROR failed");
    assert!(line.contains("given up after 1 attempt: the destination answered 410"), "{line}");
    assert_eq!((tool.got().len(), elsewhere.got().len()), (2, 0));
}

#[test]
fn a_tool_that_hangs_runs_into_the_timeout_and_slows_no_other() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
             [[route.to]]\nname = \"hangs\"\nurl = \"http://{}/\"\nformat = \"gitlab\"\ntimeout = \"300ms\"\nconcurrency = 1\n\
             [[route.to]]\nname = \"lives\"\nurl = \"{}\"\nformat = \"gitlab\"\n",
            hanging.local_addr().unwrap(),
            tool.url
        ),
    );
    for _ in 0..3 {
        app.post("/", &[], gitflic_push().as_bytes());
    }
    tool.wait_for(3);
    app.wait_for_log("no answer in time");
    assert_eq!(app.metric("hookglot_deliveries_total{destination=\"lives\",outcome=\"delivered\"}"), Some(3));
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let tool = Receiver::scripted(|_| {
        format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}", "x".repeat(300_000))
    });
    let (app, _folder) = app(&tool.url, "format = \"gitlab\"");
    app.post("/", &[], gitflic_push().as_bytes());
    app.wait_for_log("outcome=\"delivered\"");
}

#[test]
fn a_proxy_gets_the_request_for_the_tool() {
    let proxy = Receiver::content();
    let more = format!("format = \"gitlab\"\nproxy = \"{}\"", proxy.url.trim_end_matches("/tool"));
    let (app, _folder) = app("http://tool.harbour.example.com/hook", &more);
    app.post("/", &[], gitflic_push().as_bytes());
    let got = &proxy.wait_for(1)[0];
    assert!(got.head.starts_with("POST http://tool.harbour.example.com/hook HTTP/1.1"), "{}", got.head);
}

#[test]
fn the_proxy_of_the_environment_is_used_but_not_for_this_machine() {
    let (proxy, tool, folder) = (Receiver::content(), Receiver::content(), tempfile::tempdir().unwrap());
    let file = folder.path().join("hookglot.toml");
    let text = format!(
        "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
         [[route.to]]\nname = \"far\"\nurl = \"http://tool.harbour.example.com/hook\"\nformat = \"gitlab\"\n\
         [[route.to]]\nname = \"near\"\nurl = \"{}\"\nformat = \"gitlab\"\n",
        tool.url
    );
    std::fs::write(&file, text).unwrap();
    let mut serve = crate::support::app::command(&["serve", "--config", file.to_str().unwrap()]);
    serve.env("HTTP_PROXY", proxy.url.trim_end_matches("/tool")).env("http_proxy", proxy.url.trim_end_matches("/tool"));
    let app = App::start(serve);
    app.post("/", &[], gitflic_push().as_bytes());
    assert!(proxy.wait_for(1)[0].head.starts_with("POST http://tool.harbour.example.com/hook "));
    assert!(tool.wait_for(1)[0].head.starts_with("POST /tool "));
    assert_eq!(proxy.got().len(), 1);
}

#[test]
fn a_certificate_of_ones_own_is_trusted_when_its_authority_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let tool = crate::support::tls::TlsReceiver::start();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &tool.ca).unwrap();
    let app = App::with_config(
        folder.path(),
        &format!(
            "[[route]]\npath = \"/\"\nsecret = \"none\"\n\
             [[route.to]]\nname = \"trusting\"\nurl = \"{0}\"\nformat = \"gitlab\"\nca_file = {ca:?}\n\
             [[route.to]]\nname = \"strict\"\nurl = \"{0}\"\nformat = \"gitlab\"\n",
            tool.url
        ),
    );
    app.post("/", &[], gitflic_push().as_bytes());
    let head = tool.wait_for_request();
    assert!(head.contains("X-Gitlab-Event: Push Hook"), "{head}");
    let line = wait_for("the refusal", || {
        app.log().lines().find(|line| line.contains("strict") && line.contains("attempt")).map(str::to_owned)
    });
    assert!(line.contains("certificate") && line.contains("outcome=\"again\""), "{line}");
}
