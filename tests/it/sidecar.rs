use crate::support::app::App;
use crate::support::receiver::Receiver;
use crate::support::{gitflic_push, gitlab_push};

#[test]
fn a_sidecar_is_set_by_its_environment_alone() {
    let tool = Receiver::content();
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "brass-lantern-77"),
        ("HOOKGLOT_TOKEN", "copper-kettle-12"),
    ]);
    app.post("/", &[("Gitflic-Webhook-Secret", "brass-lantern-77")], gitflic_push().as_bytes());
    app.post("/", &[("X-Gitlab-Token", "brass-lantern-77"), ("X-Gitlab-Event", "Push Hook")], gitlab_push().as_bytes());
    for got in tool.wait_for(2) {
        assert_eq!(got.header("X-Gitlab-Token"), Some("copper-kettle-12"));
        assert_eq!(got.json()["object_kind"], "push");
    }
}

#[test]
fn secrets_come_from_files_too() {
    let (tool, folder) = (Receiver::content(), tempfile::tempdir().unwrap());
    let (secret, token) = (folder.path().join("secret"), folder.path().join("token"));
    std::fs::write(&secret, "brass-lantern-77\n").unwrap();
    std::fs::write(&token, "copper-kettle-12\n").unwrap();
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitflic"),
        ("HOOKGLOT_SECRET_FILE", secret.to_str().unwrap()),
        ("HOOKGLOT_TOKEN_FILE", token.to_str().unwrap()),
    ]);
    assert_eq!(app.post("/", &[("X-Gitlab-Token", "brass-lantern-77")], gitlab_push().as_bytes()).status, 200);
    assert_eq!(tool.wait_for(1)[0].header("Gitflic-Webhook-Secret"), Some("copper-kettle-12"));
}

#[test]
fn logs_can_be_json() {
    let tool = Receiver::content();
    let app = App::with_environment(&[
        ("HOOKGLOT_TO", &tool.url),
        ("HOOKGLOT_FORMAT", "gitlab"),
        ("HOOKGLOT_SECRET", "none"),
        ("HOOKGLOT_LOG_FORMAT", "json"),
    ]);
    let id = app.post("/", &[], gitflic_push().as_bytes()).json()["delivery"].as_str().unwrap().to_owned();
    // The two lines come from different threads, in either order.
    app.wait_for_log("\"delivered\"");
    app.wait_for_log("\"message\":\"request\"");
    let lines: Vec<serde_json::Value> = app.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for message in ["request", "attempt"] {
        let found: Vec<_> = lines.iter().filter(|line| line["message"] == message).collect();
        assert_eq!(found.len(), 1, "one line for each {message}");
        assert_eq!(found[0]["hook"], id.as_str());
    }
}
